// codec/percent.hpp: percent-encoding of URLs (RFC 3986, 2.1).
//
// Decoding happens once, segment by segment: a "%2F" in a segment becomes a "/" inside a name,
// which the caller refuses where names may not hold one.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meshstow::codec {

// Errc::malformed: an escape without two hexadecimal digits, or a result that is not valid UTF-8.
// "+" stays "+" (it means a space in forms only).
[[nodiscard]] Result<std::string> percent_decode(std::string_view segment);

// Everything but RFC 3986's unreserved characters (letters, digits, "-", ".", "_", "~") is escaped.
std::string percent_encode(std::string_view segment);
// The same, but "/" stays.
std::string percent_encode_path(std::string_view path);

}  // namespace meshstow::codec
