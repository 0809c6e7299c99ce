#include "waiting_line.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace meshstow::app {
namespace {

constexpr std::size_t kUsualColumns = 80;

// The terminal's own width, asked for every time since windows are resized; a COLUMNS that is
// narrower holds too. The last column stays free: some terminals go to the next line from it.
std::size_t columns() {
  std::size_t out = 0;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0) out = size.ws_col;
  if (const char* text = std::getenv("COLUMNS")) {
    const unsigned long told = std::strtoul(text, nullptr, 10);
    if (told > 0 && (out == 0 || told < out)) out = told;
  }
  return (out == 0 ? kUsualColumns : out) - 1;
}

// A thread that takes no signals: they are for the thread that holds them back or ends cleanly.
template <class Call>
std::thread without_signals(Call call) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread out(std::move(call));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return out;
}

}  // namespace

WaitingLine::WaitingLine(bool wanted, std::string_view stage)
    : on_(wanted && ::isatty(STDERR_FILENO) == 1) {
  progress_.stage = stage;
  if (on_) drawer_ = without_signals([this] { draw_until_told(); });
}

WaitingLine::~WaitingLine() {
  if (!on_) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  drawer_.join();
  erase();
}

void WaitingLine::update(std::string_view stage, std::uint64_t done, std::uint64_t total,
                         bool counted) {
  const std::lock_guard lock(mutex_);
  if (stage != progress_.stage) stage_begun_ = Clock::now();
  progress_.stage = stage;
  progress_.done = done;
  progress_.total = total;
  progress_.counted = counted;
}

void WaitingLine::hide() {
  const std::lock_guard lock(mutex_);
  hidden_ = true;
  erase();
}

void WaitingLine::show() {
  const std::lock_guard lock(mutex_);
  hidden_ = false;
}

void WaitingLine::draw_until_told() {
  std::unique_lock lock(mutex_);
  auto next = begun_ + kFirst;
  while (!changed_.wait_until(lock, next, [this] { return ended_; })) {
    const auto now = Clock::now();
    if (!hidden_) draw(now);
    next = now + kEvery;
  }
}

void WaitingLine::draw(Clock::time_point now) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  progress_.waited = duration_cast<milliseconds>(now - begun_);
  progress_.transferring = duration_cast<milliseconds>(now - stage_begun_);
  const std::string line = "\r\033[K" + progress_line(progress_, columns(), turn_++);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  drawn_ = true;
}

void WaitingLine::erase() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace meshstow::app
