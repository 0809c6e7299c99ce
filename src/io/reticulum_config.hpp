// io/reticulum_config.hpp: what the user's Reticulum config says about interfaces. Read, never
// written. Source: facts/reticulum.md 13, 14.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "codec/config.hpp"
#include "io/interfaces.hpp"

namespace meshstow::io {

struct ReticulumSetup {
  std::filesystem::path file;  // empty: there is no config, and no interface is to be opened
  bool share_instance = true;
  SharedInstance instance;
  std::vector<InterfaceConfig> interfaces;
  std::vector<std::string> warnings;  // interfaces that were skipped, and why

  // Whether the programs of this machine share one instance, that has the interfaces for all.
  [[nodiscard]] bool shares() const { return share_instance && !file.empty(); }
};

// First of /etc/reticulum, <user home>/.config/reticulum, <user home>/.reticulum that holds
// `config`.
[[nodiscard]] std::optional<std::filesystem::path> find_reticulum_config(
    const std::filesystem::path& user_home, const std::filesystem::path& system = "/etc/reticulum");

// `choice` as MeshOptions::reticulum. The error names the file and the line.
[[nodiscard]] tl::expected<ReticulumSetup, std::string> read_reticulum_setup(
    const std::string& choice);

// The enabled [[interfaces]] of a config that we support; a warning for each that we do not.
[[nodiscard]] std::vector<InterfaceConfig> read_interfaces(const codec::ConfigSection& interfaces,
                                                           std::vector<std::string>& warnings);

}  // namespace meshstow::io
