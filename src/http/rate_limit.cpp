#include "http/rate_limit.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace meshstow::http {

PeerAddress FailureLimiter::key_of(const PeerAddress& peer) {
  constexpr std::array<Byte, 12> kMappedIpv4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMappedIpv4.begin(), kMappedIpv4.end(), peer.bytes.begin())) {
    // The hash of FixedBytes takes the first bytes: put the address there.
    PeerAddress key = peer;
    std::rotate(key.bytes.begin(), key.bytes.begin() + 12, key.bytes.end());
    return key;
  }
  PeerAddress key = peer;
  std::fill(key.bytes.begin() + 8, key.bytes.end(), Byte{0});
  return key;
}

FailureLimiter::Bucket FailureLimiter::decayed(const Bucket& bucket, Now now) {
  const auto elapsed = now.mono - bucket.counted;
  const auto forgiven = elapsed / Duration(limits::kFailureEvery);
  if (forgiven <= 0) return bucket;
  if (forgiven >= bucket.failures) return {0, now.mono};
  return {bucket.failures - static_cast<std::uint32_t>(forgiven),
          bucket.counted + forgiven * Duration(limits::kFailureEvery)};
}

void FailureLimiter::make_room(Now now) {
  if (buckets_.size() < limits::kFailureAddresses) return;
  std::erase_if(buckets_,
                [&](const auto& entry) { return decayed(entry.second, now).failures == 0; });
  if (buckets_.size() >= limits::kFailureAddresses) buckets_.erase(buckets_.begin());
}

std::optional<std::chrono::seconds> FailureLimiter::note_failure(Now now, const PeerAddress& peer) {
  const PeerAddress key = key_of(peer);
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    make_room(now);
    found = buckets_.emplace(key, Bucket{0, now.mono}).first;
  }
  found->second = decayed(found->second, now);
  if (const auto wait = over_limit(now, peer)) return wait;
  ++found->second.failures;
  return std::nullopt;
}

std::optional<std::chrono::seconds> FailureLimiter::over_limit(Now now,
                                                               const PeerAddress& peer) const {
  const auto found = buckets_.find(key_of(peer));
  if (found == buckets_.end()) return std::nullopt;
  const Bucket bucket = decayed(found->second, now);
  if (bucket.failures < limits::kFailureBurst) return std::nullopt;
  const Duration wait = bucket.counted + Duration(limits::kFailureEvery) - now.mono;
  return std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1));
}

}  // namespace meshstow::http
