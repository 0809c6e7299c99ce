#include "http/router.hpp"

#include "base/limits.hpp"
#include "http/app_files.hpp"
#include "http/cors.hpp"
#include "http/replies.hpp"
#include "http/webfinger.hpp"

namespace meshstow::http {
namespace {

bool is_app_side(std::string_view path, std::string_view account) {
  return path.starts_with("/storage/") || path == "/storage" || path.starts_with("/.well-known/") ||
         path.starts_with("/events/") || path.starts_with("/quota/") ||
         path.starts_with(kDownloads) || path == "/oauth/" + std::string(account) + "/token";
}

bool is_dashboard_side(std::string_view path, std::string_view account) {
  return path == "/" || path == "/dashboard" || path == "/signin" || path == "/favicon.ico" ||
         path.starts_with("/dashboard/") || path.starts_with("/api/") ||
         path == "/oauth/" + std::string(account);
}

}  // namespace

Router::Router(Core& core, Now now, const Request& request)
    : core_(core), now_(now), request_(request) {
  context_.is_head = request.method == "HEAD";
  context_.cors = true;
  context_.peer = request.peer;
  context_.endpoint = request.endpoint;
  if (const auto origin = request.header("Origin")) context_.origin = *origin;
}

Router::Answer Router::answer(Reply reply) const {
  return std::make_unique<ImmediateExchange>(std::move(reply), context_.is_head);
}

Router::Answer Router::error(int status, std::string_view message) const {
  return answer(error_reply(context_, status, message));
}

Router::Answer Router::route() {
  if (request_.target.size() > limits::kHttpTarget) return error(414, "The address is too long.");
  const auto target = split_target(request_.target);
  if (!target) return error(400, target.error().detail);
  target_ = *target;
  if (const auto expect = request_.header("Expect");
      expect && !equal_ignoring_case(*expect, "100-continue")) {
    return error(417, "This expectation is not known.");
  }
  if (target_.path == "*") return answer(preflight_reply(request_, "GET, HEAD, PUT, DELETE"));

  const HostMatch host = match_request();
  context_.asked = host.origin;
  context_.at_store = host.kind == HostMatch::Kind::store;
  context_.user_side = host.kind == HostMatch::Kind::dashboard;
  if (host.kind == HostMatch::Kind::foreign) {
    return error(
        421,
        "This server does not answer to that host name. If a proxy or tunnel passes it on: "
        "`serve --public-url URL` makes it known, URL being what browsers use.");
  }
  if (host.kind == HostMatch::Kind::app) {
    context_.cors = false;
    return begin_app_file(core_, context_, request_, host.name, target_.path, /*own_origin=*/true);
  }
  // Whoever held this port while we were away may have left a worker in our origin, which sees all
  // that its pages ask for. Browsers look for a newer one: this one goes, and takes it along.
  if (request_.header("Service-Worker")) return asset("worker.js");
  switch (host.kind) {
    case HostMatch::Kind::storage:
    case HostMatch::Kind::store: return route_storage_host();
    case HostMatch::Kind::dashboard: return route_dashboard_host();
    default: break;
  }
  if (is_app_side(target_.path, core_.config.account)) return route_app_side(target_.path);
  context_.cors = false;
  return route_user_side(target_.path);
}

// A name of the public address, which a proxy passes on, or one of the listener's.
HostMatch Router::match_request() {
  const std::string_view asked = request_.header("Host").value_or("");
  const auto& endpoints = core_.config.endpoints;
  if (const auto index = core_.config.public_endpoint) {
    HostMatch host = match_host(endpoints[*index], asked);
    if (host.kind != HostMatch::Kind::foreign) {
      context_.endpoint = *index;
      context_.proxied = true;
      return host;
    }
  }
  return match_host(endpoints[request_.endpoint], asked);
}

std::string Router::with_target(std::string origin) const {
  origin += target_.path;
  if (!target_.query.empty()) (origin += '?') += target_.query;
  return origin;
}

// Dashboard and consent are elsewhere.
Router::Answer Router::route_storage_host() {
  if (is_app_side(target_.path, core_.config.account)) return route_app_side(target_.path);
  if (target_.path.starts_with("/apps/")) {
    context_.cors = false;
    return app_files(target_.path.substr(6));
  }
  const Endpoint& endpoint = core_.config.endpoints[context_.endpoint];
  if (context_.at_store || !is_dashboard_side(target_.path, core_.config.account)) {
    return error(404, "There is nothing at this address.");
  }
  context_.cors = false;
  const std::string there = endpoint.dashboard_origin({});
  if (!is_read()) return error(421, "This is done at " + there + ".");
  return answer(redirect_reply(307, with_target(there)));
}

// Here no stored content is shown. Programs that know this address get it all the same: a browser
// that goes to an address sends no token along, so what is asked with one is asked by a script.
Router::Answer Router::route_dashboard_host() {
  const std::string_view path = target_.path;
  const Endpoint& endpoint = core_.config.endpoints[context_.endpoint];
  if (path.starts_with("/apps/")) {
    context_.cors = false;
    return answer(redirect_reply(307, with_target(endpoint.origin())));
  }
  if (!is_app_side(path, core_.config.account)) {
    context_.cors = false;
    return route_user_side(path);
  }
  const bool shows_token = !bearer_token(request_.header("Authorization").value_or("")).empty();
  const bool is_stored = path.starts_with("/storage/") || path.starts_with(kDownloads);
  if (!is_stored || shows_token || !is_read()) return route_app_side(path);
  Reply moved = redirect_reply(307, with_target(endpoint.origin()));
  add_cors(moved.head.headers, context_.origin);
  return answer(std::move(moved));
}

}  // namespace meshstow::http
