// reticulum/services.hpp: what the parts of one endpoint share. Owned by the endpoint, which
// outlives its links.
#pragma once

#include <array>
#include <unordered_map>
#include <vector>

#include "base/mesh_limits.hpp"
#include "reticulum/fair_queue.hpp"
#include "reticulum/outbox.hpp"
#include "reticulum/packet_filter.hpp"
#include "reticulum/shared_places.hpp"

namespace meshstow::reticulum {

// Every bound on what links hold has a part for each of these, which the others cannot take.
enum class LinkPart : std::uint8_t {
  own,        // opened by us
  anonymous,  // opened by somebody who has shown no right
  favoured,   // opened by somebody who has: see Endpoint::favour
};

// What the links of one part hold.
struct LinkRoom {
  SharedPlaces<TransferId, std::hash<TransferId>> incoming;  // segments being received
  SharedPlaces<LinkId, base::FixedBytesHash> outgoing;       // bytes that the peer is to take
};

// How long something that holds room must have stood still to lose it to another of its own.
inline constexpr Duration kStandstill = std::chrono::seconds(2);

// A compressed segment of which more is to be opened in a later turn.
struct UnopenedSegment {
  LinkId link;
  TransferId transfer = 0;
  [[nodiscard]] static std::size_t size() { return 0; }  // counted with what is received
};

struct Services {
  Services(base::Rng& source, EndpointOptions chosen)
      : rng(source), options(chosen), packets_seen(source.next_u64()) {}

  base::Rng& rng;
  EndpointOptions options;
  Outbox out;
  PacketFilter packets_seen;
  std::unordered_map<TransferId, LinkId> transfers;  // the link of each transfer under way
  TransferId next_transfer = 1;
  std::array<LinkRoom, 3> rooms;    // by LinkPart
  std::vector<TransferId> evicted;  // incoming ones that are to fail: others need their room
  FairQueue<UnopenedSegment> unopened{3 * limits::kIncomingSegments, 3 * limits::kIncomingSegments};
  std::size_t incoming_bytes = 0;  // of segments being received, as far as they are there
  LinkStatistics link_counts;      // what only grows of them
  TransferStatistics transfer_counts;

  [[nodiscard]] LinkRoom& room(LinkPart part) { return rooms[static_cast<std::size_t>(part)]; }
};

}  // namespace meshstow::reticulum
