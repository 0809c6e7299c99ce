// reticulum/transfer_window.hpp: how many resource parts a receiver asks for at once, and how long
// it waits.
//
// One per link and direction: the next segment starts with what the last one learnt. Doubles on
// fast links until the first loss, then grows by one a round. Source: facts/reticulum.md 8.4 (the
// limits; the policy is ours).
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace meshstow::reticulum {

class TransferWindow {
 public:
  explicit TransferWindow(Duration round_trip) : round_trip_(round_trip) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  // On fast links the next parts are asked for before the last have come. On slow, half-duplex ones
  // a request in the middle of the answer would only collide with it.
  [[nodiscard]] bool asks_ahead() const { return fast_; }

  void asked(TimePoint now, bool nothing_outstanding);
  void arrived(TimePoint now, std::size_t bytes);
  void timed_out();

  // How long `bytes` are likely to be under way.
  [[nodiscard]] Duration expected_flight(std::size_t bytes) const;

 private:
  void round_complete(TimePoint now);

  Duration round_trip_;
  std::size_t size_ = 4;
  bool fast_ = false;
  bool lossless_ = true;
  int fast_rounds_ = 0;
  int slow_rounds_ = 0;
  double bytes_per_second_ = 0;  // 0: not measured
  TimePoint round_began_{};
  std::size_t round_bytes_ = 0;
  std::size_t round_parts_ = 0;
};

}  // namespace meshstow::reticulum
