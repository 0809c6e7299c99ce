// io/clock.hpp: the real clocks. Monotonic time counts suspend too (CLOCK_BOOTTIME), so that links
// and paths age while a laptop sleeps.
#pragma once

#include "base/time.hpp"

namespace meshstow::io {
[[nodiscard]] Now read_clock();
}
