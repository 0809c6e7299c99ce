// reticulum/services.hpp: what the parts of one endpoint share. Owned by the endpoint, which
// outlives its links.
#pragma once

#include <unordered_map>

#include "reticulum/outbox.hpp"
#include "reticulum/packet_filter.hpp"

namespace meshstow::reticulum {

// Bytes that incoming resource segments may occupy, over all links together.
inline constexpr std::size_t kIncomingSegmentBytes = 256UL * 1024 * 1024;

struct Services {
  Services(base::Rng& source, EndpointOptions chosen)
      : rng(source), options(chosen), packets_seen(source.next_u64()) {}

  base::Rng& rng;
  EndpointOptions options;
  Outbox out;
  PacketFilter packets_seen;
  std::unordered_map<TransferId, LinkId> transfers;  // the link of each transfer under way
  TransferId next_transfer = 1;
  std::size_t incoming_segment_bytes = 0;
};

}  // namespace meshstow::reticulum
