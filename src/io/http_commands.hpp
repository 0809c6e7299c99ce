// io/http_commands.hpp: the commands of the HTTP server: open, passphrase, apps add, apps list,
// apps remove. Internal to io.
//
//   open {"url"}   apps add {"name","title","url","files","bytes"}   apps list {"apps":[…]}
//   apps remove {"name"}   passphrase {"set"}
#pragma once

#include <memory>

#include "io/command_work.hpp"

namespace meshstow::io {

// nullptr: not one of these.
std::shared_ptr<CommandWork> make_http_command(NodeHost& host, Command& command,
                                               CommandChannel& channel);

}  // namespace meshstow::io
