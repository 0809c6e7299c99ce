// storage/lived_time.hpp: the time that a space has lived through, by which its history ages.
//
// A wall clock that is wrong for a minute must not make versions old. So while the store is open
// monotonic time counts (suspension included, if the driver's does), and between two openings the
// difference of the wall clocks, from zero to at most a day. A clock that was wrong can therefore
// age the space by no more than a day for each opening, and never makes it younger.
#pragma once

#include <optional>

#include "base/time.hpp"

namespace meshstow::storage {

class LivedTime {
 public:
  static constexpr Duration kMostBetween = std::chrono::hours{24};
  // The wall clock may differ by this from what is counted before it is said to have jumped.
  static constexpr Duration kJump = std::chrono::hours{1};
  // Nothing is swept for its age for so long after a jump: somebody may want to see what it was.
  static constexpr Duration kHold = std::chrono::hours{1};

  // What the store remembers: the time lived until `wall`. nullopt: it does not know when that was.
  void resume(Duration lived, std::optional<WallTime> wall);
  // True: the wall clock jumped since the last call, or since `wall`.
  bool advance(Now now);

  [[nodiscard]] Duration lived() const { return lived_; }
  [[nodiscard]] WallTime wall() const { return at_.wall; }  // of the last advance()
  [[nodiscard]] bool is_held() const { return lived_ < held_until_; }

  struct Jump {
    Duration by{};                  // below zero: back
    bool between_openings = false;  // then it may be that nothing was open for so long
  };
  [[nodiscard]] const std::optional<Jump>& last_jump() const { return jump_; }

 private:
  [[nodiscard]] std::optional<Jump> step(Now now);

  Duration lived_{};
  std::optional<WallTime> stored_at_;
  bool started_ = false;
  Now at_;
  Duration held_until_{};
  std::optional<Jump> jump_;
};

}  // namespace meshstow::storage
