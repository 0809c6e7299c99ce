// apps/meshstow/documents.hpp: all commands but `serve`, which read or write one thing and end.
#pragma once

#include "command_line.hpp"

namespace meshstow::app {

// Each gives the exit code.
int init(const Invocation& invocation);
int run_document_command(const Invocation& invocation);

}  // namespace meshstow::app
