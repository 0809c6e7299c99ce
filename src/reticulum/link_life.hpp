// reticulum/link_life.hpp: when a link shows that it is alive, and when it is taken for dead.
//
// Pure timing: told what came in and went out, it says what is due. Source: facts/reticulum.md 6.2.
#pragma once

#include "base/time.hpp"

namespace meshstow::reticulum {

class LinkLife {
 public:
  enum class Due { nothing, keepalive, close };

  void start(TimePoint now, bool initiator, Duration round_trip);
  void inbound(TimePoint now);

  // `last_sent`: when anything at all was last sent on the link.
  [[nodiscard]] TimePoint deadline(TimePoint last_sent) const;
  Due check(TimePoint now, TimePoint last_sent);
  // Whether the responder has been silent for so long that a keepalive deserves an answer.
  [[nodiscard]] bool answers_keepalive(TimePoint now, TimePoint last_sent) const {
    return now >= last_sent + interval_;
  }

  [[nodiscard]] bool stale() const { return close_at_ != kNever; }
  [[nodiscard]] Duration interval() const { return interval_; }

 private:
  [[nodiscard]] TimePoint next_keepalive(TimePoint last_sent) const;

  bool initiator_ = false;
  Duration interval_{};
  Duration grace_{};  // between stale and closed
  TimePoint last_inbound_{};
  TimePoint last_keepalive_{};
  TimePoint close_at_ = kNever;
};

}  // namespace meshstow::reticulum
