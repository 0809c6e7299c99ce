// What parses as a packet packs to the same bytes, and its hash does not depend on what relays
// change.
#include "base/check.hpp"
#include "reticulum/packet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  using namespace meshstow::reticulum;
  const ByteView input(data, size);
  const auto packet = parse_packet(input);
  if (!packet) return 0;
  MESHSTOW_CHECK(pack_packet(*packet) == base::to_bytes(input));
  Packet relayed = *packet;
  relayed.hops = static_cast<std::uint8_t>((packet->hops + 1) % kMaxWireHops);
  relayed.transport_id = Hash16{};
  relayed.in_transport = !packet->in_transport;
  relayed.context_flag = !packet->context_flag;
  MESHSTOW_CHECK(packet_hash(relayed) == packet_hash(*packet));
  return 0;
}
