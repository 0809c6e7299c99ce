// io/app_source.hpp: a static web app on disk: a folder, or an archive of one. Blocking.
#pragma once

#include <filesystem>
#include <string>

#include "http/apps.hpp"

namespace meshstow::io {

// Hidden files are left out, links become copies of what they lead to; if all of an archive lies in
// one folder, that folder is the app. The error is for people, and names the file that no app can
// hold: a link out of the app, a device, a name that no browser can ask for.
[[nodiscard]] tl::expected<std::vector<http::AppSourceFile>, std::string> read_app_source(
    const std::filesystem::path& path);

// "My Notes-1.2.zip" -> "my-notes-1-2"
std::string app_name_of(const std::filesystem::path& path);

}  // namespace meshstow::io
