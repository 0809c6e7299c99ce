#include "http/router.hpp"

#include "base/limits.hpp"
#include "http/app_files.hpp"
#include "http/cors.hpp"
#include "http/replies.hpp"
#include "http/webfinger.hpp"

namespace meshstow::http {
namespace {

bool is_app_side(std::string_view path) {
  return path.starts_with("/storage/") || path == "/storage" || path.starts_with("/.well-known/") ||
         path.starts_with("/events/") || path.starts_with("/quota/");
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

  const HostMatch host =
      match_host(core_.config.endpoints[request_.endpoint], request_.header("Host").value_or(""));
  if (host.kind == HostMatch::Kind::foreign) {
    return error(421, "This server does not answer to that host name.");
  }
  if (host.kind == HostMatch::Kind::app) {
    context_.cors = false;
    return begin_app_file(core_, context_, request_, host.name, target_.path, /*own_origin=*/true);
  }
  context_.host = host.name;
  if (is_app_side(target_.path)) return route_app_side(target_.path);
  constexpr std::string_view kOauth = "/oauth/";
  if (target_.path.starts_with(kOauth)) return oauth(target_.path.substr(kOauth.size()));
  context_.cors = false;
  return route_user_side(target_.path);
}

}  // namespace meshstow::http
