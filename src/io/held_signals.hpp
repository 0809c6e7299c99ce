// io/held_signals.hpp: lets a process that is told to end take away what it was making. Internal to
// io.
#pragma once

#include <signal.h>

namespace meshstow::io {

// Holds back SIGINT, SIGTERM and SIGHUP, for this thread and those it starts from now on; with the
// object goes the hold, and the process dies by what came meanwhile. What was ignored stays so.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

 private:
  sigset_t before_{};
};

// One of them waits, so whatever takes long should end. Any thread.
[[nodiscard]] bool is_told_to_end();

}  // namespace meshstow::io
