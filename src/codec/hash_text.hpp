// codec/hash_text.hpp: hashes and ids as people give them: as we print them, `<7880…>`, or without
// the brackets, in either case.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/hex.hpp"

namespace meshstow::codec {

// The digits in lower case, of a whole hash or of its beginning; nullopt for anything else.
[[nodiscard]] std::optional<std::string> hash_digits(std::string_view text);

// Errc::malformed unless `text` is a whole hash of N bytes.
template <std::size_t N>
[[nodiscard]] Result<FixedBytes<N>> hash_from_text(std::string_view text) {
  const auto digits = hash_digits(text);
  if (!digits) return fail(Errc::malformed, "not a hash");
  return fixed_from_hex<N>(*digits);
}

}  // namespace meshstow::codec
