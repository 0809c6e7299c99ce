#include "storage/lived_time.hpp"

#include <algorithm>

namespace meshstow::storage {

void LivedTime::resume(Duration lived, std::optional<WallTime> wall) {
  *this = LivedTime{};
  lived_ = lived;
  stored_at_ = wall;
}

bool LivedTime::advance(Now now) {
  const auto jump = step(now);
  started_ = true;
  at_ = now;
  if (!jump) return false;
  jump_ = jump;
  held_until_ = lived_ + kHold;
  return true;
}

std::optional<LivedTime::Jump> LivedTime::step(Now now) {
  if (started_) {
    const Duration elapsed = std::max(now.mono - at_.mono, Duration::zero());
    const Duration off = now.wall - at_.wall - elapsed;
    lived_ += elapsed;
    return std::chrono::abs(off) > kJump ? std::optional(Jump{off, false}) : std::nullopt;
  }
  if (!stored_at_) return std::nullopt;
  const Duration between = now.wall - *stored_at_;
  lived_ += std::clamp(between, Duration::zero(), kMostBetween);
  const bool plausible = between >= -kJump && between <= kMostBetween + kJump;
  return plausible ? std::nullopt : std::optional(Jump{between, true});
}

}  // namespace meshstow::storage
