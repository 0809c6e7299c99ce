// reticulum/path_requests.hpp: paths we ask for, and whose questions we have answered.
// Source: facts/reticulum.md 10.1.6, 10.1.7.
#pragma once

#include <deque>
#include <unordered_set>

#include "base/limits.hpp"
#include "reticulum/deadline_queue.hpp"
#include "reticulum/router.hpp"

namespace meshstow::reticulum {

struct PathRequest {
  DestinationHash wanted;
  ByteView tag;  // 1 to 16 bytes, borrowed
};
// Errc::malformed: too short, or without a tag.
[[nodiscard]] Result<PathRequest> parse_path_request(ByteView data);
// "rnstransport.path.request"
const DestinationHash& path_request_destination();

class PathRequests {
 public:
  PathRequests(Services& services, Router& router) : services_(services), router_(router) {}

  // Asks on all interfaces, unless an answer to the same question is still awaited. `report`:
  // PathFound or PathFailed is wanted; such a question is repeated once.
  void request(TimePoint now, const DestinationHash& destination, bool report);
  [[nodiscard]] bool pending(const DestinationHash& destination) const {
    return pending_.contains(destination);
  }
  void found(const DestinationHash& destination, std::uint8_t hops);

  // False if this very question was asked before.
  bool first_time(const PathRequest& question);

  [[nodiscard]] TimePoint deadline() const { return due_.next(); }
  // Repeats what is due; one destination that nobody answered for. Call until nullopt.
  std::optional<DestinationHash> give_up(TimePoint now);

 private:
  struct Question {
    TimePoint asked{};
    bool report = false;
    bool repeated = false;
  };
  void ask(const DestinationHash& destination);

  Services& services_;
  Router& router_;
  std::unordered_map<DestinationHash, Question, base::FixedBytesHash> pending_;
  DeadlineQueue<DestinationHash> due_;
  std::unordered_set<Hash16, base::FixedBytesHash> questions_;
  std::deque<Hash16> questions_in_order_;
};

}  // namespace meshstow::reticulum
