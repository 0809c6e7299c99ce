#include "reticulum/link_life.hpp"

#include <algorithm>

namespace meshstow::reticulum {
namespace {

using std::chrono::seconds;
constexpr Duration kShortest = seconds(5);
constexpr Duration kLongest = seconds(360);
constexpr double kLongestRoundTrip = 1.75;  // seconds; from here on the interval is the longest
constexpr int kStaleIntervals = 2;
constexpr int kGraceRoundTrips = 4;
constexpr Duration kGrace = seconds(5);

}  // namespace

void LinkLife::start(TimePoint now, bool initiator, Duration round_trip) {
  initiator_ = initiator;
  const auto scaled = static_cast<double>(round_trip.count()) * 360 / kLongestRoundTrip;
  interval_ = std::clamp(Duration{static_cast<Duration::rep>(scaled)}, kShortest, kLongest);
  grace_ = kGraceRoundTrips * round_trip + kGrace;
  last_inbound_ = now;
  last_keepalive_ = now;
  close_at_ = kNever;
}

void LinkLife::inbound(TimePoint now) {
  last_inbound_ = now;
  close_at_ = kNever;
}

TimePoint LinkLife::next_keepalive(TimePoint last_sent) const {
  if (!initiator_) return kNever;
  return std::max(std::min(last_inbound_, last_sent), last_keepalive_) + interval_;
}

TimePoint LinkLife::deadline(TimePoint last_sent) const {
  if (stale()) return close_at_;
  return std::min(next_keepalive(last_sent), last_inbound_ + kStaleIntervals * interval_);
}

LinkLife::Due LinkLife::check(TimePoint now, TimePoint last_sent) {
  if (stale()) return now >= close_at_ ? Due::close : Due::nothing;
  const bool becomes_stale = now >= last_inbound_ + kStaleIntervals * interval_;
  if (becomes_stale) close_at_ = now + grace_;
  // On becoming stale, one more keepalive: the responder may have thought that other traffic of its
  // own had kept us content.
  if (initiator_ && (becomes_stale || now >= next_keepalive(last_sent))) {
    last_keepalive_ = now;
    return Due::keepalive;
  }
  return Due::nothing;
}

}  // namespace meshstow::reticulum
