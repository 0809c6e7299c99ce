// apps/meshstow/waiting_line.hpp: on a terminal no waiting is silent.
//
// One line on standard error, redrawn ten times a second by a thread of its own, so that it lives
// while the command blocks. It appears within kFirst of its making; what is quicker shows none.
// Draws nothing where standard error is no terminal. Threading: calls from any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "progress_line.hpp"

namespace meshstow::app {

class WaitingLine {
 public:
  static constexpr std::chrono::milliseconds kFirst{150};
  static constexpr std::chrono::milliseconds kEvery{100};

  WaitingLine(bool wanted, std::string_view stage);
  ~WaitingLine();
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;

  // A new stage starts its own rate.
  void update(std::string_view stage, std::uint64_t done, std::uint64_t total, bool counted);
  // Takes the line away, before anybody else writes to the terminal; show() brings it back.
  void hide();
  void show();

 private:
  using Clock = std::chrono::steady_clock;
  void draw_until_told();
  void draw(Clock::time_point now);
  void erase();

  const bool on_;
  const Clock::time_point begun_ = Clock::now();
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  Progress progress_;
  Clock::time_point stage_begun_ = begun_;
  bool hidden_ = false;
  bool ended_ = false;
  bool drawn_ = false;
  unsigned turn_ = 0;
  std::thread drawer_;
};

}  // namespace meshstow::app
