#include "node/announcer.hpp"

#include <algorithm>

namespace meshstow::node {
namespace {

constexpr Duration kSoon = std::chrono::milliseconds(500);  // several interfaces come up together
constexpr Duration kFirstGap = std::chrono::seconds(10);
constexpr Duration kJitter = std::chrono::minutes(1);

}  // namespace

Announcer::Announcer(reticulum::Endpoint& endpoint, base::Rng& rng, Duration every)
    : endpoint_(endpoint), rng_(rng), every_(every), gap_(kFirstGap) {}

void Announcer::start(Now now, const reticulum::DestinationHash& destination) {
  destination_ = destination;
  announce(now);
}

void Announcer::usage_changed(Now now, const storage::Usage& usage) {
  space_left_ = usage.space_left;
  fingerprint_ = usage.fingerprint;
  set_data(now);
}

// Answers to path requests carry the data too, so that they are set whenever they change.
void Announcer::set_data(Now now) {
  if (!destination_) return;
  protocol::Announcement announcement;
  announcement.capabilities = {"store"};  // what it can do, and nothing else
  announcement.space_available = space_left_;
  announcement.timestamp =
      std::max(now.wall, base::wall_from_unix_seconds(
                             static_cast<std::int64_t>(endpoint_.announced_at(*destination_))));
  announcement.fingerprint = fingerprint_;
  endpoint_.set_app_data(*destination_, protocol::write_announcement(announcement));
}

void Announcer::announce(Now now) {
  if (!destination_) return;
  set_data(now);
  static_cast<void>(endpoint_.announce(now, *destination_).has_value());  // it is ours: it can
  if (interfaces_up_ > 0) last_ = now.mono;
  regular_ =
      now.mono + every_ +
      Duration(static_cast<Duration::rep>(rng_.below(static_cast<std::uint64_t>(kJitter.count()))));
  next_ = regular_;
}

void Announcer::interfaces_changed(Now now, std::size_t up) {
  const bool more = up > interfaces_up_;
  interfaces_up_ = up;
  if (!more || !destination_) return;
  const TimePoint soon = now.mono + kSoon;
  next_ = std::min(next_, last_ ? std::max(soon, *last_ + gap_) : soon);
}

void Announcer::handle_deadline(Now now) {
  if (now.mono < next_) return;
  const bool is_regular = next_ == regular_;
  gap_ = is_regular ? kFirstGap : std::min(gap_ * 2, every_);
  announce(now);
}

}  // namespace meshstow::node
