// codec/http_date.hpp: dates in HTTP headers (RFC 9110, 5.6.7, IMF-fixdate).
#pragma once

#include <string>

#include "base/time.hpp"

namespace meshstow::codec {

// "Sun, 06 Nov 1994 08:49:37 GMT". Years beyond 0 to 9999 are cut to them.
std::string format_http_date(WallTime wall);

}  // namespace meshstow::codec
