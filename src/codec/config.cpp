#include "codec/config.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace meshstow::codec {
namespace {

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return text;
}

// The whole of `text` as a number, with an optional plus sign.
template <class Number>
std::optional<Number> number_from(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<std::string> ConfigSection::text(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  return found->second;
}

std::optional<bool> ConfigSection::boolean(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  const std::string word = lower_case(found->second);
  if (word == "yes" || word == "true" || word == "on" || word == "1") return true;
  if (word == "no" || word == "false" || word == "off" || word == "0") return false;
  return std::nullopt;
}

std::optional<std::int64_t> ConfigSection::integer(std::string_view key) const {
  const auto found = values.find(key);
  return found == values.end() ? std::nullopt : number_from<std::int64_t>(found->second);
}

std::optional<double> ConfigSection::number(std::string_view key) const {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  const auto out = number_from<double>(found->second);
  return out && std::isfinite(*out) ? out : std::nullopt;
}

std::vector<std::string> ConfigSection::list(std::string_view key) const {
  if (const auto found = lists.find(key); found != lists.end()) return found->second;
  const auto single = values.find(key);
  if (single == values.end() || single->second.empty()) return {};
  return {single->second};
}

const ConfigSection* ConfigSection::section(std::string_view subsection_name) const {
  const auto found = std::ranges::find(subsections, subsection_name, &ConfigSection::name);
  return found == subsections.end() ? nullptr : &*found;
}

}  // namespace meshstow::codec
