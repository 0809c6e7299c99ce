// codec/base64.hpp: RFC 4648. Decoding is strict: canonical padding, no white space, unused bits
// zero.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::codec {

std::string to_base64(ByteView bytes);  // section 4, padded
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);

std::string to_base64url(ByteView bytes);  // section 5, unpadded
[[nodiscard]] Result<Bytes> from_base64url(std::string_view text);

}  // namespace meshstow::codec
