// node/announcer.hpp: when our destination is announced, and with which data.
//
// At the start, about hourly, and soon after an interface came up: an announce that was sent before
// a neighbour was there is lost. Transport nodes relay few announces an hour of one destination
// (facts/reticulum.md 4), so that those extra ones grow rarer until the next hourly one.
#pragma once

#include "base/rng.hpp"
#include "protocol/announcement.hpp"
#include "reticulum/endpoint.hpp"
#include "storage/types.hpp"

namespace meshstow::node {

class Announcer {
 public:
  Announcer(reticulum::Endpoint& endpoint, base::Rng& rng, Duration every);

  void start(Now now, const reticulum::DestinationHash& destination);
  void usage_changed(Now now, const storage::Usage& usage);
  void interfaces_changed(Now now, std::size_t up);
  void announce(Now now);
  void handle_deadline(Now now);
  [[nodiscard]] TimePoint deadline() const { return next_; }

 private:
  void set_data(Now now);

  reticulum::Endpoint& endpoint_;
  base::Rng& rng_;
  Duration every_;
  std::optional<reticulum::DestinationHash> destination_;
  std::uint64_t space_left_ = 0;
  std::optional<FixedBytes<8>> fingerprint_;
  std::size_t interfaces_up_ = 0;
  std::optional<TimePoint> last_;  // that anybody can have heard
  TimePoint next_ = kNever;
  TimePoint regular_ = kNever;
  Duration gap_;  // before the next extra announce
};

}  // namespace meshstow::node
