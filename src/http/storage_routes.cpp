// The routes that apps use: discovery, documents, live changes, quota, authorization.
#include <algorithm>

#include "http/cors.hpp"
#include "http/documents.hpp"
#include "http/json_text.hpp"
#include "http/oauth.hpp"
#include "http/replies.hpp"
#include "http/router.hpp"
#include "http/webfinger.hpp"

namespace meshstow::http {
namespace {

using access::Operation;
using access::Verdict;

constexpr std::string_view kDocumentMethods = "GET, HEAD, PUT, DELETE, OPTIONS";
constexpr std::string_view kFolderMethods = "GET, HEAD, OPTIONS";

// The module that is all a token is for; empty: more than one, or not a module.
std::string only_module(const access::Capability& capability) {
  std::string module;
  for (const access::Scope& scope : capability.scopes) {
    std::string subject = scope.subject();
    if (scope.is_path()) {
      const auto path = StoragePath::parse(subject);
      subject = path ? std::string(path->module()) : "";
    }
    if (subject.empty() || subject == "*" || (!module.empty() && module != subject)) return {};
    module = std::move(subject);
  }
  return module;
}

// What a token may know of the space: how much of it is used and left, and where it is for one
// module that has a quota of its own, how much of that.
class QuotaGet final : public Exchange {
 public:
  QuotaGet(const Core& core, Context context, std::string module)
      : context_(std::move(context)), module_(std::move(module)) {
    const std::uint64_t disk = core.config.status ? core.config.status().disk_free : 0;
    ask<storage::Usage>(
        storage::ReadUsage{},
        [this, disk](Now, const storage::Outcome<storage::Usage>& usage) { finish(disk, usage); });
  }

 private:
  void finish(std::uint64_t disk, const storage::Outcome<storage::Usage>& usage) {
    Reply reply;
    if (usage) {
      std::uint64_t used = usage->bytes;
      std::uint64_t left = usage->quota ? usage->space_left : disk;
      std::optional<std::uint64_t> quota = usage->quota;
      if (const auto bound = module_quota(*usage)) {
        used = module_bytes(*usage);
        left = std::min(left, *bound - std::min(*bound, used));
        quota = bound;
      }
      const std::string limit = quota ? std::to_string(*quota) : "null";
      reply = json_reply(context_, 200,
                         "{\"used\":" + std::to_string(used) + ",\"available\":" +
                             std::to_string(left) + ",\"quota\":" + limit + "}");
    } else {
      reply = failure_reply(context_, usage.error(), /*is_write=*/false);
    }
    reply.head.content_length = view_of(reply.body).size();
    if (context_.is_head) reply.body = std::string_view();
    send({.head = std::move(reply.head), .body = std::move(reply.body), .last = true});
  }

  [[nodiscard]] std::optional<std::uint64_t> module_quota(const storage::Usage& usage) const {
    const auto rules = std::ranges::find(usage.rules, module_, &storage::ModuleRules::module);
    return module_.empty() || rules == usage.rules.end() ? std::nullopt : rules->quota;
  }
  [[nodiscard]] std::uint64_t module_bytes(const storage::Usage& usage) const {
    std::uint64_t bytes = 0;
    for (const storage::ModuleUsage& each : usage.modules) {
      if (each.module == module_) bytes += each.bytes;
    }
    return bytes;
  }

