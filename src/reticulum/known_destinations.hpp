// reticulum/known_destinations.hpp: keys, application data and ratchets of destinations heard of.
//
// At most limits::kKnownDestinations; a newcomer takes the place of the one longest silent among
// those we never used, so that a flood of announces does not push out our own correspondents.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>

#include "base/limits.hpp"
#include "reticulum/announce.hpp"
#include "reticulum/endpoint.hpp"

namespace meshstow::reticulum {

inline constexpr std::int64_t kRatchetLifetimeSeconds = 30LL * 24 * 3600;  // facts/reticulum.md 1

class KnownDestinations {
 public:
  explicit KnownDestinations(std::size_t capacity = limits::kKnownDestinations)
      : capacity_(capacity) {}

  // False, and no change, if the destination is known with another key.
  bool learn(const Announce& announce, WallTime now);
  // Whether `announce` carries the key we know, or one of a destination we do not know.
  [[nodiscard]] bool agrees(const Announce& announce) const;
  void used(const DestinationHash& destination);

  [[nodiscard]] std::optional<KnownDestination> find(const DestinationHash& destination) const;
  [[nodiscard]] std::optional<crypto::X25519Public> ratchet(const DestinationHash& destination,
                                                            WallTime now) const;

  // [1, [[name hash, public key, app data or nil, ratchet or nil, Unix seconds of it, used], ...]]
  [[nodiscard]] Bytes pack() const;
  // Errc::malformed: not ours, and nothing was taken. What is known already stays.
  [[nodiscard]] Result<void> unpack(ByteView packed);

  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  struct Entry {
    Hash10 name;
    KnownDestination known;
    std::optional<crypto::X25519Public> ratchet;
    std::int64_t ratchet_seconds = 0;
    bool used = false;
    std::uint64_t order = 0;
  };
  struct Turn {  // who goes first: the unused before the used, then the longest silent
    bool used = false;
    std::uint64_t order = 0;
    DestinationHash destination;
    auto operator<=>(const Turn&) const = default;
  };
  void requeue(const DestinationHash& destination, Entry& entry);
  void insert(const DestinationHash& destination, Entry entry);

  std::size_t capacity_;
  std::unordered_map<DestinationHash, Entry, base::FixedBytesHash> known_;
  std::set<Turn> turns_;
  std::uint64_t next_order_ = 1;
  std::uint64_t revision_ = 0;
};

}  // namespace meshstow::reticulum
