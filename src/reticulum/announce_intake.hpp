// reticulum/announce_intake.hpp: announces that came in, until their signatures are checked.
//
// Anybody can send announces, and each costs a signature check. So they wait, each interface's
// by themselves and those that somebody here waits for apart from the others, and check_one() takes
// them in turn. What was checked before is known by its hash and costs nothing more.
// Source: facts/reticulum.md 4, 10.1.
#pragma once

#include <unordered_set>

#include "reticulum/destination.hpp"
#include "reticulum/known_destinations.hpp"
#include "reticulum/link_table.hpp"

namespace meshstow::reticulum {

// The latest hashes, whole: a fingerprint could be met by somebody who tries long enough. Two
// generations: when the current one is full it becomes the previous one.
class RecentHashes {
 public:
  explicit RecentHashes(std::size_t generation) : generation_(generation) {}
  void insert(const Hash32& hash) {
    if (current_.size() >= generation_) previous_ = std::exchange(current_, {});
    current_.insert(hash);
  }
  [[nodiscard]] bool contains(const Hash32& hash) const {
    return current_.contains(hash) || previous_.contains(hash);
  }

 private:
  using Hashes = std::unordered_set<Hash32, base::FixedBytesHash>;
  std::size_t generation_;
  Hashes current_, previous_;
};

class AnnounceIntake {
 public:
  AnnounceIntake(Services& services, InterfaceTable& interfaces, PathTable& paths,
                 PathRequests& path_requests, KnownDestinations& known, LinkTable& links)
      : services_(services),
        interfaces_(interfaces),
        paths_(paths),
        path_requests_(path_requests),
        known_(known),
        links_(links) {}

  // `packet` is an announce of a single destination that is not ours, `raw` the whole of it.
  void handle(Now now, InterfaceId from, std::uint8_t hops, const Packet& packet, ByteView raw);
  // Checks one signature. False: none waits.
  bool check_one(Now now);
  void interface_down(InterfaceId interface) { waiting_.forget(interface); }
  [[nodiscard]] const auto& waiting() const { return waiting_; }

 private:
  [[nodiscard]] bool wanted(const DestinationHash& destination) const;
  void refuse(InterfaceId from);
  void take(Now now, InterfaceId from, std::uint8_t hops, const Packet& packet,
            const Announce& announce, const Hash32& hash);

  Services& services_;
  InterfaceTable& interfaces_;
  PathTable& paths_;
  PathRequests& path_requests_;
  KnownDestinations& known_;
  LinkTable& links_;
  FairQueue<UncheckedPacket> waiting_{limits::kUncheckedPerInterface, limits::kUnchecked};
  RecentHashes genuine_{limits::kRememberedChecks};
  RecentHashes forged_{limits::kRememberedChecks};
};

}  // namespace meshstow::reticulum
