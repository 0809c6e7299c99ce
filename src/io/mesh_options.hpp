// io/mesh_options.hpp: which interfaces a node opens, as the flags and the config files say it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace meshstow::io {

struct Address {
  std::string host;  // a name or a number; empty (listening only): every address of this machine
  std::uint16_t port = 0;
  friend bool operator==(const Address&, const Address&) = default;
};
// "host:port", "[v6]:port", ":port". Errc::malformed.
[[nodiscard]] Result<Address> parse_address(std::string_view host_and_port);
std::string to_text(const Address& address);

// One [[name]] of an [interfaces] section, of a kind that we have.
struct InterfaceConfig {
  std::string name;
  bool listens = false;  // else it connects
  Address address;
  std::string kind = listens ? "TCPServerInterface" : "TCPInterface";  // as rnstatus calls it
};
// "TCPInterface[name/host:port]", as rnstatus shows it.
std::string to_text(const InterfaceConfig& config);

struct MeshOptions {
  std::vector<Address> tcp_listen;  // port 0: any free one, see NodeHost::listening()
  std::vector<Address> tcp_connect;
  // "off", a config directory, or empty: found as RNS finds it.
  std::string reticulum;
  bool announces = true;
  std::vector<InterfaceConfig> interfaces = {};  // of the home's own config
};

}  // namespace meshstow::io
