#include "reticulum/announce_intake.hpp"

namespace meshstow::reticulum {
namespace {

// A relay puts its id in front of it.
constexpr std::size_t kLargestAnnounce = kMtu + Hash16::size();

}  // namespace

void AnnounceIntake::handle(Now now, InterfaceId from, std::uint8_t hops, const Packet& packet,
                            ByteView raw) {
  Interface& interface = *interfaces_.find(from);
  const Hash32 hash = packet_hash(packet);
  if (forged_.contains(hash)) {
    ++interface.counts.announces_repeated;
    return;
  }
  const auto announce = read_announce(packet);
  if (!announce || raw.size() > kLargestAnnounce || !known_.agrees(*announce)) return refuse(from);
  if (genuine_.contains(hash)) {
    ++interface.counts.announces_repeated;
    return take(now, from, hops, packet, *announce, hash);
  }
  const std::uint8_t lane = wanted(packet.destination) ? 0 : 1;
  const auto lost = waiting_.push(from, lane, {base::to_bytes(raw), hops});
  if (!lost) return;
  if (Interface* loser = interfaces_.find(*lost)) ++loser->counts.announces_dropped;
}

// By somebody here: it does not wait behind those of strangers.
bool AnnounceIntake::wanted(const DestinationHash& destination) const {
  return path_requests_.pending(destination) || known_.is_used(destination);
}

void AnnounceIntake::refuse(InterfaceId from) {
  if (Interface* interface = interfaces_.find(from)) ++interface->counts.announces_refused;
}

bool AnnounceIntake::check_one(Now now) {
  while (const auto turn = waiting_.pop()) {
    const auto packet = parse_packet(turn->item.raw);
    const auto announce = read_announce(*packet);
    const Hash32 hash = packet_hash(*packet);
    // It may have come twice before its turn, and another key may have been learnt meanwhile.
    if (!known_.agrees(*announce) || forged_.contains(hash)) {
      refuse(turn->interface);
      continue;
    }
    const bool again = genuine_.contains(hash);
    if (!again && !verify_announce(*packet, *announce)) {
      forged_.insert(hash);
      refuse(turn->interface);
      return true;
    }
    if (!again) genuine_.insert(hash);
    take(now, turn->interface, turn->item.hops, *packet, *announce, hash);
    if (!again) return true;
  }
  return false;
}

void AnnounceIntake::take(Now now, InterfaceId from, std::uint8_t hops, const Packet& packet,
                          const Announce& announce, const Hash32& hash) {
  const PathVerdict verdict =
      paths_.offer(now.mono, packet.destination,
                   {.next_hop = packet.transport_id.value_or(packet.destination),
                    .hops = hops,
                    .interface = from,
                    .announce = hash,
                    .random = announce.random});
  const bool news = verdict == PathVerdict::taken || verdict == PathVerdict::set_back;
  if (news || !known_.find(packet.destination)) known_.learn(announce, now.wall, from);
  if (news) {
    services_.out.emit(
        AnnounceHeard{.destination = packet.destination,
                      .identity = announce.identity,
                      .name = announce.name,
                      .app_data = announce.app_data,
                      .hops = hops,
                      .interface = from,
                      .path_response = packet.context == PacketContext::path_response});
  }
  if (const Path* current = paths_.find(now.mono, packet.destination)) {
    path_requests_.found(packet.destination, current->hops);
    links_.path_found(now.mono, packet.destination);
  }
}

}  // namespace meshstow::reticulum
