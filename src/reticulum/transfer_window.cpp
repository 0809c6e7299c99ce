#include "reticulum/transfer_window.hpp"

#include <algorithm>

#include "reticulum/wire.hpp"

namespace meshstow::reticulum {
namespace {

constexpr std::size_t kSmallest = 2;
constexpr std::size_t kLargest = 10;
constexpr std::size_t kLargestVerySlow = 4;
constexpr double kFastBytesPerSecond = 6250;
constexpr double kVerySlowBytesPerSecond = 250;
constexpr int kRoundsToBeSure = 2;
// Link request and proof: what the first round trip carried.
constexpr double kHandshakeBytes = 205;
constexpr double kShortestRoundTripSeconds = 0.001;

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

}  // namespace

void TransferWindow::asked(TimePoint now, bool nothing_outstanding) {
  if (!nothing_outstanding) return;
  round_began_ = now;
  round_bytes_ = 0;
  round_parts_ = 0;
}

void TransferWindow::arrived(TimePoint now, std::size_t bytes) {
  round_bytes_ += bytes;
  if (++round_parts_ >= size_) round_complete(now);
}

void TransferWindow::round_complete(TimePoint now) {
  const double elapsed = std::max(seconds(now - round_began_), 1e-5);
  const double rate = static_cast<double>(round_bytes_) / elapsed;
  bytes_per_second_ = bytes_per_second_ == 0 ? rate : (bytes_per_second_ + rate) / 2;
  fast_rounds_ = rate > kFastBytesPerSecond ? fast_rounds_ + 1 : 0;
  slow_rounds_ = rate < kVerySlowBytesPerSecond ? slow_rounds_ + 1 : 0;
  fast_ = fast_ || fast_rounds_ >= kRoundsToBeSure;
  const bool very_slow = !fast_ && slow_rounds_ >= kRoundsToBeSure;
  const std::size_t largest = fast_ ? kMostPartsAsked : very_slow ? kLargestVerySlow : kLargest;
  size_ = std::min(largest, fast_ && lossless_ ? 2 * size_ : size_ + 1);
  round_began_ = now;
  round_bytes_ = 0;
  round_parts_ = 0;
}

void TransferWindow::timed_out() {
  lossless_ = false;
  size_ = std::max(kSmallest, size_ - 1);
}

Duration TransferWindow::expected_flight(std::size_t bytes) const {
  const double rate = bytes_per_second_ > 0 ? bytes_per_second_
                                            : kHandshakeBytes / std::max(seconds(round_trip_),
                                                                         kShortestRoundTripSeconds);
  const auto flight =
      duration_from_seconds(static_cast<double>(bytes) / rate, std::chrono::hours(1));
  return std::max(flight, round_trip_);
}

}  // namespace meshstow::reticulum
