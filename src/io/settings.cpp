#include "io/settings.hpp"

#include <charconv>
#include <set>

#include "base/limits.hpp"
#include "codec/config.hpp"
#include "codec/hash_text.hpp"
#include "io/reticulum_config.hpp"

namespace meshstow::io {
namespace {

using codec::ConfigSection;
using Read = tl::expected<void, std::string>;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// The line of `key` in [section], for the person who has to mend it; 0 if it cannot be told.
std::size_t line_of(std::string_view text, std::string_view section, std::string_view key) {
  bool inside = false;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.starts_with('[')) {
      inside = trimmed(line.substr(1, line.find(']') - 1)) == section;
    } else if (inside && line.starts_with(key) &&
               trimmed(line.substr(key.size())).starts_with('=')) {
      return number;
    }
  }
  return 0;
}

class SettingsReader {
 public:
  SettingsReader(std::string_view text, Settings& out) : text_(text), out_(out) {}

  Read read() {
    const auto config = codec::parse_config(text_);
    if (!config) {
      return tl::unexpected("line " + std::to_string(config.error().line) + ": " +
                            config.error().what);
    }
    for (const ConfigSection& section : config->subsections) {
      Read read;
      if (section.name == "meshstow") {
        read = meshstow(section);
      } else if (section.name == "interfaces") {
        out_.mesh.interfaces = read_interfaces(section, out_.warnings);
      } else if (section.name == "peers") {
        read = peers(section);
      } else {
        out_.warnings.push_back("the section [" + section.name + "] is unknown");
      }
      if (!read) return read;
    }
    return {};
  }

 private:
  Read wrong(std::string_view section, std::string_view key, std::string_view what) const {
    const std::size_t line = line_of(text_, section, key);
    std::string out = line == 0 ? std::string() : "line " + std::to_string(line) + ": ";
    out += key;
    out += ": ";
    out += what;
    return tl::unexpected(out);
  }

  Read meshstow(const ConfigSection& section) {
    static constexpr std::string_view kSection = "meshstow";
    for (const auto& [key, value] : section.values) {
      const char* problem = set(section, key, value);
      if (problem != nullptr) return wrong(kSection, key, problem);
    }
    return {};
  }

  // nullptr: taken, or unknown and warned about; else what is wrong with it.
  const char* set(const ConfigSection& section, const std::string& key, const std::string& value) {
    if (key == "name") return set_name(value);
    if (key == "http") return set_http(value);
    if (key == "quota") return set_quota(value);
    if (key == "history_days") return set_history_days(section.integer(key));
    if (key == "history_versions") return set_history_versions(section.integer(key));
    if (key == "tcp_listen") return set_addresses(section.list(key), out_.mesh.tcp_listen);
    if (key == "tcp_connect") return set_addresses(section.list(key), out_.mesh.tcp_connect);
    if (key == "announces") return set_announces(section.boolean(key));
    if (key == "reticulum") {
      out_.mesh.reticulum = value;
    } else {
      out_.warnings.push_back("the setting \"" + key + "\" in [meshstow] is unknown");
    }
    return nullptr;
  }

  const char* set_name(const std::string& value) {
    if (value.size() > limits::kNodeName) return "a name has at most 64 bytes";
    out_.name = value;
    return nullptr;
  }

  const char* set_http(const std::string& value) {
    if (value != "off" && !parse_address(value)) return "it is HOST:PORT, or off";
    out_.http = value;
    return nullptr;
  }

  const char* set_quota(const std::string& value) {
    if (value == "none") return nullptr;
    const auto size = parse_size(value);
    if (!size) return "a size is a number with K, M, G or T, such as 10G, or none";
    out_.quota = *size;
    return nullptr;
  }

