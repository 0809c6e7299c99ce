// apps/meshstow/progress_line.hpp: the line that says what a command waits for, or how far it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace meshstow::app {

struct Progress {
  std::string stage;                         // "Looking for a path"
  std::uint64_t done = 0, total = 0;         // total 0: not known
  bool counted = false;                      // things, not bytes
  std::chrono::milliseconds waited{};        // since the command began
  std::chrono::milliseconds transferring{};  // since this stage began
};

// At most `columns` wide: what has no room is left out, percent and time left last. `turn` moves
// the spinner on.
[[nodiscard]] std::string progress_line(const Progress& progress, std::size_t columns,
                                        unsigned turn);

}  // namespace meshstow::app
