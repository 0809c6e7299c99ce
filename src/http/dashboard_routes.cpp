// The routes that the user's browser uses: sign-in, dashboard, its API, the app launcher.
#include "codec/content_type.hpp"
#include "codec/hex.hpp"
#include "crypto/hash.hpp"
#include "http/app_files.hpp"
#include "http/assets.hpp"
#include "http/dashboard_api.hpp"
#include "http/documents.hpp"
#include "http/json_text.hpp"
#include "http/oauth.hpp"
#include "http/replies.hpp"
#include "http/router.hpp"
#include "http/sign_in.hpp"

namespace meshstow::http {
bool Router::comes_from_our_page() const {
  if (const auto site = request_.header("Sec-Fetch-Site");
      site && *site != "same-origin" && *site != "none") {
    return false;
  }
  return context_.origin.empty() || context_.origin == context_.asked;
}

// Nobody reads the body of a call that takes none; so that nothing comes with it unsigned, there
// must be none.
bool Router::is_of_no_body(const std::optional<Hash32>& signed_body) const {
  if (!signed_body) return true;
  const bool comes_alone = !request_.has_body || request_.content_length == 0U;
  return comes_alone && *signed_body == crypto::sha256(ByteView());
}

tl::expected<SessionId, Router::Answer> Router::authorise_session(Takes takes) {
  const auto header = request_.header(kProofHeader);
  if (!header || !comes_from_our_page()) return tl::unexpected(error(403, "Sign in first."));
  SignedCalls::Proved proved;
  const std::string target = with_target({});
  const Call call{context_.asked, request_.method, target, takes == Takes::upload};
  switch (core_.calls.check(now_, core_.sessions, *header, call, proved)) {
    case SignedCalls::Proof::good: {
      if (takes == Takes::no_body && !is_of_no_body(proved.body)) break;
      context_.signed_body = proved.body;
      holder_ = base::Holder::owner();
      return proved.session;
    }
    case SignedCalls::Proof::none: break;
    case SignedCalls::Proof::stale: {
      Reply again = error_reply(context_, 401, "Sign this call with the nonce of now.");
      again.head.headers.add(kNonceHeader, core_.calls.nonce(now_));
      return tl::unexpected(answer(std::move(again)));
    }
  }
  return tl::unexpected(error(403, "Sign in first."));
}

Router::Answer Router::route_user_side(std::string_view path) {
  if (path == "/" || path == "/dashboard") {
    if (!is_read()) return answer(method_not_allowed(context_, "GET, HEAD"));
    return answer(redirect_reply(303, "/dashboard/"));
  }
  if (path == "/signin") return sign_in();
  if (path == "/oauth/" + core_.config.account) return consent();
  if (path == "/dashboard/") return shell(/*fresh=*/false);
  for (const auto& [prefix, handler] :
       {std::pair<std::string_view, Answer (Router::*)(std::string_view)>{"/dashboard/",
                                                                          &Router::asset},
        {"/api/", &Router::api},
        {"/apps/", &Router::app_files}}) {
    if (path.starts_with(prefix)) return (this->*handler)(path.substr(prefix.size()));
  }
  if (path == "/favicon.ico") return asset("icon.svg");
  context_.cors = true;
  return error(404, "There is nothing at this address.");
}

Router::Answer Router::sign_in() {
  if (request_.method != "POST") return shell(/*fresh=*/true);
  if (!comes_from_our_page()) return error(403, "This form is sent from our own page.");
  return std::make_unique<SignIn>(core_, context_, request_);
}

Router::Answer Router::consent() {
  if (is_read()) return answer(consent_page(core_, context_, target_.query));
  if (request_.method != "POST") return answer(method_not_allowed(context_, "GET, HEAD, POST"));
  auto session = authorise_session(Takes::small_body);
  if (!session) return std::move(session.error());
  return std::make_unique<ConsentAnswer>(core_, context_, request_);
}

// The page of the dashboard, without anything in it. `fresh`: what somebody who held our port
// before had the browser keep must not take the place of what comes next.
Router::Answer Router::shell(bool fresh) {
  if (!is_read()) return answer(method_not_allowed(context_, "GET, HEAD"));
  Reply reply = page_reply(context_, 200, std::string(find_asset("index.html")->bytes));
  // Browsers take it from secure origins; this machine's is one.
  const bool secure = core_.config.endpoints[context_.endpoint].secure || !context_.proxied;
  if (fresh && secure) reply.head.headers.add("Clear-Site-Data", "\"cache\"");
  return answer(std::move(reply));
}

Router::Answer Router::asset(std::string_view file) {
  if (!is_read()) return answer(method_not_allowed(context_, "GET, HEAD"));
  const Asset* asset = find_asset(file);
  // Pages are served through their routes alone, filled in and with their headers.
  if (asset == nullptr || file.ends_with(".html"))
    return error(404, "There is nothing at this address.");
  const storage::ETag tag{std::string(asset->tag)};
  Reply reply;
  HeaderBlock& headers = reply.head.headers;
  headers.add("ETag", tag.quoted());
  headers.add("Cache-Control", "no-cache");
  headers.add("Cross-Origin-Resource-Policy", "same-origin");
  headers.add("Service-Worker-Allowed", "/");  // of worker.js, whatever place it takes
  if (has_already(request_, tag)) {
    reply.head.status = 304;
    reply.head.framing = Framing::none;
    return answer(std::move(reply));
  }
  headers.add("Content-Type", codec::content_type_of_ending(file));
  headers.add("Content-Security-Policy",
              "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  headers.add("X-Content-Type-Options", "nosniff");
  reply.body = asset->bytes;
  return answer(std::move(reply));
}

Router::Answer Router::api(std::string_view rest) {
  const bool asks_who = rest == "session" && is_read();
  if (asks_who && !request_.header(kProofHeader)) {
    return answer(session_reply(core_, context_, now_, /*signed_in=*/false));
  }
  constexpr std::string_view kFiles = "files/";
  Takes takes = Takes::no_body;
  if (rest == "tokens" && request_.method == "POST") takes = Takes::small_body;
  if (rest.starts_with(kFiles) && request_.method == "PUT") takes = Takes::upload;
  auto session = authorise_session(takes);
  if (!session) return std::move(session.error());
  if (asks_who) return answer(session_reply(core_, context_, now_, /*signed_in=*/true));
  if (rest.starts_with(kFiles)) return api_files(rest.substr(kFiles.size() - 1), *session);
  if (!is_read()) return api_write(rest, *session);
  if (rest == "state") return std::make_unique<StateGet>(core_, context_);
  if (rest == "events" && request_.method == "GET") {
    return begin_events(core_, context_, Authority::of_session(*session), StoragePath::root(), now_,
                        request_);
  }
  return error(404, "There is nothing at this address.");
}

Router::Answer Router::make_download(std::string_view raw, const SessionId& session) {
  auto path = space_path(raw);
  if (!path) return error(path.error().code == Errc::limit ? 414 : 400, path.error().detail);
  if (path->is_folder()) return error(400, "A folder cannot be downloaded.");
  const Endpoint& endpoint = core_.config.endpoints[context_.endpoint];
  const std::string origin = endpoint.dashboard.empty() ? context_.asked : endpoint.origin();
  const std::string ticket = core_.downloads.add(now_, core_.rng, {session, std::move(*path)});
  const std::string url = origin + std::string(kDownloads) + ticket;
  return answer(json_reply(context_, 200, "{\"url\":" + json_string(url) + "}"));
}

Router::Answer Router::download(std::string_view ticket) {
  if (request_.method != "GET") return answer(method_not_allowed(context_, "GET"));
  context_.cors = false;
  auto found = core_.downloads.spend(now_, ticket);
  if (!found || !core_.sessions.is_open(now_, found->session)) {
    return error(403, "This download was begun before, or is too old. Go back and try again.");
  }
  context_.attachment = true;
  holder_ = base::Holder::owner();
  return document(std::move(found->path), Authority::of_session(found->session));
}

Router::Answer Router::api_files(std::string_view raw, const SessionId& session) {
  auto path = space_path(raw);
  if (!path) return error(path.error().code == Errc::limit ? 414 : 400, path.error().detail);
  if (!is_read() && request_.method != "PUT" && request_.method != "DELETE") {
    return answer(method_not_allowed(context_, "GET, HEAD, PUT, DELETE"));
  }
  context_.attachment = true;
  Authority authority = Authority::of_session(session);
  if (path->is_folder()) return folder(std::move(*path), std::move(authority));
  return document(std::move(*path), std::move(authority));
}

Router::Answer Router::api_write(std::string_view rest, const SessionId& session) {
  if (rest == "tokens" && request_.method == "POST") {
    return std::make_unique<TokenCreate>(core_, context_, request_);
  }
  if (rest == "signout" && request_.method == "POST") {
    return std::make_unique<RecordRemoval>(
        context_, std::vector<Bytes>{Sessions::record_key(session)},
        [core = &core_, session] { core->sessions.close(session); });
  }
  constexpr std::string_view kDownload = "download/";
  if (rest.starts_with(kDownload) && request_.method == "POST") {
    return make_download(rest.substr(kDownload.size() - 1), session);
  }
  constexpr std::string_view kTokens = "tokens/";
  if (rest.starts_with(kTokens) && request_.method == "DELETE") {
    const auto id = codec::fixed_from_hex<8>(rest.substr(kTokens.size()));
    if (!id || !core_.tokens.knows(*id)) return error(404, "There is no such token.");
    auto revocation = core_.revoker.begin(now_, *id);
    if (!revocation) return error(503, revocation.error().detail);
    return std::make_unique<TokenRevoke>(context_, std::move(*revocation));
  }
  constexpr std::string_view kApps = "apps/";
  if (rest.starts_with(kApps) && request_.method == "DELETE") {
    const auto app = core_.apps.find(std::string(rest.substr(kApps.size())));
    if (app == core_.apps.end()) return error(404, "There is no such app.");
    return std::make_unique<RecordRemoval>(
        context_, app_record_keys(app->second),
        [core = &core_, name = app->first] { core->apps.erase(name); });
  }
  return error(404, "There is nothing at this address.");
}

Router::Answer Router::app_files(std::string_view rest) {
  const std::size_t slash = rest.find('/');
  const std::string name(rest.substr(0, slash));
  if (!is_app_name(name)) return error(404, "There is no such app.");
  if (slash == std::string_view::npos) {
    const std::string query = target_.query.empty() ? "" : "?" + std::string(target_.query);
    return answer(redirect_reply(302, "/apps/" + name + "/" + query));
  }
  return begin_app_file(core_, context_, request_, name, rest.substr(slash), /*own_origin=*/false);
}

}  // namespace meshstow::http
