// codec/content_type.hpp: content types by the ending of a name, for documents that come without
// one and for files of apps.
#pragma once

#include <string_view>

namespace meshstow::codec {

inline constexpr std::string_view kUnknownContentType = "application/octet-stream";

// "a/Logo.PNG" -> "image/png". Empty: the ending says nothing.
[[nodiscard]] std::string_view content_type_of_ending(std::string_view name);

}  // namespace meshstow::codec
