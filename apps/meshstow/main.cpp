// meshstow: reads the flags, does the one thing that they ask for.

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

#include "care.hpp"
#include "command_line.hpp"
#include "documents.hpp"
#include "report.hpp"
#include "serve.hpp"
#include "web.hpp"

namespace {

// A standard stream that is closed leaves its number to the next file that is opened, so that a
// document would be written over the home's lock. Taken up like this, using it is an error.
void take_up_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    const int wrong_way = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", wrong_way) == stream) continue;
    if (::open("/", O_PATH) != stream) std::_Exit(EXIT_FAILURE);  // a /dev without null
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace meshstow::app;
  take_up_closed_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of a write, no death
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow
  const auto invocation = read_command_line(argc, argv);
  if (!invocation) return invocation.error() == kOk ? finish_output(false, {}) : invocation.error();
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
