#include "http/ranges.hpp"

#include <algorithm>
#include <charconv>

#include "http/message.hpp"

namespace meshstow::http {
namespace {

// Beyond 64 bits: the largest, which is behind the end of everything.
std::optional<std::uint64_t> number(std::string_view digits) {
  std::uint64_t out = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (stop != digits.data() + digits.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return UINT64_MAX;
  if (error != std::errc()) return std::nullopt;
  return out;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<RangeAsked> parse_range(std::string_view header) {
  const std::size_t equals = header.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  if (!equal_ignoring_case(trim(header.substr(0, equals)), "bytes")) return std::nullopt;
  const std::string_view spec = trim(header.substr(equals + 1));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos)
    return std::nullopt;
  RangeAsked asked;
  if (dash > 0) {
    asked.first = number(spec.substr(0, dash));
    if (!asked.first) return std::nullopt;
  }
  if (dash + 1 < spec.size()) {
    asked.last = number(spec.substr(dash + 1));
    if (!asked.last) return std::nullopt;
  }
  if (!asked.first && !asked.last) return std::nullopt;
  if (asked.first && asked.last && *asked.last < *asked.first) return std::nullopt;
  return asked;
}

std::optional<ByteRange> resolve(const RangeAsked& asked, std::uint64_t size) {
  if (!asked.first) {
    const std::uint64_t length = std::min(*asked.last, size);
    if (length == 0) return std::nullopt;
    return ByteRange{size - length, length};
  }
  if (*asked.first >= size) return std::nullopt;
  const std::uint64_t last = std::min(asked.last.value_or(size - 1), size - 1);
  return ByteRange{*asked.first, last - *asked.first + 1};
}

std::string content_range(const ByteRange& part, std::uint64_t size) {
  return "bytes " + std::to_string(part.offset) + "-" +
         std::to_string(part.offset + part.length - 1) + "/" + std::to_string(size);
}

}  // namespace meshstow::http
