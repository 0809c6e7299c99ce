// http/app_title.hpp: what a page calls itself. Internal to src/http.
#pragma once

#include <string>
#include <string_view>

namespace meshstow::http {

// The text of the first <title>, its character references resolved and its white space as a browser
// shows it. Valid UTF-8; empty: there is none.
[[nodiscard]] std::string title_of_page(std::string_view html);

}  // namespace meshstow::http
