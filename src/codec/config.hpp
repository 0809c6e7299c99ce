// codec/config.hpp: the ini grammar of Reticulum's config files (facts/reticulum.md 14), read only.
//
// [section], [[subsection]] and deeper, `key = value`, # comments, "quotes" or 'quotes', lists with
// commas. Indentation means nothing. A # outside of quotes starts a comment, also in mid-value.
// Refused with the line: a key or section given twice, an unclosed quote or bracket, a subsection
// without its section, a value of several lines ("""), text that is not UTF-8.
// Limits: limits::kConfigFile, limits::kConfigDepth.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace meshstow::codec {

struct ConfigSection {
  std::string name;
  std::map<std::string, std::string, std::less<>>
      values;  // unquoted, trimmed; of a list: as written
  std::map<std::string, std::vector<std::string>, std::less<>> lists;  // those with a comma
  std::vector<ConfigSection> subsections;                              // in the order of the file

  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  // yes/no, true/false, on/off, 1/0 in any case; nullopt for anything else.
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
  [[nodiscard]] std::optional<double> number(std::string_view key) const;  // finite
  // A single value is a list of one; a missing or empty one is an empty list.
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;
  // nullptr if there is none.
  [[nodiscard]] const ConfigSection* section(std::string_view subsection_name) const;
};

struct ConfigError {
  std::size_t line = 0;  // from 1
  const char* what = "";
};

// The file is the unnamed outer section. On an error: the line and what is wrong with it.
[[nodiscard]] tl::expected<ConfigSection, ConfigError> parse_config(std::string_view text);

}  // namespace meshstow::codec
