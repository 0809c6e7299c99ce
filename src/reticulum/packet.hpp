// reticulum/packet.hpp: one Reticulum packet as fields, and its hash.
//
// A Packet borrows its data. `hops` is the byte as it stands on the wire: the receiver adds 1.
// Source: facts/reticulum.md 3.
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "reticulum/wire.hpp"

namespace meshstow::reticulum {

struct Packet {
  PacketType type = PacketType::data;
  DestinationType destination_type = DestinationType::single;
  PacketContext context = PacketContext::none;
  Hash16 destination;
  ByteView data;
  std::optional<Hash16> transport_id;  // set: header 2
  bool in_transport = false;
  bool context_flag = false;  // in announces: a ratchet is present
  std::uint8_t hops = 0;
};

// Errc::malformed: too short for its header, 128 hops or more, or an access code we did not remove.
[[nodiscard]] Result<Packet> parse_packet(ByteView raw);
Bytes pack_packet(const Packet& packet);

// Independent of hops, header type, transport id and context flag.
Hash32 packet_hash(const Packet& packet);

inline Hash16 truncated(const Hash32& hash) { return Hash16::prefix_of(hash.view()); }

}  // namespace meshstow::reticulum
