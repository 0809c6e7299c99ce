// apps/meshstow/report.hpp: what the person sees: results as text in the manner of the Reticulum
// utilities, or the JSON as it is; errors as one line.
#pragma once

#include <string>
#include <string_view>

#include "io/commands.hpp"

namespace meshstow::app {

// A result on standard output. Returns the exit code, as finish_output() does.
[[nodiscard]] int report_result(bool json, std::string_view verb, const std::string& result);
void print_as_text(std::string_view verb, const std::string& result);  // no end: more may follow

// After the last of what a command prints: `exit_code` if standard output took it all, else 1, with
// a line on standard error. A reader that went away (`meshstow ls | head -1`) has seen enough and
// is told nothing, unless the command changed something.
[[nodiscard]] int finish_output(bool json, std::string_view verb, int exit_code = 0);

// One line on standard error: text, or with `json` the error object, which then is the one document
// on standard output too. Returns the exit code.
int report_outcome(bool json, const io::CommandOutcome& failed);
int report_failure(bool json, std::string_view message);

}  // namespace meshstow::app
