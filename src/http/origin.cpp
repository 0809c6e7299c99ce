#include "http/origin.hpp"

#include <algorithm>
#include <array>
#include <boost/url/ipv6_address.hpp>
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

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The port as a number; nullopt where it is none of TCP's.
std::optional<std::uint16_t> read_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  return port;
}

struct SplitAuthority {
  std::string_view host;
  std::optional<std::string_view> port;  // what stands behind the colon
};

// Takes all of `text`: a library that stops where a number ends would name another host.
SplitAuthority split_authority(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
    return {text, std::nullopt};
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

struct HostAndPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

std::optional<HostAndPort> split_host(std::string_view text) {
  const SplitAuthority split = split_authority(text);
  HostAndPort out;
  out.host = lower(split.host);
  if (out.host.empty()) return std::nullopt;
  if (split.port) {
    out.port = read_port(*split.port);
    if (!out.port) return std::nullopt;
  }
  return out;
}

std::optional<boost::urls::ipv6_address> read_ipv6(std::string_view host) {
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') return std::nullopt;
  host = host.substr(1, host.size() - 2);
  const auto parsed =
      boost::urls::parse_ipv6_address(boost::urls::string_view(host.data(), host.size()));
  if (!parsed) return std::nullopt;
  return *parsed;
}

// As browsers write it: the first of the longest runs of zeros is left out, nothing is dotted.
std::string ipv6_text(const boost::urls::ipv6_address& address) {
  const auto bytes = address.to_bytes();
  constexpr std::size_t kPieces = 8;
  const auto piece = [&](std::size_t i) { return (bytes[2 * i] << 8) | bytes[2 * i + 1]; };
  std::size_t gap = kPieces;
  std::size_t longest = 1;
  for (std::size_t i = 0; i < kPieces; ++i) {
    std::size_t run = 0;
    while (i + run < kPieces && piece(i + run) == 0) ++run;
    if (run > longest) {
      gap = i;
      longest = run;
    }
  }
  std::string out = "[";
  for (std::size_t i = 0; i < kPieces; ++i) {
    if (i == gap) {
      out += "::";
      i += longest - 1;
      continue;
    }
    if (i > 0 && !out.ends_with(':')) out += ':';
    std::array<char, 4> digits{};
    out.append(digits.data(),
               std::to_chars(digits.data(), digits.data() + digits.size(), piece(i), 16).ptr);
  }
  return out + "]";
}

// Four numbers, spelt in the one way that browsers keep.
bool is_plain_ipv4(std::string_view host) {
  int numbers = 0;
  while (!host.empty()) {
    const std::string_view number = host.substr(0, host.find('.'));
    std::uint8_t value = 0;
    const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || std::to_string(value) != number) return false;
    ++numbers;
    host.remove_prefix(std::min(host.size(), number.size() + 1));
  }
  return numbers == 4;
}

// Browsers take every host whose last label is a number for an IPv4 address: "1.2.3", "0x7f.1".
bool ends_in_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view last = host.substr(host.rfind('.') + 1);
  if (std::ranges::all_of(last, is_digit)) return !last.empty();
  return last.starts_with("0x") &&
         last.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

// The host of an origin as browsers spell it; nullopt for one that they could read otherwise.
std::optional<std::string> origin_host(std::string_view host) {
  if (const auto address = read_ipv6(host)) return ipv6_text(*address);
  const bool plain = std::ranges::all_of(
      host, [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_'; });
  if (!plain || host.empty() || host.front() == '.' || host.find("..") != std::string_view::npos) {
    return std::nullopt;
  }
  std::string out = lower(host);
  if (ends_in_number(out) && (out.ends_with('.') || !is_plain_ipv4(out))) return std::nullopt;
  return out;
}

struct HttpUrl {
  std::string origin;
  std::string_view rest;  // behind the authority: path, query, fragment
  bool has_query = false;
  bool has_fragment = false;
};

Result<HttpUrl> parse_http_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(boost::urls::string_view(text.data(), text.size()));
  if (!parsed) return fail(Errc::malformed, "it is no absolute URL");
  const std::string scheme = lower(view(parsed->scheme()));
  if (scheme != "http" && scheme != "https") {
    return fail(Errc::malformed, "it is neither http nor https");
  }
  std::string_view rest = text.substr(scheme.size());
  if (!rest.starts_with("://")) return fail(Errc::malformed, "it has no host");
  rest.remove_prefix(3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty()) return fail(Errc::malformed, "it has no host");
  if (authority.find('@') != std::string_view::npos) {
    return fail(Errc::malformed, "it holds a user name");
  }
  const SplitAuthority split = split_authority(authority);
  const auto host = origin_host(split.host);
  if (!host) return fail(Errc::malformed, "its host is not a plain name");
  HttpUrl out;
  out.origin = scheme + "://" + *host;
  if (split.port && !split.port->empty()) {
    const auto port = read_port(*split.port);
    if (!port) return fail(Errc::malformed, "its port does not exist");
    if (*port != default_port(scheme == "https")) out.origin += ":" + std::to_string(*port);
  }
  out.rest = rest.substr(authority.size());
  out.has_query = parsed->has_query();
  out.has_fragment = parsed->has_fragment();
  return out;
}

}  // namespace

