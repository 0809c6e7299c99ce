// meshstow: reads the flags, does the one thing that they ask for.

#include <csignal>

#include "care.hpp"
#include "command_line.hpp"
#include "documents.hpp"
#include "report.hpp"
#include "serve.hpp"
#include "web.hpp"

int main(int argc, char** argv) {
  using namespace meshstow::app;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of a write, no death
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow
  const auto invocation = read_command_line(argc, argv);
  if (!invocation) return invocation.error();
  meshstow::io::set_log_level(invocation->log_level);
  const std::string& verb = invocation->command.verb;
  if (verb == "init") return init(*invocation);
  if (verb == "serve") return serve(*invocation);
  if (verb == "open") return open_dashboard(*invocation);
  if (verb == "passphrase") return set_passphrase(*invocation);
  if (verb == "apps add") return add_app(*invocation);
  if (is_care_command(verb)) return run_care_command(*invocation);
  return run_document_command(*invocation);
}
