#include "http/origin.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

#include "base/limits.hpp"

namespace meshstow::http {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::uint16_t default_port(bool secure) { return secure ? 443 : 80; }

std::string_view view(boost::urls::string_view text) { return {text.data(), text.size()}; }

struct HostAndPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

std::optional<HostAndPort> split_host(std::string_view text) {
  HostAndPort out;
  std::size_t end = text.size();
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
    out.port = port;
    end = colon;
  }
  out.host = lower(text.substr(0, end));
  if (out.host.empty()) return std::nullopt;
  return out;
}

std::string make_origin(std::string_view scheme, std::string_view host, std::string_view port) {
  std::string out = lower(scheme) + "://" + lower(host);
  const bool is_default =
      port.empty() || (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
  if (!is_default) out += ":" + std::string(port);
  return out;
}

}  // namespace

std::string Endpoint::origin_of(std::string_view name) const {
  std::string out = (secure ? "https://" : "http://") + std::string(name);
  if (port != default_port(secure)) out += ":" + std::to_string(port);
  return out;
}

std::string Endpoint::origin() const { return origin_of(host); }

std::string Endpoint::app_origin(std::string_view app) const {
  return origin_of(std::string(app) + "." + app_suffix);
}

std::string Endpoint::authority() const {
  return port == default_port(secure) ? host : host + ":" + std::to_string(port);
}

HostMatch match_host(const Endpoint& endpoint, std::string_view host_header) {
  const auto asked = split_host(host_header);
  if (!asked || asked->port.value_or(default_port(endpoint.secure)) != endpoint.port) return {};
  if (asked->host == endpoint.host || std::find(endpoint.names.begin(), endpoint.names.end(),
                                                asked->host) != endpoint.names.end()) {
    return {HostMatch::Kind::main, asked->host};
  }
  const std::string suffix = "." + endpoint.app_suffix;
  if (asked->host.size() > suffix.size() && asked->host.ends_with(suffix)) {
    std::string name = asked->host.substr(0, asked->host.size() - suffix.size());
    if (name.find('.') == std::string::npos) return {HostMatch::Kind::app, std::move(name)};
  }
  return {};
}

Result<RedirectAddress> parse_redirect_address(std::string_view text) {
  if (text.size() > limits::kRedirectAddress)
    return fail(Errc::limit, "the redirect address is too long");
  const auto parsed = boost::urls::parse_uri(boost::urls::string_view(text.data(), text.size()));
  if (!parsed) return fail(Errc::malformed, "the redirect address is no absolute URL");
  const std::string scheme = lower(view(parsed->scheme()));
  if (scheme != "http" && scheme != "https") {
    return fail(Errc::malformed, "the redirect address is neither http nor https");
  }
  if (!parsed->has_authority() || parsed->encoded_host().empty()) {
    return fail(Errc::malformed, "the redirect address has no host");
  }
  if (parsed->has_userinfo())
    return fail(Errc::malformed, "the redirect address holds a user name");
  if (parsed->has_fragment()) return fail(Errc::malformed, "the redirect address holds a fragment");
  RedirectAddress out;
  out.text = text;
  out.host = lower(view(parsed->encoded_host()));
  out.origin = make_origin(scheme, out.host, view(parsed->port()));
  out.has_query = parsed->has_query();
  return out;
}

std::optional<std::string> origin_of_url(std::string_view url) {
  const auto parsed = boost::urls::parse_uri(boost::urls::string_view(url.data(), url.size()));
  if (!parsed || !parsed->has_authority() || parsed->encoded_host().empty()) return std::nullopt;
  const std::string scheme = lower(view(parsed->scheme()));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  return make_origin(scheme, view(parsed->encoded_host()), view(parsed->port()));
}

}  // namespace meshstow::http
