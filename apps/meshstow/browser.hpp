// apps/meshstow/browser.hpp: shows a sign-in link in the user's browser.
#pragma once

#include <filesystem>
#include <string>

namespace meshstow::app {

// Without a desktop it does nothing: the link that was printed is enough. The link stands in no
// argument of a program, where other users of this machine could read it, but in a file of
// `folder` for this user alone, which leads to it and is removed a minute later. False: a browser
// may have been started, but something failed.
bool show_in_browser(const std::filesystem::path& folder, const std::string& link);

}  // namespace meshstow::app
