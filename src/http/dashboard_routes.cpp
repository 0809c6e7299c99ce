// The routes that the user's browser uses: sign-in, dashboard, its API, the app launcher.
#include "codec/content_type.hpp"
#include "codec/hex.hpp"
#include "http/app_files.hpp"
#include "http/assets.hpp"
#include "http/dashboard_api.hpp"
#include "http/documents.hpp"
#include "http/json_text.hpp"
#include "http/oauth.hpp"
#include "http/pages.hpp"
#include "http/replies.hpp"
#include "http/router.hpp"

namespace meshstow::http {
namespace {

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string_view cookie_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::string_view pair = trim(header.substr(0, header.find(';')));
    header.remove_prefix(std::min(header.size(), header.find(';') == std::string_view::npos
                                                     ? header.size()
                                                     : header.find(';') + 1));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name)
      return pair.substr(equals + 1);
  }
  return {};
}

}  // namespace

std::string cookie_name(const Endpoint& endpoint) {
  return "meshstow_" + std::to_string(endpoint.port);
}

std::string Router::session_cookie() const {
  const std::string name = cookie_name(core_.config.endpoints[context_.endpoint]);
  for (const HeaderField& field : request_.headers) {
    if (!equal_ignoring_case(field.name, "Cookie")) continue;
    const std::string_view value = cookie_value(field.value, name);
    if (core_.sessions.find(now_, value)) return std::string(value);
  }
  return {};
}

bool Router::comes_from_our_page() const {
  if (const auto site = request_.header("Sec-Fetch-Site");
      site && *site != "same-origin" && *site != "none") {
    return false;
  }
  const std::string ours = core_.config.endpoints[context_.endpoint].origin_of(context_.host);
  return context_.origin.empty() || context_.origin == ours;
}

Router::Answer Router::route_user_side(std::string_view path) {
  if (path == "/" || path == "/dashboard") {
    if (!is_read()) return answer(method_not_allowed(context_, "GET, HEAD"));
    return answer(redirect_reply(303, "/dashboard/"));
  }
  if (path == "/signin") return sign_in();
  for (const auto& [prefix, handler] :
       {std::pair<std::string_view, Answer (Router::*)(std::string_view)>{"/dashboard/",
                                                                          &Router::dashboard},
        {"/api/", &Router::api},
        {"/apps/", &Router::app_files}}) {
    if (path.starts_with(prefix)) return (this->*handler)(path.substr(prefix.size()));
  }
  if (path == "/favicon.ico") return dashboard("icon.svg");
  context_.cors = true;
  return error(404, "There is nothing at this address.");
}

Router::Answer Router::sign_in() {
  if (request_.method == "POST") {
    if (!comes_from_our_page()) return error(403, "This form is sent from our own page.");
    return std::make_unique<PassphraseSignIn>(core_, context_, request_);
  }
  if (request_.method != "GET") return answer(method_not_allowed(context_, "GET, POST"));
  const auto form = parse_form(target_.query);
  const std::string secret = form ? form_value(*form, "token").value_or("") : "";
  if (!core_.sessions.spend_link(now_, secret)) {
    // Whoever is signed in and follows an old link gets where it led.
    if (!session_cookie().empty()) return answer(redirect_reply(303, "/dashboard/"));
    return answer(
        sign_in_page(core_, context_, "/dashboard/",
                     secret.empty() ? "" : "This sign-in link was used before, or is too old."));
  }
  std::vector<storage::Operation> writes;
  Reply done;
  open_session(core_, context_, now_, writes, done, "/dashboard/");
  return std::make_unique<RecordWrites>(context_, std::move(writes), std::move(done));
}

Router::Answer Router::dashboard(std::string_view file) {
  if (!is_read()) return answer(method_not_allowed(context_, "GET, HEAD"));
  if (file.empty()) {
    if (session_cookie().empty()) return answer(sign_in_page(core_, context_, "/dashboard/", ""));
    return answer(page_reply(core_, context_, 200, std::string(find_asset("index.html")->bytes)));
  }
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
  const std::string cookie = session_cookie();
  if (rest == "session" && is_read()) {
    return answer(json_reply(context_, 200,
                             cookie.empty() ? "{\"signed_in\":false}" : "{\"signed_in\":true}"));
  }
  const auto session = core_.sessions.find(now_, cookie);
  if (!session) return error(403, "Sign in first.");
  if (!is_read()) {
    const auto csrf = request_.header("X-CSRF-Token");
    if (!comes_from_our_page() || !csrf || !csrf_matches(cookie, *csrf)) {
      return error(403, "This call is made by our own page.");
    }
  }
  constexpr std::string_view kFiles = "files/";
  if (rest.starts_with(kFiles)) return api_files(rest.substr(kFiles.size() - 1), *session);
  if (!is_read()) return api_write(rest, *session);
  if (rest == "state") return std::make_unique<StateGet>(core_, context_, csrf_token(cookie));
  if (rest == "events" && request_.method == "GET") {
    if (core_.live.full()) return error(503, "There are too many event streams.");
    return std::make_unique<EventStream>(core_, context_, Authority::of_session(*session),
                                         StoragePath::root(), now_,
                                         request_.header("Last-Event-ID").value_or(""));
  }
  return error(404, "There is nothing at this address.");
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
  const Reply done = json_reply(context_, 200, "{}");
  if (rest == "tokens" && request_.method == "POST") {
    return std::make_unique<TokenCreate>(core_, context_, request_);
  }
  if (rest == "signout" && request_.method == "POST") {
    storage::RemoveRecord remove{core_.sessions.close(session)};
    Reply gone = done;
    gone.head.headers.add("Set-Cookie", cookie_name(core_.config.endpoints[context_.endpoint]) +
                                            "=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    return std::make_unique<RecordWrites>(
        context_, std::vector<storage::Operation>{std::move(remove)}, std::move(gone));
  }
  constexpr std::string_view kTokens = "tokens/";
  if (rest.starts_with(kTokens) && request_.method == "DELETE") {
    const auto id = codec::fixed_from_hex<8>(rest.substr(kTokens.size()));
    if (!id) return error(404, "There is no such token.");
    auto record = core_.tokens.revoke(*id);
    if (!record) return error(404, "There is no such token.");
    core_.control.revoke(*id);
    storage::PutRecord put{std::move(record->key), std::move(record->value)};
    return std::make_unique<RecordWrites>(context_, std::vector<storage::Operation>{std::move(put)},
                                          done);
  }
  constexpr std::string_view kApps = "apps/";
  if (rest.starts_with(kApps) && request_.method == "DELETE") {
    const auto app = core_.apps.find(std::string(rest.substr(kApps.size())));
    if (app == core_.apps.end()) return error(404, "There is no such app.");
    std::vector<storage::Operation> writes;
    for (Bytes& key : app_record_keys(app->second))
      writes.push_back(storage::RemoveRecord{std::move(key)});
    core_.apps.erase(app);
    return std::make_unique<RecordWrites>(context_, std::move(writes), done);
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
