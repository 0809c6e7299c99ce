// reticulum/path_table.hpp: by which neighbour and interface each destination is reached.
//
// A path lives kPathLifetime after its announce or its last use. At most kPaths are kept: of the
// interface that gave most of them, the one longest unused makes room. Source:
// facts/reticulum.md 10.1, rules 4 and 5.
#pragma once

#include <unordered_map>
#include <vector>

#include "base/limits.hpp"
#include "reticulum/announce.hpp"
#include "reticulum/endpoint.hpp"
#include "reticulum/shared_places.hpp"

namespace meshstow::reticulum {

inline constexpr Duration kPathLifetime = std::chrono::hours(24 * 7);
inline constexpr std::size_t kPaths = limits::kKnownDestinations;
inline constexpr std::size_t kAnnounceRandomsKept = 64;

struct Path {
  Hash16 next_hop;  // transport id of the relay, or the destination itself if it is a neighbour
  std::uint8_t hops = 0;
  InterfaceId interface = 0;
  TimePoint heard{};
  TimePoint expires{};
  Hash32 announce;                      // packet hash
  std::vector<AnnounceRandom> randoms;  // of the announces heard, oldest first

  [[nodiscard]] std::uint64_t newest_seconds() const;
};

struct PathOffer {
  Hash16 next_hop;
  std::uint8_t hops = 0;
  InterfaceId interface = 0;
  Hash32 announce;
  AnnounceRandom random;
};

// What an announce meant for the table.
enum class PathVerdict {
  taken,     // the table now holds this path
  stale,     // older than what is known
  repeated,  // this very announce, by another way or again
  set_back,  // older by more than a day and never heard: that node's clock was set back
};

class PathTable {
 public:
  explicit PathTable(std::size_t capacity = kPaths) : capacity_(capacity) {}
  PathVerdict offer(TimePoint now, const DestinationHash& destination, const PathOffer& offer);

  // nullptr: none, or expired.
  [[nodiscard]] const Path* find(TimePoint now, const DestinationHash& destination) const;
  [[nodiscard]] std::optional<std::uint8_t> hops_to(const DestinationHash& destination) const;
  void used(TimePoint now, const DestinationHash& destination);
  void correct_hops(const DestinationHash& destination, std::uint8_t hops);
  void forget(const DestinationHash& destination);
  void forget_interface(InterfaceId interface);
  [[nodiscard]] std::size_t size() const { return paths_.size(); }

 private:
  std::size_t capacity_;

  std::unordered_map<DestinationHash, Path, base::FixedBytesHash> paths_;
  SharedPlaces<DestinationHash, base::FixedBytesHash> places_;
};

}  // namespace meshstow::reticulum
