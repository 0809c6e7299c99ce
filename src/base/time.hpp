// base/time.hpp: time as an argument.
//
// Nothing in the core reads a clock. Every entry point takes a `Now` that the driver (src/io) or
// the simulator made. Timers use `mono`, which never goes back; `wall` is only written into
// messages, announces and records, may be years wrong, and decides nothing but expiry dates.
#pragma once

#include <chrono>
#include <cstdint>

namespace meshstow::base {

using Duration = std::chrono::microseconds;

struct MonotonicClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

struct WallClock {  // epoch: 1970-01-01T00:00:00Z
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};

using TimePoint = MonotonicClock::time_point;
using WallTime = WallClock::time_point;

inline constexpr TimePoint kNever = TimePoint::max();

struct Now {
  TimePoint mono{};
  WallTime wall{};
};

inline std::int64_t unix_seconds(WallTime wall) {
  return std::chrono::floor<std::chrono::seconds>(wall.time_since_epoch()).count();
}

inline WallTime wall_from_unix_seconds(std::int64_t seconds) {
  return WallTime{std::chrono::seconds{seconds}};
}

}  // namespace meshstow::base

namespace meshstow {
using base::Duration;
using base::kNever;
using base::Now;
using base::TimePoint;
using base::WallTime;
}  // namespace meshstow
