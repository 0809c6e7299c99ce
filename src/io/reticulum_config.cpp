#include "io/reticulum_config.hpp"

#include <cstdlib>
#include <fstream>

#include "base/limits.hpp"
#include "io/file_system.hpp"

namespace meshstow::io {
namespace {

using codec::ConfigSection;

// A kind that we lack, or a setting without which the interface would be another one.
struct Skipped {
  std::string why;
};
using Read = tl::expected<InterfaceConfig, Skipped>;

std::string text_of(const ConfigSection& section, std::string_view key,
                    std::string_view other = {}) {
  auto found = section.text(key);
  if (!found && !other.empty()) found = section.text(other);
  return found.value_or("");
}

tl::expected<std::uint16_t, Skipped> port_of(const ConfigSection& section, std::string_view key,
                                             std::string_view other, bool may_be_zero) {
  auto port = section.integer(key);
  if (!port && !other.empty()) port = section.integer(other);
  if (!port || *port < (may_be_zero ? 0 : 1) || *port > 65535) {
    return tl::unexpected(Skipped{std::string(key) + " is missing or no port number"});
  }
  return static_cast<std::uint16_t>(*port);
}

Read listener(const ConfigSection& section, std::string_view host_key, std::string_view port_key,
              std::string_view other_port_key) {
  if (section.text("device")) return tl::unexpected(Skipped{"`device` is not supported"});
  const auto port = port_of(section, port_key, other_port_key, true);
  if (!port) return tl::unexpected(port.error());
  return InterfaceConfig{section.name, true, {text_of(section, host_key), *port}};
}

Read client(const ConfigSection& section, std::string_view host_key,
            std::string_view other_host_key) {
  if (section.boolean("kiss_framing").value_or(false)) {
    return tl::unexpected(Skipped{"`kiss_framing` is not supported"});
  }
  const std::string host = text_of(section, host_key, other_host_key);
  if (host.empty()) return tl::unexpected(Skipped{std::string(host_key) + " is missing"});
  const auto port = port_of(section, "target_port", "port", false);
  if (!port) return tl::unexpected(port.error());
  return InterfaceConfig{section.name, false, {host, *port}};
}

bool has_access_code(const ConfigSection& section) {
  for (const auto* key : {"network_name", "networkname", "passphrase", "pass_phrase"}) {
    if (!text_of(section, key).empty()) return true;
  }
  return false;
}

Read read_interface(const ConfigSection& section) {
  if (has_access_code(section)) {
    return tl::unexpected(
        Skipped{"networks with a name or passphrase (access codes) are not supported yet"});
  }
  const std::string type = text_of(section, "type");
  if (type == "TCPServerInterface") return listener(section, "listen_ip", "listen_port", "port");
  if (type == "TCPClientInterface") return client(section, "target_host", {});
  if (type == "BackboneInterface") {
    const bool connects = section.text("remote") || section.text("target_host");
    Read read = connects ? client(section, "remote", "target_host")
                         : listener(section, "listen_on", "port", "listen_port");
    if (read) read->kind = type;
    return read;
  }
  if (type.empty()) return tl::unexpected(Skipped{"it has no type"});
  return tl::unexpected(Skipped{"interfaces of type " + type + " are not supported yet"});
}

std::filesystem::path user_home() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? std::filesystem::path() : std::filesystem::path(home);
}

tl::expected<void, std::string> read_reticulum_section(const ConfigSection& section,
                                                       ReticulumSetup& setup) {
  setup.share_instance = section.boolean("share_instance").value_or(true);
  if (auto name = section.text("instance_name"); name && !name->empty()) {
    if (name->size() > 100) return tl::unexpected(std::string("instance_name is too long"));
    setup.instance.name = *name;
  }
  setup.instance.tcp = section.text("shared_instance_type") == "tcp";
  if (section.text("shared_instance_port")) {
    const auto port = section.integer("shared_instance_port");
    if (!port || *port < 1 || *port > 65535) {
      return tl::unexpected(std::string("shared_instance_port is no port number"));
    }
    setup.instance.port = static_cast<std::uint16_t>(*port);
  }
  return {};
}

}  // namespace

std::vector<InterfaceConfig> read_interfaces(const ConfigSection& interfaces,
                                             std::vector<std::string>& warnings) {
  std::vector<InterfaceConfig> out;
  for (const ConfigSection& section : interfaces.subsections) {
    const bool enabled = section.boolean("enabled").value_or(false) ||
                         section.boolean("interface_enabled").value_or(false);
    if (!enabled) continue;
    auto read = read_interface(section);
    if (read) {
      out.push_back(std::move(*read));
    } else {
      warnings.push_back("interface \"" + section.name + "\" is not used: " + read.error().why);
    }
  }
  return out;
}

std::optional<std::filesystem::path> find_reticulum_config(const std::filesystem::path& home,
                                                           const std::filesystem::path& system) {
  std::vector<std::filesystem::path> places{system};
  if (!home.empty()) {
    places.push_back(home / ".config" / "reticulum");
    places.push_back(home / ".reticulum");
  }
  for (const auto& place : places) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(place / "config", ignored)) return place;
  }
  return std::nullopt;
}

tl::expected<ReticulumSetup, std::string> read_reticulum_setup(const std::string& choice) {
  ReticulumSetup setup;
  if (choice == "off") return setup;
  std::filesystem::path directory = choice;
  if (choice == "~" || choice.starts_with("~/")) {
    directory = user_home() / choice.substr(std::min<std::size_t>(2, choice.size()));
  } else if (choice.empty()) {
    auto found = find_reticulum_config(user_home());
    if (!found) return setup;
    directory = *found;
  }
  setup.file = directory / "config";
  const auto text = read_file(setup.file, limits::kConfigFile);
  if (!text) return tl::unexpected(text.error());
  const auto config = codec::parse_config(base::as_text(*text));
  if (!config) {
    return tl::unexpected(setup.file.string() + ", line " + std::to_string(config.error().line) +
                          ": " + config.error().what);
  }
  if (const ConfigSection* section = config->section("reticulum")) {
    if (auto read = read_reticulum_section(*section, setup); !read) {
      return tl::unexpected(setup.file.string() + ": " + read.error());
    }
  }
  if (const ConfigSection* section = config->section("interfaces")) {
    setup.interfaces = read_interfaces(*section, setup.warnings);
  }
  return setup;
}

}  // namespace meshstow::io
