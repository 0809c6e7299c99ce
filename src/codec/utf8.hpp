// codec/utf8.hpp: UTF-8 validity (no surrogates, no overlong forms, nothing above U+10FFFF).
#pragma once

#include <string_view>

namespace meshstow::codec {
[[nodiscard]] bool is_valid_utf8(std::string_view text);
}