std::string Endpoint::origin_of(std::string_view name) const {
  std::string out = (secure ? "https://" : "http://") + std::string(name);
  if (port != default_port(secure)) out += ":" + std::to_string(port);
  return out;
}

std::string Endpoint::origin() const { return origin_of(host); }

std::string Endpoint::dashboard_origin(std::string_view asked) const {
  if (!dashboard.empty()) return origin_of(dashboard);
  // A device of the LAN may know no other name of ours than the one that it asked for.
  return asked.empty() ? origin() : std::string(asked);
}

std::string Endpoint::app_origin(std::string_view app) const {
  return origin_of(std::string(app) + "." + app_suffix);
}

std::string Endpoint::authority() const {
  return port == default_port(secure) ? host : host + ":" + std::to_string(port);
}

HostMatch match_host(const Endpoint& endpoint, std::string_view host_header) {
  using Kind = HostMatch::Kind;
  const auto asked = split_host(host_header);
  if (!asked || asked->port.value_or(default_port(endpoint.secure)) != endpoint.port) return {};
  const std::string origin = endpoint.origin_of(asked->host);
  if (asked->host == endpoint.dashboard) return {Kind::dashboard, {}, origin};
  if (asked->host == endpoint.host || std::find(endpoint.names.begin(), endpoint.names.end(),
                                                asked->host) != endpoint.names.end()) {
    return {endpoint.dashboard.empty() ? Kind::everything : Kind::storage, {}, origin};
  }
  const std::string suffix = "." + endpoint.app_suffix;
  if (asked->host.size() > suffix.size() && asked->host.ends_with(suffix)) {
    std::string name = asked->host.substr(0, asked->host.size() - suffix.size());
    if (name == kStoreName) return {Kind::store, {}, origin};
    if (name.find('.') == std::string::npos) return {Kind::app, std::move(name), origin};
  }
  return {};
}

Result<Endpoint> parse_public_url(std::string_view text) {
  const auto url = parse_http_url(text);
  if (!url) return fail(url.error());
  if (url->has_query || url->has_fragment || (!url->rest.empty() && url->rest != "/")) {
    return fail(Errc::malformed, "it holds more than scheme, host and port");
  }
  Endpoint out;
  out.secure = url->origin.starts_with("https:");
  const std::string_view authority = std::string_view(url->origin).substr(out.secure ? 8 : 7);
  const SplitAuthority split = split_authority(authority);
  out.host = split.host;
  out.port = split.port ? read_port(*split.port).value_or(0) : default_port(out.secure);
  if (out.port == 0) return fail(Errc::malformed, "nothing can be reached at its port");
  const bool number = out.host.starts_with('[') || is_plain_ipv4(out.host);
  if (!number) out.app_suffix = out.host;
  return out;
}

Result<RedirectAddress> parse_redirect_address(std::string_view text) {
  if (text.size() > limits::kRedirectAddress) return fail(Errc::limit, "it is too long");
  const auto url = parse_http_url(text);
  if (!url) return fail(url.error());
  if (url->has_fragment) return fail(Errc::malformed, "it holds a fragment");
  return RedirectAddress{.text = std::string(text),
                         .origin = url->origin,
                         .location = url->origin + std::string(url->rest),
                         .has_query = url->has_query};
}

std::optional<std::string> origin_of_url(std::string_view url) {
  auto parsed = parse_http_url(url);
  if (!parsed) return std::nullopt;
  return std::move(parsed->origin);
}

std::string authority_of_origin(std::string_view origin) {
  const bool secure = origin.starts_with("https:");
  const SplitAuthority split = split_authority(origin.substr(origin.find("://") + 3));
  // A name with a dot behind it is the same place.
  std::string_view host = split.host;
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string port =
      split.port ? std::string(*split.port) : std::to_string(default_port(secure));
  return std::string(host) + ":" + port;
}

}  // namespace meshstow::http
