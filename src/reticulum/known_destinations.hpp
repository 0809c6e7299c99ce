// reticulum/known_destinations.hpp: keys, application data and ratchets of destinations heard of.
//
// At most limits::kKnownDestinations; a newcomer takes the place of one that we never used: of the
// interface that told of most of them, the longest silent. So a flood of announces pushes out
// neither our own correspondents nor what others told. What a lost interface told, and what was
// saved, count as one interface.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/limits.hpp"
#include "codec/msgpack.hpp"
#include "reticulum/announce.hpp"
#include "reticulum/endpoint.hpp"

namespace meshstow::reticulum {

inline constexpr std::int64_t kRatchetLifetimeSeconds = 30LL * 24 * 3600;  // facts/reticulum.md 1

class KnownDestinations {
 public:
  static constexpr InterfaceId kNoInterface = 0;  // a file
  explicit KnownDestinations(std::size_t capacity = limits::kKnownDestinations)
      : capacity_(capacity) {}

  // False, and no change, if the destination is known with another key.
  bool learn(const Announce& announce, WallTime now, InterfaceId from = kNoInterface);
  // Whether `announce` carries the key we know, or one of a destination we do not know.
  [[nodiscard]] bool agrees(const Announce& announce) const;
  void used(const DestinationHash& destination);
  void forget_interface(InterfaceId interface);
  [[nodiscard]] bool is_used(const DestinationHash& destination) const {
    const auto found = known_.find(destination);
    return found != known_.end() && found->second.used;
  }

  [[nodiscard]] std::optional<KnownDestination> find(const DestinationHash& destination) const;
  [[nodiscard]] std::optional<crypto::X25519Public> ratchet(const DestinationHash& destination,
                                                            WallTime now) const;

  // Records one after another, each
  // [name hash, public key, app data or nil, ratchet or nil, Unix seconds of it, used]:
  // all of them, the next to be forgotten first; or at most so many of those that changed since
  // they were last packed, which become unchanged by it.
  [[nodiscard]] Bytes pack() const;
  [[nodiscard]] Bytes pack_changes(std::size_t most);
  // Later records of a destination replace earlier ones; what was heard since the start stays.
  // Errc::malformed: what follows the records that were taken is none.
  [[nodiscard]] Result<void> unpack(ByteView records);

  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  struct Entry {
    Hash10 name;
    KnownDestination known;
    std::optional<crypto::X25519Public> ratchet;
    std::int64_t ratchet_seconds = 0;
    bool used = false;
    bool changed = false;   // is in changed_
    bool unpacked = false;  // not heard since the start
    InterfaceId from = kNoInterface;
    std::uint64_t order = 0;  // larger: heard or used later
  };
  using Turns = std::map<std::uint64_t, DestinationHash>;  // by order
  [[nodiscard]] Turns& turns_of(const Entry& entry);
  void requeue(const DestinationHash& destination, Entry& entry);
  [[nodiscard]] DestinationHash next_to_go() const;
  Entry& insert(const DestinationHash& destination, Entry entry);
  void forget(const DestinationHash& destination);
  void changed(const DestinationHash& destination, Entry& entry);
  static void pack(codec::MsgpackWriter& writer, const Entry& entry);
  static Result<Entry> unpack_one(codec::MsgpackReader& reader);

  std::size_t capacity_;
  std::unordered_map<DestinationHash, Entry, base::FixedBytesHash> known_;
  std::map<InterfaceId, Turns> unused_;
  Turns used_;
  std::uint64_t next_order_ = 1;
  std::deque<DestinationHash> changed_;  // may hold some that were forgotten meanwhile
};

}  // namespace meshstow::reticulum
