// http/rate_limit.hpp: how often one peer address may fail at guessing a secret.
//
// A bucket per address (IPv6: per /64): limits::kFailureBurst failures at once, then one per
// limits::kFailureEvery. Whoever asks looks at the secret first and counts only what was wrong: a
// page that guesses from the user's own address delays nothing that is right.
#pragma once

#include <chrono>
#include <optional>
#include <unordered_map>

#include "base/time.hpp"
#include "http/message.hpp"

namespace meshstow::http {

class FailureLimiter {
 public:
  // Notes one failure. nullopt: answer it as usual; else: refuse with 429 and this Retry-After.
  std::optional<std::chrono::seconds> note_failure(Now now, const PeerAddress& peer);

 private:
  struct Bucket {
    std::uint32_t failures = 0;
    TimePoint counted{};  // `failures` is as of then
  };
  static PeerAddress key_of(const PeerAddress& peer);
  static Bucket decayed(const Bucket& bucket, Now now);
  void make_room(Now now);
  [[nodiscard]] std::optional<std::chrono::seconds> over_limit(Now now,
                                                               const PeerAddress& peer) const;
  std::unordered_map<PeerAddress, Bucket, base::FixedBytesHash> buckets_;
};

}  // namespace meshstow::http
