#include "io/mesh_options.hpp"

#include <charconv>

namespace meshstow::io {

Result<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(Errc::malformed, "an address is HOST:PORT; there is no port");
  }
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return fail(Errc::malformed, "the port of an address is a number from 0 to 65535");
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) {
      return fail(Errc::malformed, "only an IPv6 address stands in brackets");
    }
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return fail(Errc::malformed, "an IPv6 address stands in brackets: [::1]:4242");
  }
  if (host.size() > 255 || host.find_first_of(" \t\r\n/@\0", 0, 7) != std::string_view::npos) {
    return fail(Errc::malformed, "this is no host name");
  }
  return Address{std::string(host), port};
}

std::string to_text(const Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

std::string to_text(const InterfaceConfig& config) {
  Address shown = config.address;
  if (shown.host.empty() || shown.host == "*") shown.host = "0.0.0.0";
  return config.kind + '[' + config.name + '/' + to_text(shown) + ']';
}

}  // namespace meshstow::io
