// io/app_links.hpp: follows the links among the files of an app. Internal to io (app_source.cpp).
#pragma once

#include <string>

#include "http/apps.hpp"
#include "io/archive.hpp"

namespace meshstow::io {

// A browser follows no links, so each becomes a copy of what it leads to, or of all that is in it.
// Every path in `entries` is there once. The error, for people, names what cannot be resolved
// inside the app; a hidden link is left out instead.
[[nodiscard]] tl::expected<std::vector<http::AppSourceFile>, std::string> follow_links(
    std::vector<ArchiveEntry> entries);

// Whether a name on the path begins with a dot.
[[nodiscard]] bool is_hidden(std::string_view path);

}  // namespace meshstow::io