  const char* set_history_days(std::optional<std::int64_t> days) {
    if (!days || *days < 0 || *days > 36'500) return "it is a number of days, at most 36500";
    out_.history.keep_for = std::chrono::days(*days);
    return nullptr;
  }

  const char* set_history_versions(std::optional<std::int64_t> count) {
    if (!count || *count < 0 || *count > 1'000'000) return "it is a number, at most 1000000";
    out_.history.keep_versions = static_cast<std::uint32_t>(*count);
    return nullptr;
  }

  const char* set_announces(std::optional<bool> value) {
    if (!value) return "it is yes or no";
    out_.mesh.announces = *value;
    return nullptr;
  }

  static const char* set_addresses(const std::vector<std::string>& texts,
                                   std::vector<Address>& out) {
    for (const std::string& text : texts) {
      auto address = parse_address(text);
      if (!address) return address.error().detail;
      out.push_back(std::move(*address));
    }
    return nullptr;
  }

  Read peers(const ConfigSection& section) {
    for (const auto& [name, value] : section.values) {
      const auto hash = codec::hash_from_text<16>(value);
      if (!hash) return wrong("peers", name, "a destination has 32 hexadecimal digits");
      out_.peers[name] = *hash;
    }
    return {};
  }

  std::string_view text_;
  Settings& out_;
};

constexpr std::string_view kExample =
    R"(# Meshstow's config. What stands behind a # is a comment; the values shown there
# are what holds without them. The same grammar as Reticulum's config.

[meshstow]

# A name for this node, for you.
name = "@NAME@"

# The remoteStorage server for apps on this machine, or off.
# http = localhost:8181

# How much may be stored: 500M, 10G, 2T, or none (what the disk has).
# quota = none

# Earlier versions and deleted documents are kept so long, and so many of each.
# history_days = 30
# history_versions = 10

# Reticulum over TCP without a Reticulum config of your own.
# tcp_listen = 0.0.0.0:4242
# tcp_connect = somewhere.example:4242, 192.0.2.7:4242

# Where your Reticulum config lies: a directory, off, or nothing: /etc/reticulum,
# ~/.config/reticulum, ~/.reticulum. A shared instance (rnsd) is joined as soon as it
# runs; until then only connections out are made, since the ports are the instance's.
# Where that config says share_instance = no, all its interfaces are opened. It is never
# written to.
# reticulum = ~/.reticulum

# Tell the mesh that here is a storage node.
# announces = yes

# Names for nodes, to use with --at.
[peers]
# laptop = 0123456789abcdef0123456789abcdef

# Interfaces of this node alone, as in Reticulum's config: TCPServerInterface,
# TCPClientInterface, BackboneInterface.
[interfaces]
#   [[Friends]]
#     type = TCPClientInterface
#     enabled = yes
#     target_host = friends.example
#     target_port = 4242
)";

}  // namespace

tl::expected<Settings, std::string> read_settings(std::string_view config_text) {
  Settings out;
  if (auto read = SettingsReader(config_text, out).read(); !read) {
    return tl::unexpected(read.error());
  }
  return out;
}

std::string example_config(std::string_view name) {
  static constexpr std::string_view kPlace = "@NAME@";
  std::string out(kExample);
  out.replace(out.find(kPlace), kPlace.size(), name);
  return out;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return fail(Errc::malformed, "a size begins with a number");
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.ends_with("iB")) {
    unit.remove_suffix(2);
  } else if (unit.ends_with('B') || unit.ends_with('b')) {
    unit.remove_suffix(1);
  }
  static constexpr std::string_view kUnits = "KMGT";
  std::size_t shift = 0;
  if (!unit.empty()) {
    const char letter = unit.front() >= 'a' ? static_cast<char>(unit.front() - 32) : unit.front();
    const std::size_t found = kUnits.find(letter);
    if (unit.size() > 1 || found == std::string_view::npos) {
      return fail(Errc::malformed, "the unit of a size is K, M, G or T");
    }
    shift = 10 * (found + 1);
  }
  if (number > (UINT64_MAX >> shift)) return fail(Errc::limit, "the size is too large");
  return number << shift;
}

}  // namespace meshstow::io
