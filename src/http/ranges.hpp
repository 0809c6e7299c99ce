// http/ranges.hpp: one byte range of a GET (RFC 9110 14.1, 14.2). Several ranges, other units and
// broken headers are ignored as the standard allows: the whole document is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meshstow::http {

struct RangeAsked {
  std::optional<std::uint64_t> first;  // nullopt: the last `last` bytes
  std::optional<std::uint64_t> last;   // nullopt: to the end
};
std::optional<RangeAsked> parse_range(std::string_view header);

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
// nullopt: nothing of it lies in the document (416).
std::optional<ByteRange> resolve(const RangeAsked& asked, std::uint64_t size);

// "bytes 0-9/100"
std::string content_range(const ByteRange& part, std::uint64_t size);

}  // namespace meshstow::http
