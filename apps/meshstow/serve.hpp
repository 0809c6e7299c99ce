// apps/meshstow/serve.hpp: the daemon: one node, its control socket, until a signal.
#pragma once

#include "command_line.hpp"

namespace meshstow::app {

int serve(const Invocation& invocation);  // gives the exit code

}  // namespace meshstow::app
