// http/origin.hpp: host names, origins and redirect addresses (RFC 6454, RFC 3986).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace meshstow::http {

// One listening address and the names that it answers to. Host headers with any other name get 421:
// a page of another site whose name was pointed at us (DNS rebinding) must not read our answers.
struct Endpoint {
  bool secure = false;
  std::uint16_t port = 0;
  std::string host;                      // where the dialog and the dashboard are: "localhost"
  std::vector<std::string> names;        // others: "127.0.0.1", "[::1]"; lower case
  std::string app_suffix = "localhost";  // apps are at NAME.localhost

  [[nodiscard]] std::string origin() const;  // "http://localhost:8181"
  [[nodiscard]] std::string origin_of(std::string_view name) const;
  [[nodiscard]] std::string app_origin(
      std::string_view app) const;              // "http://notes.localhost:8181"
  [[nodiscard]] std::string authority() const;  // "localhost:8181"
};

struct HostMatch {
  enum class Kind { main, app, foreign } kind = Kind::foreign;
  std::string name;  // main: the name as it was asked; app: NAME of "NAME.localhost"
};
HostMatch match_host(const Endpoint& endpoint, std::string_view host_header);

struct RedirectAddress {
  std::string text;      // as given
  std::string origin;    // scheme://host[:port] as browsers write it: this is shown to the user
  std::string location;  // the same address, but beginning with `origin`: this is redirected to
  bool has_query = false;
};
// http or https, absolute, without user name and fragment. The host is a plain name (letters,
// digits, "-", ".", "_"), an IPv4 address of four decimal numbers or a bracketed IPv6 address:
// whatever a browser could take for another host than the one shown is refused.
[[nodiscard]] Result<RedirectAddress> parse_redirect_address(std::string_view text);

// scheme://host:port of an absolute http(s) URL; nullopt otherwise.
std::optional<std::string> origin_of_url(std::string_view url);

}  // namespace meshstow::http
