// http/pages.hpp: our HTML pages, from the templates in src/http/assets. Internal to src/http.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/scope.hpp"

namespace meshstow::http {

std::string escape_html(std::string_view text);  // for text and quoted attributes

std::string text_html(
    std::string_view text);  // text as people may be shown it: codec/printable.hpp

// Fills {{name}} with text_html() of the value and {{{name}}} with the value as it is.
using PageValues = std::initializer_list<std::pair<std::string_view, std::string>>;
std::string render_page(std::string_view asset, PageValues values);

// "Read and change your notes"
std::string describe_scope(const access::Scope& scope);

std::string message_page(std::string_view title, std::string_view text);

}  // namespace meshstow::http
