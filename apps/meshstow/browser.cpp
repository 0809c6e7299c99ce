#include "browser.hpp"

#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file_system.hpp"

namespace meshstow::app {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kSecondsKept = 60;  // until the slowest browser has read it
constexpr std::chrono::hours kLeftOver{1};
constexpr std::string_view kPrefix = "open-";

void remove_left_overs(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    const auto changed = at->last_write_time(ignored);
    if (name.starts_with(kPrefix) && name.ends_with(".html") && !ignored &&
        fs::file_time_type::clock::now() - changed > kLeftOver) {
      fs::remove(at->path(), ignored);
    }
  }
}

std::string page_to(const std::string& link) {
  return "<!doctype html>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"referrer\" content=\"no-referrer\">\n"
         "<meta http-equiv=\"refresh\" content=\"0; url=" +
         link + "\">\n<title>Meshstow</title>\n<p><a href=\"" + link + "\">Sign in</a></p>\n";
}

void close_standard_streams() {
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) return;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nothing, stream);
}

bool run_browser(const fs::path& file) {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    close_standard_streams();
    execlp("xdg-open", "xdg-open", file.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// In a process of its own: nobody wants to wait for it.
void remove_later(const fs::path& file) {
  const pid_t child = fork();
  if (child == 0) {
    if (setsid() < 0 || fork() != 0) _exit(0);
    close_standard_streams();
    sleep(kSecondsKept);
    unlink(file.c_str());
    _exit(0);
  }
  if (child < 0) {
    unlink(file.c_str());
  } else {
    waitpid(child, nullptr, 0);
  }
}

}  // namespace

bool show_in_browser(const fs::path& folder, const std::string& link) {
  if (std::getenv("DISPLAY") == nullptr && std::getenv("WAYLAND_DISPLAY") == nullptr) return true;
  remove_left_overs(folder);
  const fs::path file =
      fs::absolute(folder) / (std::string(kPrefix) + std::to_string(getpid()) + ".html");
  const std::string page = page_to(link);
  if (!io::replace_file(file, base::as_bytes(page))) return false;
  const bool shown = run_browser(file);
  if (shown) {
    remove_later(file);
  } else {
    unlink(file.c_str());
  }
  return shown;
}

}  // namespace meshstow::app
