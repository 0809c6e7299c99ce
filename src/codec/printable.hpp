// codec/printable.hpp: text that others chose, as people may be shown it.
//
// Written out are control characters, which move a terminal's cursor (\x1b), bytes that are no
// UTF-8 (\xff), and the controls of bidirectional text, which make people read another name than
// there is (\u202e). Joiners stay: words of several scripts need them. For people only: JSON,
// listings and file names keep the bytes.
#pragma once

#include <string>
#include <string_view>

namespace meshstow::codec {
[[nodiscard]] std::string printable(std::string_view text);
}  // namespace meshstow::codec
