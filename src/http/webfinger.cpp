#include "http/webfinger.hpp"

#include "http/json_text.hpp"
#include "http/replies.hpp"
#include "http/target.hpp"

namespace meshstow::http {
namespace {

// A host that we answer to with storage.
bool is_ours(const Core& core, const Context& context, std::string_view authority) {
  const auto matches = [&](std::size_t endpoint) {
    const auto kind = match_host(core.config.endpoints[endpoint], authority).kind;
    return kind != HostMatch::Kind::foreign && kind != HostMatch::Kind::app;
  };
  return matches(context.endpoint) ||
         (core.config.public_endpoint && matches(*core.config.public_endpoint));
}

// acct:me@HOST for any host that we answer to, or its root address: the space is the only one here.
bool names_the_account(const Core& core, const Context& context, std::string_view resource) {
  const Endpoint& endpoint = core.config.endpoints[context.endpoint];
  constexpr std::string_view kAcct = "acct:";
  if (resource.starts_with(kAcct)) {
    resource.remove_prefix(kAcct.size());
    const std::size_t at = resource.rfind('@');
    if (at == std::string_view::npos || resource.substr(0, at) != core.config.account) return false;
    const std::string_view host = resource.substr(at + 1);
    return is_ours(core, context, host) ||
           is_ours(core, context, std::string(host) + ":" + std::to_string(endpoint.port));
  }
  const auto origin = origin_of_url(resource);
  return origin && is_ours(core, context, authority_of_origin(*origin));
}

std::string member(std::string_view name, const std::string& value) {
  return json_string(name) + ":" + value;
}

}  // namespace

Reply webfinger_reply(const Core& core, const Context& context, std::string_view query) {
  const auto form = parse_form(query);
  const auto resource = form ? form_value(*form, "resource") : std::nullopt;
  if (!resource) return error_reply(context, 400, "WebFinger needs a resource.");
  if (!names_the_account(core, context, *resource)) {
    return error_reply(context, 404, "There is no such account here.");
  }
  const Endpoint& endpoint = core.shown_endpoint(context.endpoint);
  const std::string& account = core.config.account;
  // Where one origin is for all, each name stands for itself: a device of the LAN may know no
  // other.
  const bool by_name = !context.at_store && !core.config.public_endpoint;
  const bool as_asked = context.at_store || (by_name && endpoint.dashboard.empty());
  const std::string here = as_asked ? context.asked : endpoint.origin();
  const std::string dialog =
      endpoint.dashboard_origin(by_name ? context.asked : "") + "/oauth/" + account;
  std::string json = "{\"subject\":" + json_string(*resource) + ",\"links\":[{";
  json += "\"rel\":\"http://tools.ietf.org/id/draft-dejong-remotestorage\",";
  json += member("href", json_string(here + "/storage/" + account)) + ",\"properties\":{";
  json += member("http://remotestorage.io/spec/version", json_string(kSpecVersion)) + ",";
  json += member("http://tools.ietf.org/html/rfc6749#section-4.2", json_string(dialog)) + ",";
  json += member("http://tools.ietf.org/html/rfc6749#section-3.1", json_string(dialog)) + ",";
  json += member("http://tools.ietf.org/html/rfc6749#section-3.2",
                 json_string(here + "/oauth/" + account + "/token")) +
          ",";
  json += member("http://tools.ietf.org/html/rfc7636", "\"S256\"") + ",";
  json += member("http://tools.ietf.org/html/rfc6750#section-2.3", "null") + ",";
  json += member("http://tools.ietf.org/html/rfc7233", "\"GET\"") + ",";
  json += member("http://remotestorage.io/spec/web-authoring", "null") + ",";
  json += member(kEventsProperty, json_string(here + "/events/" + account + "/")) + ",";
  json += member(kQuotaProperty, json_string(here + "/quota/" + account));
  json += "}}]}";
  Reply reply = json_reply(context, 200, std::move(json), "application/jrd+json");
  return reply;
}

}  // namespace meshstow::http
