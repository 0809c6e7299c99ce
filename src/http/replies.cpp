#include "http/replies.hpp"

#include "crypto/hash.hpp"
#include "http/content_type.hpp"
#include "http/cors.hpp"

namespace meshstow::http {

PeerAddress failure_key(const Context& context, std::string_view secret) {
  if (!context.proxied) return context.peer;
  return PeerAddress::prefix_of(crypto::sha256(base::as_bytes(secret)).view());
}

void add_context_headers(HeaderBlock& headers, const Context& context) {
  if (context.cors) add_cors(headers, context.origin);
  headers.add("X-Content-Type-Options", "nosniff");
}

Reply error_reply(const Context& context, int status, std::string_view message) {
  Reply reply;
  reply.head.status = status;
  reply.head.headers.add("Content-Type", "text/plain; charset=utf-8");
  reply.head.headers.add("Cache-Control", "no-store");
  add_context_headers(reply.head.headers, context);
  add_sandbox(reply.head.headers);
  reply.body = std::string(message) + "\n";
  return reply;
}

Reply method_not_allowed(const Context& context, std::string_view allowed) {
  Reply reply = error_reply(context, 405, "This method is not for this address.");
  reply.head.headers.add("Allow", allowed);
  return reply;
}

Reply busy_reply(const Context& context, std::string_view message) {
  Reply reply = error_reply(context, 503, message);
  reply.head.headers.add("Retry-After", "1");
  return reply;
}

Reply too_many_requests(const Context& context, std::chrono::seconds retry_after) {
  Reply reply =
      error_reply(context, 429, "Too many wrong tokens or passphrases from this address.");
  reply.head.headers.add("Retry-After", std::to_string(retry_after.count()));
  return reply;
}

Reply denied_reply(const Context& context, access::Verdict verdict, bool token_shown) {
  const bool forbidden = verdict == access::Verdict::forbidden;
  Reply reply = error_reply(context, forbidden ? 403 : 401,
                            forbidden      ? "The token does not cover this."
                            : !token_shown ? "A token is needed."
                                           : "The token is not valid, or no more.");
  std::string challenge = "Bearer realm=\"meshstow\"";
  if (forbidden) {
    challenge += ", error=\"insufficient_scope\"";
  } else if (token_shown) {
    challenge += ", error=\"invalid_token\"";
  }
  reply.head.headers.add("WWW-Authenticate", challenge);
  return reply;
}

Reply failure_reply(const Context& context, const storage::Failure& failure, bool is_write) {
  using storage::Refusal;
  const auto with_tag = [&](Reply reply) {
    if (failure.current) reply.head.headers.add("ETag", failure.current->quoted());
    return reply;
  };
  switch (failure.refusal) {
    case Refusal::not_found: return error_reply(context, 404, "There is no such document.");
    case Refusal::precondition_failed: break;
    case Refusal::not_modified: break;
    case Refusal::name_clash:
      return error_reply(context, 409, "A document and a folder cannot have one name.");
    case Refusal::full: return error_reply(context, 507, "There is no space left for this.");
    case Refusal::too_large: return error_reply(context, 413, "The document is too large.");
    case Refusal::malformed: return error_reply(context, 400, failure.detail);
    case Refusal::corrupt: return error_reply(context, 500, "The stored document is damaged.");
    case Refusal::unavailable: return busy_reply(context, "The store is not available now.");
  }
  return with_tag(
      error_reply(context, is_write || failure.refusal == Refusal::precondition_failed ? 412 : 304,
                  "The document is not in the state that was asked for."));
}

Reply json_reply(const Context& context, int status, std::string json, std::string_view type) {
  Reply reply;
  reply.head.status = status;
  reply.head.headers.add("Content-Type", type);
  reply.head.headers.add("Cache-Control", "no-store");
  add_context_headers(reply.head.headers, context);
  add_sandbox(reply.head.headers);
  reply.body = std::move(json);
  return reply;
}

Reply redirect_reply(int status, std::string_view location) {
  Reply reply;
  reply.head.status = status;
  reply.head.headers.add("Location", location);
  reply.head.headers.add("Cache-Control", "no-store");
  // A sign-in link and an answer to an app hold secrets.
  reply.head.headers.add("Referrer-Policy", "no-referrer");
  return reply;
}

bool has_already(const Request& request, const storage::ETag& tag) {
  const auto conditions =
      storage::parse_conditions(std::nullopt, request.joined("If-None-Match"), /*writes=*/false);
  return conditions && conditions->if_none_match && conditions->if_none_match->matches_weak(tag);
}

Reply page_reply(const Context& context, int status, std::string html) {
  // Not all of our origin: where there is but one, stored documents are in it.
  const std::string ours = context.asked + "/dashboard/";
  Reply reply;
  reply.head.status = status;
  HeaderBlock& headers = reply.head.headers;
  headers.add("Content-Type", "text/html; charset=utf-8");
  headers.add("Cache-Control", "no-store");
  headers.add("Content-Security-Policy", "default-src 'none'; script-src " + ours + "; style-src " +
                                             ours +
                                             "; img-src 'self' data: blob:; connect-src 'self'; "
                                             "base-uri 'none'; form-action 'none'; "
                                             "frame-ancestors 'none'");
  headers.add("X-Frame-Options", "DENY");
  headers.add("Referrer-Policy", "same-origin");
  headers.add("X-Content-Type-Options", "nosniff");
  reply.body = std::move(html);
  return reply;
}

std::string_view cache_control(const StoragePath& path) {
  return path.category() == Category::public_ ? "no-cache, public" : "no-cache";
}

}  // namespace meshstow::http
