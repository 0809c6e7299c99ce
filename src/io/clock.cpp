#include "io/clock.hpp"

#include <time.h>

#include "base/check.hpp"

namespace meshstow::io {
namespace {

Duration read(clockid_t clock) {
  timespec at{};
  MESHSTOW_CHECK(clock_gettime(clock, &at) == 0);
  return std::chrono::seconds(at.tv_sec) + std::chrono::microseconds(at.tv_nsec / 1000);
}

}  // namespace

Now read_clock() { return {TimePoint{read(CLOCK_BOOTTIME)}, WallTime{read(CLOCK_REALTIME)}}; }

}  // namespace meshstow::io
