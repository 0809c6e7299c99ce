// http/json_text.hpp: text as a JSON string, for the few answers that are written piece by piece.
#pragma once

#include <string>
#include <string_view>

namespace meshstow::http {

std::string json_string(std::string_view text);  // with its quotes, as valid UTF-8

}  // namespace meshstow::http
