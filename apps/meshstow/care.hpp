// apps/meshstow/care.hpp: the commands that look after the store: history, restore, check, compact,
// backup, restore-backup, quota, history-policy.
#pragma once

#include <string_view>

#include "command_line.hpp"

namespace CLI {
class App;
}

namespace meshstow::app {

void add_care_commands(CLI::App& app, Invocation& out);  // care_flags.cpp
[[nodiscard]] bool is_care_command(std::string_view verb);
int run_care_command(const Invocation& invocation);  // gives the exit code

}  // namespace meshstow::app
