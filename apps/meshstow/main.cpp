// meshstow: reads the flags, does the one thing that they ask for.

#include <csignal>

#include "command_line.hpp"
#include "documents.hpp"
#include "report.hpp"
#include "serve.hpp"

int main(int argc, char** argv) {
  using namespace meshstow::app;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of a write, no death
  const auto invocation = read_command_line(argc, argv);
  if (!invocation) return invocation.error();
  meshstow::io::set_log_level(invocation->log_level);
  const std::string& verb = invocation->command.verb;
  if (verb == "init") return init(*invocation);
  if (verb == "serve") return serve(*invocation);
  return run_document_command(*invocation);
}
