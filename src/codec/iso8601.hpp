// codec/iso8601.hpp: the timestamps of storage messages (storage-message-vectors.json, C7):
// YYYY-MM-DDTHH:MM:SS, an optional fraction of 1 to 9 digits, then "Z" or "+00:00".
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace meshstow::codec {

// Errc::malformed for any other form, a day that does not exist or a leap second. Digits of the
// fraction beyond microseconds are cut off.
[[nodiscard]] Result<WallTime> parse_iso8601(std::string_view text);

// With microseconds and "Z": 2026-03-01T12:00:00.000001Z. Years beyond 0 to 9999 are cut to them.
std::string format_iso8601(WallTime wall);

}  // namespace meshstow::codec
