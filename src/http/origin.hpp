// http/origin.hpp: host names, origins and redirect addresses (RFC 6454, RFC 3986).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace meshstow::http {

// One address that browsers use, and the names that it answers to. Host headers with any other name
// get 421: a page of another site whose name was pointed at us (DNS rebinding) must not read our
// answers.
//
// Dashboard and consent are in another origin than stored documents, so that these share no storage
// of the browser with them: on loopback there are two names for one place. Where there is only one
// (`dashboard` is empty), both are in the same.
struct Endpoint {
  bool secure = false;
  std::uint16_t port = 0;
  std::string host;                      // of storage and WebFinger: "localhost"
  std::string dashboard;                 // of dashboard and consent: "127.0.0.1"
  std::vector<std::string> names;        // answered as `host` is: "[::1]"; lower case
  std::string app_suffix = "localhost";  // apps are at NAME.localhost

  [[nodiscard]] std::string origin() const;  // "http://localhost:8181"
  // Where a page goes that was reached under `asked`, an origin of this endpoint.
  [[nodiscard]] std::string dashboard_origin(std::string_view asked) const;
  [[nodiscard]] std::string origin_of(std::string_view name) const;
  [[nodiscard]] std::string app_origin(
      std::string_view app) const;              // "http://notes.localhost:8181"
  [[nodiscard]] std::string authority() const;  // "localhost:8181"
};

// A place beside the apps for storage and WebFinger: versions of app libraries refuse "localhost".
inline constexpr std::string_view kStoreName = "store";

struct HostMatch {
  enum class Kind {
    storage,     // documents, WebFinger, live changes
    store,       // the same at store.localhost
    dashboard,   // dashboard, consent, API
    everything,  // both in one origin
    app,
    foreign
  } kind = Kind::foreign;
  std::string name;    // app: NAME of "NAME.localhost"
  std::string origin;  // that was asked, as browsers write it
};
HostMatch match_host(const Endpoint& endpoint, std::string_view host_header);

// The endpoint that browsers see through a proxy: scheme, host and port, nothing else.
[[nodiscard]] Result<Endpoint> parse_public_url(std::string_view text);

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
// "localhost:8181" of an origin; with the port, also where browsers leave it out.
std::string authority_of_origin(std::string_view origin);

}  // namespace meshstow::http
