#include "web.hpp"

#include <boost/json.hpp>
#include <filesystem>
#include <iostream>
#include <termios.h>
#include <unistd.h>

#include "browser.hpp"
#include "follower.hpp"
#include "io/home.hpp"
#include "io/run_command.hpp"
#include "report.hpp"

namespace meshstow::app {
namespace {

int run(const Invocation& invocation, const io::Command& command) {
  const auto outcome = run_and_follow(invocation, command);
  if (!outcome.ok) return report_outcome(invocation.json, outcome);
  return report_result(invocation.json, command.verb, outcome.json);
}

// From a terminal without showing it, twice; else one line.
std::optional<std::string> read_passphrase() {
  const auto line = [](const char* prompt) {
    if (*prompt != 0) std::cerr << prompt << std::flush;
    std::string text;
    std::getline(std::cin, text);
    if (*prompt != 0) std::cerr << "\n";
    return text;
  };
  if (isatty(STDIN_FILENO) == 0) return line("");
  termios shown{};
  tcgetattr(STDIN_FILENO, &shown);
  termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
  const std::string first = line("Passphrase: ");
  const std::string second = line("Once more: ");
  tcsetattr(STDIN_FILENO, TCSANOW, &shown);
  if (first != second) return std::nullopt;
  return first;
}

}  // namespace

int open_dashboard(const Invocation& invocation) {
  const auto home = io::Home::choose(invocation.home);
  const auto outcome = io::run_command(home, invocation.command, {});
  if (!outcome.ok) return report_outcome(invocation.json, outcome);
  const int code = report_result(invocation.json, "open", outcome.json);
  if (invocation.json) return code;
  const auto about = boost::json::parse(outcome.json);
  if (!show_in_browser(home, std::string(about.at("url").as_string()))) {
    std::cerr << "meshstow: no browser could be started; open this link in one\n";
  } else if (isatty(STDERR_FILENO) != 0) {
    std::cerr << "A browser that shows nothing (those of Snap and Flatpak may not read files of "
                 "yours) signs in with this link too\n";
  }
  return code;
}

int set_passphrase(const Invocation& invocation) {
  io::Command command = invocation.command;
  if (!invocation.remove_passphrase) {
    const auto passphrase = read_passphrase();
    if (!passphrase) return report_failure(invocation.json, "the two passphrases differ");
    if (passphrase->size() < 8) {
      return report_failure(invocation.json, "a passphrase has at least 8 characters");
    }
    command.passphrase = *passphrase;
  }
  return run(invocation, command);
}

int add_app(const Invocation& invocation) {
  io::Command command = invocation.command;
  std::error_code error;
  // `serve`, which reads it, stands in another directory.
  const auto path = std::filesystem::canonical(command.path, error);
  if (error) return report_failure(invocation.json, command.path + ": " + error.message());
  command.path = path.string();
  return run(invocation, command);
}

}  // namespace meshstow::app
