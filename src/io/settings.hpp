// io/settings.hpp: what the home's own `config` says. Flags override it.
//
//   [meshstow]     name, quota (10G), history_days, history_versions, http, tcp_listen,
//   tcp_connect,
//                  reticulum, announces
//   [interfaces]   as in Reticulum's config
//   [peers]        name = destination hash, for `--at name`
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/mesh_options.hpp"
#include "reticulum/identity.hpp"
#include "storage/remote_storage.hpp"

namespace meshstow::io {

struct Settings {
  std::string name;
  std::optional<std::uint64_t> quota;
  storage::HistoryPolicy history;
  std::string http = "localhost:8181";  // or "off"
  MeshOptions mesh;
  std::map<std::string, reticulum::DestinationHash> peers;
  std::vector<std::string> warnings;
};

// The error says which line is wrong, and how.
[[nodiscard]] tl::expected<Settings, std::string> read_settings(std::string_view config_text);
// The config of a new home, and what `meshstow --exampleconfig` prints.
std::string example_config(std::string_view name);

[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);  // "500M", "10G", "1048576"

}  // namespace meshstow::io
