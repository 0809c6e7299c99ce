// codec/http_date.hpp: dates in HTTP headers (RFC 9110, 5.6.7).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace meshstow::codec {

// "Sun, 06 Nov 1994 08:49:37 GMT". Years beyond 0 to 9999 are cut to them.
std::string format_http_date(WallTime wall);

// That, or one of the two older forms that recipients must accept; the day of the week is not
// looked at. Years of two digits are 1970 to 2069.
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace meshstow::codec
