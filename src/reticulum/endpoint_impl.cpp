#include "reticulum/endpoint_impl.hpp"

namespace meshstow::reticulum {
namespace {

constexpr Duration kIntroductionDelay = std::chrono::milliseconds(250);
constexpr Duration kIntroductionAfterReconnect = std::chrono::seconds(10);

// Contexts that repeat by nature, or that have their own way to tell repeats.
bool is_exempt_from_filter(PacketContext context) {
  switch (context) {
    case PacketContext::keepalive:
    case PacketContext::resource_part:
    case PacketContext::resource_part_request:
    case PacketContext::resource_proof:
    case PacketContext::cache_request:
    case PacketContext::channel: return true;
    default: return false;
  }
}

}  // namespace

// ---- Interfaces and time.

void Endpoint::Impl::interface_up(Now now, InterfaceId id, InterfaceInfo info) {
  interface_down(now, id);
  const bool shared = info.shared_instance;
  if (!interfaces.add(id, std::move(info)) || !shared) return;
  introduce(now.mono + (shared_instance_met_ ? kIntroductionAfterReconnect : kIntroductionDelay),
            id);
  shared_instance_met_ = true;
}

void Endpoint::Impl::interface_down(Now now, InterfaceId id) {
  if (!interfaces.remove(id)) return;
  std::erase_if(introductions_, [id](const SelfIntroduction& due) { return due.interface == id; });
  paths.forget_interface(id);
  known.forget_interface(id);
  links.interface_down(now.mono, id);
  announces.interface_down(id);
}

void Endpoint::Impl::introduce(TimePoint due, InterfaceId interface) {
  for (const auto& [hash, local] : destinations.all()) {
    introductions_.push_back({due, hash, interface});
  }
}

void Endpoint::Impl::send_introductions(Now now) {
  for (const SelfIntroduction& introduction : introductions_) {
    if (introduction.due > now.mono) continue;
    const auto packet =
        destinations.find(introduction.destination)->announce(services.rng, now.wall, true);
    if (packet) services.out.transmit(introduction.interface, *packet);
  }
  std::erase_if(introductions_, [&](const SelfIntroduction& done) { return done.due <= now.mono; });
}

TimePoint Endpoint::Impl::deadline() const {
  if (!announces.waiting().empty() || !links.requests().empty() || !services.unopened.empty()) {
    return TimePoint{};
  }
  TimePoint due = std::min({links.deadline(), path_requests.deadline(), receipts.deadline()});
  for (const SelfIntroduction& introduction : introductions_) {
    due = std::min(due, introduction.due);
  }
  return due;
}

void Endpoint::Impl::handle_deadline(Now now) {
  send_introductions(now);
  while (const auto destination = path_requests.give_up(now.mono)) {
    links.path_failed(*destination);
  }
  receipts.handle_deadline(now.mono);
  links.handle_deadline(now.mono);
  check_some(now);
}

// Each kind in turn, and what one does not need the others have.
void Endpoint::Impl::check_some(Now now) {
  for (std::size_t checks = 0; checks < limits::kChecksPerTurn;) {
    const std::size_t before = checks;
    if (links.answer_one(now.mono, destinations)) ++checks;
    if (announces.check_one(now)) ++checks;
    if (links.open_one(now.mono)) ++checks;
    if (checks == before) return;
  }
}

// ---- Packets in.

void Endpoint::Impl::handle_packet(Now now, InterfaceId from, ByteView raw) {
  Interface* interface = interfaces.find(from);
  if (!interface) return;
  ++counted.packets_in;
  counted.bytes_in += raw.size();
  ++interface->counts.packets_in;
  interface->counts.bytes_in += raw.size();
  const auto packet = parse_packet(raw);
  if (!packet) {
    ++counted.dropped_malformed;
    ++interface->counts.malformed;
    return;
  }
  // A shared instance counted the hop to us already, and filters for its clients.
  const bool shared = interface->info.shared_instance;
  const auto hops = static_cast<std::uint8_t>(packet->hops + (shared ? 0 : 1));
  if (packet->type == PacketType::announce) {
    const bool single = packet->destination_type == DestinationType::single;
    const bool echo = destinations.find(packet->destination) != nullptr;
    if (single && !echo) announces.handle(now, from, hops, *packet, raw);
    return;
  }
  if (packet->transport_id) return;  // for a relay, which we are not
  switch (packet->destination_type) {
    case DestinationType::link: return handle_link_packet(now, from, hops, *packet, !shared);
    case DestinationType::single: return handle_single(now, from, hops, *packet, !shared);
    case DestinationType::plain:
      if (shared || hops <= 1) handle_plain(now, from, *packet, !shared);
      return;
    case DestinationType::group: return;
  }
}

bool Endpoint::Impl::seen_before(InterfaceId from, const Packet& packet, const Hash32& hash,
                                 bool filters) {
  if (!filters || is_exempt_from_filter(packet.context)) return false;
  if (services.packets_seen.insert(hash)) return false;
  ++counted.dropped_duplicate;
  ++interfaces.find(from)->counts.duplicates;
  return true;
}

void Endpoint::Impl::handle_link_packet(Now now, InterfaceId from, std::uint8_t hops,
                                        const Packet& packet, bool filters) {
  if (packet.type == PacketType::proof && packet.context == PacketContext::link_request_proof) {
    return links.handle_proof(now.mono, from, hops, packet);
  }
  Link* link = links.receiver(packet.destination, from);
  if (!link) return;
  // Parts are many and large, and nobody asks for their packet hash.
  const bool is_part = packet.context == PacketContext::resource_part;
  const Hash32 hash = is_part ? Hash32{} : packet_hash(packet);
  if (seen_before(from, packet, hash, filters)) return;
  links.handle_packet(now.mono, *link, packet, hash);
}

void Endpoint::Impl::handle_single(Now now, InterfaceId from, std::uint8_t hops,
                                   const Packet& packet, bool filters) {
  if (packet.type == PacketType::proof) return receipts.handle_proof(now.mono, packet);
  LocalDestination* local = destinations.find(packet.destination);
  if (!local) return;
  const Hash32 hash = packet_hash(packet);
  if (seen_before(from, packet, hash, filters)) return;
  if (packet.type == PacketType::link_request) {
    if (local->options.accepts_links) links.handle_request(from, hops, packet);
  } else if (packet.type == PacketType::data && packet.context == PacketContext::none) {
    handle_single_data(from, packet, hash, *local);
  }
}

void Endpoint::Impl::handle_single_data(InterfaceId from, const Packet& packet, const Hash32& hash,
                                        const LocalDestination& local) {
  auto plaintext = local.identity.decrypt(packet.data, local.options.ratchets);
  if (!plaintext) return;
  if (local.options.proves_packets) {
    services.out.transmit(from, make_proof(local.identity, hash));
  }
  services.out.emit(PacketReceived{local.hash, std::move(*plaintext)});
}

void Endpoint::Impl::handle_plain(Now now, InterfaceId from, const Packet& packet, bool filters) {
  if (packet.type != PacketType::data || packet.destination != path_request_destination()) return;
  if (seen_before(from, packet, packet_hash(packet), filters)) return;
  const auto question = parse_path_request(packet.data);
  if (!question || !services.options.answers_path_requests) return;
  LocalDestination* local = destinations.find(question->wanted);
  if (!local || !path_requests.first_time(*question)) return;
  const auto answer = local->path_response(services.rng, now);
  if (answer) services.out.transmit(from, *answer);
}

Statistics Endpoint::Impl::statistics() const {
  Statistics out;
  for (const auto& [id, interface] : interfaces.all()) {
    InterfaceStatistics& each = out.interfaces.emplace_back(interface.counts);
    each.interface = id;
    each.name = interface.info.name;
    each.waiting = announces.waiting().size_of(id) + links.requests().size_of(id);
  }
  out.links = links.statistics();
  out.transfers = services.transfer_counts;
  for (const LinkRoom& room : services.rooms) {
    out.transfers.incoming += room.incoming.size();
    out.memory.outgoing += room.outgoing.weight();
  }
  out.memory.unchecked = announces.waiting().bytes() + links.requests().bytes();
  out.memory.incoming = services.incoming_bytes;
  out.paths = paths.size();
  out.known_destinations = known.size();
  return out;
}

// ---- What the node asks for.

DestinationHash Endpoint::Impl::add_destination(Now now, const Identity& identity,
                                                std::string_view full_name,
                                                DestinationOptions options) {
  const LocalDestination& local = destinations.add(identity, full_name, std::move(options));
  for (const auto& [id, interface] : interfaces.all()) {
    if (interface.info.shared_instance) {
      introductions_.push_back({now.mono + kIntroductionDelay, local.hash, id});
    }
  }
  return local.hash;
}

Result<void> Endpoint::Impl::announce(Now now, const DestinationHash& destination) {
  LocalDestination* local = destinations.find(destination);
  if (!local) return fail(Errc::not_found, "no such destination of ours");
  const auto packet = local->announce(services.rng, now.wall, false);
  if (!packet) return fail(packet.error());
  for (const auto& [id, interface] : interfaces.all()) services.out.transmit(id, *packet);
  return {};
}

Result<PacketHash> Endpoint::Impl::send_packet(Now now, const DestinationHash& to,
                                               std::string_view full_name, ByteView plaintext) {
  const auto receiver = known.find(to);
  if (!receiver) return fail(Errc::not_found, "identity of the destination unknown");
  if (destination_hash(full_name, receiver->identity.hash()) != to) {
    return fail(Errc::malformed, "the name does not belong to the destination");
  }
  if (plaintext.size() > kSinglePayload) return fail(Errc::limit, "too long for one packet");
  const Bytes sealed =
      receiver->identity.encrypt(plaintext, services.rng, known.ratchet(to, now.wall));
  if (sealed.empty()) return fail(Errc::malformed, "the destination's key cannot be used");

  const Packet packet{.destination = to, .data = sealed};
  Duration timeout = kPerHopTimeout;
  if (const Path* path = paths.find(now.mono, to)) {
    timeout = kPerHopTimeout * std::max<int>(1, path->hops);
    if (const Interface* interface = interfaces.find(path->interface)) {
      timeout += interface->first_hop_time();
    }
  }
  const PacketHash hash = packet_hash(packet);
  router.send_to_destination(now.mono, packet);
  receipts.add(now.mono, hash, receiver->identity, timeout);
  known.used(to);
  return hash;
}

Result<LinkId> Endpoint::Impl::open_link(Now now, const DestinationHash& to) {
  const auto responder = known.find(to);
  if (!responder) return fail(Errc::not_found, "identity of the destination unknown");
  known.used(to);
  return links.open(now.mono, to, responder->identity);
}

}  // namespace meshstow::reticulum
