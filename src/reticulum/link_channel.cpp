#include "reticulum/link_channel.hpp"

namespace meshstow::reticulum {

LinkChannel::LinkChannel(Services& services, const LinkId& id, InterfaceId interface,
                         std::uint32_t mtu, const crypto::Secret64& key)
    : services_(services), id_(id), interface_(interface), mtu_(mtu), cipher_(key.view()) {
  sharer_.interface = interface;
}

Packet LinkChannel::packet(PacketContext context, ByteView data, PacketType type) const {
  return {.type = type,
          .destination_type = DestinationType::link,
          .context = context,
          .destination = id_,
          .data = data};
}

Hash32 LinkChannel::send(TimePoint now, PacketContext context, ByteView plaintext) {
  return send_clear(now, context, cipher_.seal(plaintext, services_.rng));
}

Hash32 LinkChannel::send_clear(TimePoint now, PacketContext context, ByteView data,
                               PacketType type) {
  const Packet sent = packet(context, data, type);
  const Hash32 hash = packet_hash(sent);
  // On a shared medium our own packets come back, and they would open with our own key.
  services_.packets_seen.insert(hash);
  services_.out.transmit(interface_, pack_packet(sent));
  last_sent_ = now;
  return hash;
}

void LinkChannel::send_part(TimePoint now, ByteView part) {
  services_.out.transmit(interface_,
                         pack_packet(packet(PacketContext::resource_part, part, PacketType::data)));
  last_sent_ = now;
}

}  // namespace meshstow::reticulum