  const Context context_;
  const std::string module_;
};

}  // namespace

Router::Answer Router::route_app_side(std::string_view path) {
  const std::string account = core_.config.account;
  if (path == "/oauth/" + account + "/token") return token_endpoint();
  if (request_.method == "OPTIONS") {
    return answer(preflight_reply(request_, "GET, HEAD, PUT, DELETE"));
  }
  if (const std::string root = "/storage/" + account; path.starts_with(root + "/")) {
    return storage(path.substr(root.size()));
  }
  if (path == "/.well-known/webfinger") {
    if (!is_read()) return answer(method_not_allowed(context_, kFolderMethods));
    return answer(webfinger_reply(core_, context_, target_.query));
  }
  if (const std::string root = "/events/" + account; path.starts_with(root + "/")) {
    return events(path.substr(root.size()));
  }
  if (path == "/quota/" + account) return quota();
  if (path.starts_with(kDownloads)) return download(path.substr(kDownloads.size()));
  // Other accounts do not exist, and nothing tells them from ones that do.
  if (path.starts_with("/storage/") && path != "/storage/" + account) {
    return answer(denied_reply(context_, Verdict::unauthenticated, /*token_shown=*/false));
  }
  return error(404, "There is nothing at this address.");
}

tl::expected<Authority, Router::Answer> Router::authorise_token() {
  const auto header = request_.header("Authorization");
  const std::string token(bearer_token(header.value_or("")));
  if (token.empty()) {
    return tl::unexpected(
        answer(denied_reply(context_, Verdict::unauthenticated, header.has_value())));
  }
  auto found = core_.cache.find(now_, token);
  if (!found.capability) {
    // Revoked and expired tokens are no guesses: an app that still shows one is told 401 each time.
    const auto wait = found.ours
                          ? std::nullopt
                          : core_.token_failures.note_failure(now_, failure_key(context_, token));
    if (wait) return tl::unexpected(answer(too_many_requests(context_, *wait)));
    return tl::unexpected(
        answer(denied_reply(context_, Verdict::unauthenticated, /*token_shown=*/true)));
  }
  core_.cache.note_use(now_, *found.capability);
  Authority out = Authority::of_token(std::move(found.capability));
  holder_ = out.holder();
  return out;
}

tl::expected<Authority, Router::Answer> Router::authorise(const StoragePath& path,
                                                          Operation operation) {
  if (core_.check(now_, Authority::nobody(), path, operation) == Verdict::allowed)
    return Authority::nobody();
  auto authority = authorise_token();
  if (!authority) return authority;
  const Verdict verdict = core_.check(now_, *authority, path, operation);
  if (verdict != Verdict::allowed) {
    return tl::unexpected(answer(denied_reply(context_, verdict, /*token_shown=*/true)));
  }
  return authority;
}

Router::Answer Router::storage(std::string_view raw) {
  auto path = space_path(raw);
  if (!path) return error(path.error().code == Errc::limit ? 414 : 400, path.error().detail);
  const bool known = is_read() || request_.method == "PUT" || request_.method == "DELETE";
  if (!known)
    return answer(
        method_not_allowed(context_, path->is_folder() ? kFolderMethods : kDocumentMethods));
  auto authority = authorise(*path, is_read() ? Operation::read : Operation::write);
  if (!authority) return std::move(authority.error());
  if (path->is_folder()) return folder(std::move(*path), std::move(*authority));
  return document(std::move(*path), std::move(*authority));
}

Router::Answer Router::folder(StoragePath path, Authority authority) {
  if (!is_read()) return error(400, "Folders come and go with the documents in them.");
  auto conditions = read_conditions(request_);
  if (!conditions) return error(400, conditions.error().detail);
  return std::make_unique<FolderGet>(core_, context_, std::move(authority), std::move(path),
                                     std::move(*conditions));
}

Router::Answer Router::document(StoragePath path, Authority authority) {
  auto conditions = read_conditions(request_);
  if (!conditions) return error(400, conditions.error().detail);
  if (request_.method == "PUT") {
    if (request_.header("Content-Range"))
      return error(400, "A document is stored whole, not in ranges.");
    const auto coding = request_.header("Content-Encoding");
    if (coding && !equal_ignoring_case(*coding, "identity")) {
      return error(415, "Documents are stored without a content coding.");
    }
    if (is_reserved_name(path))
      return error(409, "This name is taken by a folder of the space itself.");
    return std::make_unique<DocumentPut>(core_, now_, context_, std::move(authority),
                                         std::move(path), std::move(*conditions), request_);
  }
  if (is_reserved_name(path)) return error(404, "There is no such document.");
  if (request_.method == "DELETE") {
    return std::make_unique<DocumentDelete>(core_, context_, std::move(authority), std::move(path),
                                            std::move(*conditions));
  }
  return std::make_unique<DocumentGet>(core_, context_, std::move(authority), std::move(path),
                                       std::move(*conditions), request_);
}

Router::Answer Router::events(std::string_view raw) {
  if (request_.method != "GET") return answer(method_not_allowed(context_, "GET, OPTIONS"));
  auto path = space_path(raw);
  if (!path) return error(path.error().code == Errc::limit ? 414 : 400, path.error().detail);
  if (!path->is_folder())
    return error(400, "Changes are told of a folder: end the address with a slash.");
  // Of the root any live token hears what its scopes cover: each change is checked.
  auto authority = path->is_root() ? authorise_token() : authorise(*path, Operation::read);
  if (!authority) return std::move(authority.error());
  return begin_events(core_, context_, std::move(*authority), std::move(*path), now_, request_);
}

Router::Answer Router::quota() {
  if (!is_read()) return answer(method_not_allowed(context_, kFolderMethods));
  auto authority = authorise_token();
  if (!authority) return std::move(authority.error());
  return std::make_unique<QuotaGet>(core_, context_, only_module(*authority->capability()));
}

Router::Answer Router::token_endpoint() {
  if (request_.method == "OPTIONS") return answer(preflight_reply(request_, "POST"));
  if (request_.method != "POST") return answer(method_not_allowed(context_, "POST, OPTIONS"));
  return std::make_unique<TokenExchange>(core_, context_, request_);
}

}  // namespace meshstow::http
