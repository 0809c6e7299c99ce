// apps/meshstow/progress_bar.hpp: bytes and rate of a transfer, on a terminal only.
//
// One line on standard error, drawn at most ten times a second, from the first half second on: what
// is quick shows none. Threading: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace meshstow::app {

class ProgressBar {
 public:
  explicit ProgressBar(bool wanted);  // draws nothing if not, or if standard error is no terminal
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  enum class Unit { bytes, items };
  // `total` 0: not known. A new stage starts its own rate.
  void update(std::string_view stage, std::uint64_t done, std::uint64_t total,
              Unit unit = Unit::bytes);
  void clear();  // takes the line away, before anything else is printed

 private:
  using Clock = std::chrono::steady_clock;
  void draw(std::uint64_t done, std::uint64_t total, Unit unit, Clock::time_point now);

  bool on_;
  bool drawn_ = false;
  std::string stage_;
  Clock::time_point begun_, stage_begun_, last_drawn_;
};

}  // namespace meshstow::app
