// apps/meshstow/web.hpp: the commands that open the dashboard and install web apps.
#pragma once

#include "command_line.hpp"

namespace meshstow::app {

// Each gives the exit code.
int open_dashboard(const Invocation& invocation);
int set_passphrase(const Invocation& invocation);
int add_app(const Invocation& invocation);

}  // namespace meshstow::app
