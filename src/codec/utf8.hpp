// codec/utf8.hpp: UTF-8 validity (no surrogates, no overlong forms, nothing above U+10FFFF).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meshstow::codec {
struct Character {
  std::string_view bytes;
  std::optional<char32_t> code_point;  // nullopt: one byte that is part of no valid sequence
};
// Takes the first character off `text`, which is not empty.
Character take_character(std::string_view& text);
[[nodiscard]] bool is_valid_utf8(std::string_view text);
// For what is shown or sent as JSON: each byte that is part of no valid sequence becomes U+FFFD.
[[nodiscard]] std::string with_valid_utf8(std::string text);
}  // namespace meshstow::codec
