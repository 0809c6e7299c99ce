#include "io/held_signals.hpp"

namespace meshstow::io {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

// The kernel keeps a blocked signal even where it is ignored.
bool is_ignored(int number) {
  struct sigaction now {};
  return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

HeldSignals::HeldSignals() {
  sigset_t held;
  ::sigemptyset(&held);
  for (const int number : kSignals) {
    if (!is_ignored(number)) ::sigaddset(&held, number);
  }
  ::pthread_sigmask(SIG_BLOCK, &held, &before_);
}

HeldSignals::~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool is_told_to_end() {
  sigset_t waiting;
  ::sigemptyset(&waiting);
  ::sigpending(&waiting);
  for (const int number : kSignals) {
    if (::sigismember(&waiting, number) == 1) return true;
  }
  return false;
}

}  // namespace meshstow::io
