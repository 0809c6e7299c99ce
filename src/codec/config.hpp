// codec/config.hpp: the ini grammar of Reticulum's config files (facts/reticulum.md 14), read only.
//
// [section], [[subsection]], key = value, # comments, quotes, lists with commas.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace meshstow::codec {

struct ConfigSection {
  std::string name;
  std::map<std::string, std::string> values;  // unquoted, trimmed
  std::vector<ConfigSection> subsections;     // in the order of the file

  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  [[nodiscard]] std::optional<bool> boolean(
      std::string_view key) const;  // yes/no/true/false/on/off/1/0
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;
  [[nodiscard]] const ConfigSection* section(std::string_view subsection_name) const;
};

struct ConfigError {
  std::size_t line = 0;  // from 1
  const char* what = "";
};

// The file is the unnamed outer section. On an error: the line and what is wrong with it.
[[nodiscard]] tl::expected<ConfigSection, ConfigError> parse_config(std::string_view text);

}  // namespace meshstow::codec
