#include "reticulum/router.hpp"

namespace meshstow::reticulum {

void Router::send_on(InterfaceId interface, const Packet& packet) {
  services_.packets_seen.insert(packet_hash(packet));
  services_.out.transmit(interface, pack_packet(packet));
}

void Router::broadcast(const Packet& packet) {
  for (const auto& [id, interface] : interfaces_.all()) send_on(id, packet);
}

void Router::send_to_destination(TimePoint now, const Packet& packet) {
  const Path* path = paths_.find(now, packet.destination);
  const Interface* interface = path ? interfaces_.find(path->interface) : nullptr;
  if (!interface) return broadcast(packet);

  // Behind a shared instance the server itself is the first relay, even for its direct neighbours.
  const std::uint8_t direct_hops = interface->info.shared_instance ? 0 : 1;
  if (path->hops <= direct_hops) {
    send_on(path->interface, packet);
  } else {
    Packet relayed = packet;
    relayed.transport_id = path->next_hop;
    relayed.in_transport = true;
    relayed.context_flag = false;
    send_on(path->interface, relayed);
  }
  paths_.used(now, packet.destination);
}

}  // namespace meshstow::reticulum
