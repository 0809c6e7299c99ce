// codec/hex.hpp: lower-case hexadecimal.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::codec {

std::string to_hex(ByteView bytes);
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);  // either case; even length

template <std::size_t N>
std::string to_hex(const FixedBytes<N>& value) {
  return to_hex(value.view());
}

// Errc::malformed unless `text` is exactly 2 N digits.
template <std::size_t N>
[[nodiscard]] Result<FixedBytes<N>> fixed_from_hex(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes) return fail(bytes.error());
  auto fixed = FixedBytes<N>::from(*bytes);
  if (!fixed) return fail(Errc::malformed, "wrong number of hexadecimal digits");
  return *fixed;
}

}  // namespace meshstow::codec
