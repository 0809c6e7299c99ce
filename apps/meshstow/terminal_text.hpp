// apps/meshstow/terminal_text.hpp: text as a terminal shows it.
//
// Widths are in columns: a Chinese character or an emoji takes two, a combining accent none. They
// are those of the C library's tables of Unicode, whatever the user's locale is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace meshstow::app {

[[nodiscard]] std::size_t display_width(std::string_view text);
// With spaces behind it, at least `columns` wide.
[[nodiscard]] std::string padded(std::string text, std::size_t columns);
// Its beginning, at most `columns` wide; no character is cut in two.
[[nodiscard]] std::string cut_to(std::string_view text, std::size_t columns);

// "10.49 MB", powers of 1000 as the Reticulum utilities count.
[[nodiscard]] std::string pretty_size(std::uint64_t bytes);

}  // namespace meshstow::app
