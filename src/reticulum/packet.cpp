#include "reticulum/packet.hpp"

#include "crypto/hash.hpp"

namespace meshstow::reticulum {
namespace {

constexpr Byte kAccessCodeFlag = 0x80;
constexpr Byte kHeader2Flag = 0x40;
constexpr Byte kContextFlag = 0x20;
constexpr Byte kTransportFlag = 0x10;

// Destination type and packet type: the part of the flags that survives relaying.
Byte low_flags(const Packet& packet) {
  return static_cast<Byte>((static_cast<unsigned>(packet.destination_type) << 2) |
                           static_cast<unsigned>(packet.type));
}

}  // namespace

Result<Packet> parse_packet(ByteView raw) {
  if (raw.size() < kHeader1Size) return fail(Errc::malformed, "packet shorter than its header");
  const Byte flags = raw[0];
  if (flags & kAccessCodeFlag) return fail(Errc::malformed, "packet with an access code");
  if (raw[1] > kMaxWireHops) return fail(Errc::malformed, "packet with too many hops");

  Packet packet;
  packet.type = static_cast<PacketType>(flags & 0x03);
  packet.destination_type = static_cast<DestinationType>((flags >> 2) & 0x03);
  packet.in_transport = (flags & kTransportFlag) != 0;
  packet.context_flag = (flags & kContextFlag) != 0;
  packet.hops = raw[1];

  ByteView rest = raw.subspan(2);
  if (flags & kHeader2Flag) {
    if (raw.size() < kHeader2Size) return fail(Errc::malformed, "packet shorter than its header");
    packet.transport_id = Hash16::prefix_of(rest);
    rest = rest.subspan(Hash16::size());
  }
  packet.destination = Hash16::prefix_of(rest);
  packet.context = static_cast<PacketContext>(rest[Hash16::size()]);
  packet.data = rest.subspan(Hash16::size() + 1);
  return packet;
}

Bytes pack_packet(const Packet& packet) {
  Bytes out;
  out.reserve(kHeader2Size + packet.data.size());
  Byte flags = low_flags(packet);
  if (packet.transport_id) flags |= kHeader2Flag;
  if (packet.context_flag) flags |= kContextFlag;
  if (packet.in_transport) flags |= kTransportFlag;
  out.push_back(flags);
  out.push_back(packet.hops);
  if (packet.transport_id) base::append(out, packet.transport_id->view());
  base::append(out, packet.destination.view());
  out.push_back(static_cast<Byte>(packet.context));
  base::append(out, packet.data);
  return out;
}

Hash32 packet_hash(const Packet& packet) {
  const Byte flags[] = {low_flags(packet)};
  const Byte context[] = {static_cast<Byte>(packet.context)};
  return crypto::sha256({flags, packet.destination.view(), context, packet.data});
}

}  // namespace meshstow::reticulum
