#include "http/webfinger.hpp"

#include "http/json_text.hpp"
#include "http/replies.hpp"
#include "http/target.hpp"

namespace meshstow::http {
namespace {

// acct:me@HOST for any host that we answer to, or its root address: the space is the only one here.
bool names_the_account(const Core& core, const Context& context, std::string_view resource) {
  const Endpoint& endpoint = core.config.endpoints[context.endpoint];
  constexpr std::string_view kAcct = "acct:";
  if (resource.starts_with(kAcct)) {
    resource.remove_prefix(kAcct.size());
    const std::size_t at = resource.rfind('@');
    if (at == std::string_view::npos || resource.substr(0, at) != core.config.account) return false;
    const std::string_view host = resource.substr(at + 1);
    return match_host(endpoint, host).kind == HostMatch::Kind::main ||
           match_host(endpoint, std::string(host) + ":" + std::to_string(endpoint.port)).kind ==
               HostMatch::Kind::main;
  }
  const auto origin = origin_of_url(resource);
  if (!origin) return false;
  const std::size_t host = origin->find("://") + 3;
  std::string authority = origin->substr(host);
  if (authority.rfind(':') == std::string::npos || authority.ends_with(']')) {
    authority += origin->starts_with("https") ? ":443" : ":80";
  }
  return match_host(endpoint, authority).kind == HostMatch::Kind::main;
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
  const Endpoint& endpoint = core.config.endpoints[context.endpoint];
  const std::string& account = core.config.account;
  const std::string here = endpoint.origin_of(context.host);
  // Sessions belong to one host name. On this machine the dialog is always on that of the sign-in
  // links; a device of the LAN may know no other name of ours than the one it asked for.
  const std::string dialog = (endpoint.secure ? here : endpoint.origin()) + "/oauth/" + account;
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
