// io/home_guard.hpp: is this a place where nobody else gets at the keys of a home? Internal to io.
#pragma once

#include "io/file_system.hpp"

namespace meshstow::io {

// Of a home: its owner is who we are, nobody else can write there, and its files are its own: no
// links, no pipes, not another user's. The error names the file, and what to do.
[[nodiscard]] FileResult<void> check_home(const std::filesystem::path& home);
// Of a directory that is to hold a home.
[[nodiscard]] FileResult<void> check_directory(const std::filesystem::path& directory);
// Tries out, in an empty directory of ours, whether the file system keeps modes, locks and (it, or
// another place of this user) sockets. Leaves nothing there.
[[nodiscard]] FileResult<void> try_out(const std::filesystem::path& directory);
// Others can neither read nor write this file. The error says how to mend that.
[[nodiscard]] FileResult<void> check_private(const std::filesystem::path& file);

}  // namespace meshstow::io
