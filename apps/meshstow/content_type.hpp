// apps/meshstow/content_type.hpp: a content type by the ending of a name, for `put`.
#pragma once

#include <string>
#include <string_view>

namespace meshstow::app {

// By the document's name, else by the file's; application/octet-stream if neither tells.
[[nodiscard]] std::string guess_content_type(std::string_view path, std::string_view file);

}  // namespace meshstow::app
