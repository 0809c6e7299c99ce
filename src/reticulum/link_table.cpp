#include "reticulum/link_table.hpp"

#include "reticulum/link_handshake.hpp"

namespace meshstow::reticulum {

LinkTable::LinkTable(Services& services, InterfaceTable& interfaces, PathTable& paths,
                     Router& router, PathRequests& path_requests)
    : services_(services),
      interfaces_(interfaces),
      paths_(paths),
      router_(router),
      path_requests_(path_requests) {}

// ---- Initiator.

Result<LinkId> LinkTable::open(TimePoint now, const DestinationHash& to,
                               const PublicIdentity& responder) {
  if (own() >= limits::kOwnLinks) {
    ++services_.link_counts.own_refused;
    return fail(Errc::limit, "too many links of our own are open");
  }
  LinkAttempt attempt{.destination = to,
                      .responder = responder,
                      .key = crypto::X25519Key::generate(services_.rng),
                      .signing = crypto::Ed25519Key::generate(services_.rng).public_key()};
  const Bytes keys = pack_link_request({attempt.key.public_key(), attempt.signing, {}});
  attempt.id = link_id_of({.type = PacketType::link_request, .destination = to, .data = keys});
  const LinkId id = attempt.id;
  proceed(now, attempts_.emplace(id, std::move(attempt)).first->second);
  return id;
}

void LinkTable::proceed(TimePoint now, LinkAttempt& attempt) {
  const Path* path = paths_.find(now, attempt.destination);
  if (!path) return wait_for_path(now, attempt);
  const bool relayed = path->next_hop != attempt.destination;
  if (relayed && now < path->heard + kRelaySettles) {
    attempt.stage = LinkAttempt::Stage::settling;
    due_.set(attempt.id, path->heard + kRelaySettles);
    return;
  }
  request(now, attempt, *path);
}

void LinkTable::wait_for_path(TimePoint now, LinkAttempt& attempt) {
  attempt.stage = LinkAttempt::Stage::waiting_for_path;
  due_.remove(attempt.id);
  path_requests_.request(now, attempt.destination, false);
}

void LinkTable::request(TimePoint now, LinkAttempt& attempt, const Path& path) {
  const Interface* interface = interfaces_.find(path.interface);
  if (!interface) return wait_for_path(now, attempt);
  attempt.stage = LinkAttempt::Stage::requested;
  attempt.interface = path.interface;
  attempt.offered_mtu = std::min(interface->link_mtu(), kLargestLinkMtu);
  attempt.requested_at = now;
  due_.set(attempt.id,
           now + interface->first_hop_time() + kPerHopTimeout * std::max<int>(1, path.hops));
  const Bytes data =
      pack_link_request({attempt.key.public_key(), attempt.signing, attempt.offered_mtu});
  router_.send_to_destination(
      now, {.type = PacketType::link_request, .destination = attempt.destination, .data = data});
}

std::vector<LinkId> LinkTable::attempts_to(const DestinationHash& destination) const {
  std::vector<LinkId> out;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.destination == destination &&
        attempt.stage == LinkAttempt::Stage::waiting_for_path) {
      out.push_back(id);
    }
  }
  std::sort(out.begin(), out.end());  // the order reaches the wire
  return out;
}

void LinkTable::path_found(TimePoint now, const DestinationHash& destination) {
  if (attempts_.empty()) return;
  for (const LinkId& id : attempts_to(destination)) proceed(now, attempts_.at(id));
}

void LinkTable::path_failed(const DestinationHash& destination) {
  for (const LinkId& id : attempts_to(destination)) abandon(id, CloseReason::no_path);
}

void LinkTable::attempt_is_due(TimePoint now, LinkAttempt& attempt) {
  if (attempt.stage == LinkAttempt::Stage::settling) return proceed(now, attempt);
  paths_.forget(attempt.destination);
  abandon(attempt.id, CloseReason::timed_out);
}

void LinkTable::abandon(const LinkId& id, CloseReason reason) {
  const LinkId copy = id;  // `id` may live in the attempt
  due_.remove(copy);
  attempts_.erase(copy);
  services_.out.emit(LinkClosed{copy, reason});
}

void LinkTable::handle_proof(TimePoint now, InterfaceId from, std::uint8_t hops,
                             const Packet& packet) {
  const auto found = attempts_.find(packet.destination);
  if (found == attempts_.end() || found->second.stage != LinkAttempt::Stage::requested) return;
  LinkAttempt& attempt = found->second;
  const auto proof = read_link_proof(packet.data, attempt.id, attempt.responder);
  if (!proof) return;
  const std::uint32_t mtu = proof->mtu.value_or(kMtu);
  if (mtu > attempt.offered_mtu) return;
  const auto key = agree_link_key(attempt.key, proof->encryption, attempt.id);
  if (!key) return;

  services_.packets_seen.insert(packet_hash(packet));
  paths_.correct_hops(attempt.destination, hops);
  const LinkStart start{.id = attempt.id,
                        .interface = from,
                        .mtu = mtu,
                        .destination = attempt.destination,
                        .round_trip = now - attempt.requested_at,
                        .hops = hops};
  attempts_.erase(found);
  links_[start.id] = std::make_unique<Link>(services_, now, start, *key);
  settle(start.id);
}

// ---- Responder.

void LinkTable::handle_request(InterfaceId from, std::uint8_t hops, const Packet& packet) {
  Interface* interface = interfaces_.find(from);
  if (!interface || !parse_link_request(packet.data) || links_.contains(link_id_of(packet))) return;
  const auto lost = requests_.push(from, hops, {pack_packet(packet), hops});
  if (!lost) return;
  if (Interface* loser = interfaces_.find(*lost)) ++loser->counts.link_requests_dropped;
}

bool LinkTable::answer_one(TimePoint now, LocalDestinations& destinations) {
  const auto turn = requests_.pop();
  if (!turn) return false;
  const auto packet = parse_packet(turn->item.raw);
  LocalDestination* local = destinations.find(packet->destination);
  answer(now, turn->interface, turn->item.hops, *packet, *local);
  return true;
}

void LinkTable::answer(TimePoint now, InterfaceId from, std::uint8_t hops, const Packet& packet,
                       LocalDestination& local) {
  const Interface* interface = interfaces_.find(from);
  const auto request = parse_link_request(packet.data);
  const LinkId id = link_id_of(packet);
  if (!interface || links_.contains(id) || !local.options.accepts_links) return;

  const auto own = crypto::X25519Key::generate(services_.rng);
  const auto key = agree_link_key(own, request->encryption, id);
  if (!key) return;
  make_room(now, half_open_, limits::kHalfOpenLinks, services_.link_counts.half_open_evicted);
  LinkProof proof{.encryption = own.public_key(), .mtu = request->mtu};
  if (proof.mtu) proof.mtu = std::min(*proof.mtu, interface->link_mtu());
  const LinkStart start{.id = id,
                        .interface = from,
                        .mtu = proof.mtu.value_or(kMtu),
                        .destination = local.hash,
                        .local = &local,
                        .hops = hops};
  const Bytes data = make_link_proof(local.identity, id, proof);
  services_.out.transmit(from, pack_packet({.type = PacketType::proof,
                                            .destination_type = DestinationType::link,
                                            .context = PacketContext::link_request_proof,
                                            .destination = id,
                                            .data = data}));
  auto link = std::make_unique<Link>(services_, now, start, *key);
  half_open_.take(now, id, link->sharer());
  links_[id] = std::move(link);
  settle(id);
}

// Whoever has most links of this part gives one up.
void LinkTable::make_room(TimePoint now, Places& places, std::size_t bound,
                          std::uint64_t& evicted) {
  while (places.size() >= bound) {
    const LinkId gone = *places.first_to_go();
    ++evicted;
    links_.at(gone)->close(now, CloseReason::timed_out);
    settle(gone);
  }
}

void LinkTable::set_up(TimePoint now, const Link& link) {
  const LinkId id = link.info().link;
  half_open_.release(id);
  make_room(now, anonymous_, limits::kAnonymousLinks, services_.link_counts.anonymous_evicted);
  anonymous_.take(now, id, link.sharer());
}

Result<void> LinkTable::favour(TimePoint now, const LinkId& id, const Hash16& party) {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second->state() != Link::State::active) {
    return fail(Errc::not_found, "no such link");
  }
  Link& link = *found->second;
  if (!link.incoming() || (link.part() == LinkPart::favoured && link.sharer().party == party)) {
    return {};
  }
  anonymous_.release(id);
  favoured_.release(id);
  make_room(now, favoured_, limits::kFavouredLinks, services_.link_counts.favoured_evicted);
  link.favour(now, party);
  favoured_.take(now, id, link.sharer());
  return {};
}

bool LinkTable::make_room_to_send(TimePoint now, const LinkId& id, std::size_t bytes) {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second->fits_packet(bytes)) return true;
  const Link& link = *found->second;
  auto& held = services_.room(link.part()).outgoing;
  while (held.weight() + bytes > limits::kOutgoingBytes) {
    const auto gone = held.to_go_for(now, link.sharer(), bytes, kStandstill);
    if (!gone || *gone == id) {
      ++services_.transfer_counts.outgoing_refused;
      return false;
    }
    ++services_.link_counts.idlers_closed;
    close(now, LinkId(*gone));
  }
  return true;
}

std::size_t LinkTable::own() const {
  return size() - half_open_.size() - anonymous_.size() - favoured_.size();
}

LinkStatistics LinkTable::statistics() const {
  LinkStatistics out = services_.link_counts;
  out.own = own();
  out.half_open = half_open_.size();
  out.anonymous = anonymous_.size();
  out.favoured = favoured_.size();
  return out;
}

// ---- Both.

Link* LinkTable::receiver(const LinkId& id, InterfaceId from) {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second->interface() != from) return nullptr;
  return found->second.get();
}

void LinkTable::handle_packet(TimePoint now, Link& link, const Packet& packet, const Hash32& hash) {
  const LinkId id = packet.destination;
  const bool was_half_open = link.incoming() && link.state() == Link::State::handshake;
  link.handle_packet(now, packet, hash);
  if (was_half_open && link.state() == Link::State::active) set_up(now, link);
  // Whoever only keeps a link alive does not use it.
  if (packet.context != PacketContext::keepalive) {
    anonymous_.touch(now, id);
    favoured_.touch(now, id);
  }
  settle(id);
  see_to_evicted(now);
}

void LinkTable::see_to_evicted(TimePoint now) {
  for (const TransferId transfer : std::exchange(services_.evicted, {})) {
    const auto found = services_.transfers.find(transfer);
    if (found == services_.transfers.end()) continue;
    const LinkId id = found->second;
    links_.at(id)->transfers().evict(now, transfer);
    settle(id);
  }
}

bool LinkTable::open_one(TimePoint now) {
  const auto turn = services_.unopened.pop();
  if (!turn) return false;
  const auto found = links_.find(turn->item.link);
  if (found == links_.end()) return true;
  found->second->transfers().open_some(now, turn->item.transfer);
  settle(turn->item.link);
  return true;
}

const Link* LinkTable::find_active(const LinkId& id) const {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second->state() != Link::State::active) return nullptr;
  return found->second.get();
}

void LinkTable::close(TimePoint now, const LinkId& id) {
  if (attempts_.contains(id)) return abandon(id, CloseReason::local);
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  found->second->close(now, CloseReason::local);
  settle(id);
}

void LinkTable::close_all(TimePoint now) {
  std::vector<LinkId> all;
  all.reserve(size());
  for (const auto& [id, attempt] : attempts_) all.push_back(id);
  for (const auto& [id, link] : links_) all.push_back(id);
  std::sort(all.begin(), all.end());
  for (const LinkId& id : all) close(now, id);
}

void LinkTable::interface_down(TimePoint now, InterfaceId interface) {
  requests_.forget(interface);
  services_.unopened.forget(interface);
  std::vector<LinkId> lost;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.stage == LinkAttempt::Stage::requested && attempt.interface == interface) {
      lost.push_back(id);
    }
  }
  for (const auto& [id, link] : links_) {
    if (link->interface() == interface) lost.push_back(id);
  }
  std::sort(lost.begin(), lost.end());
  for (const LinkId& id : lost) {
    if (attempts_.contains(id)) {
      abandon(id, CloseReason::interface_lost);
    } else {
      links_.at(id)->close(now, CloseReason::interface_lost);
      settle(id);
    }
  }
}

void LinkTable::settle(const LinkId& id) {
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  if (found->second->state() == Link::State::closed) {
    half_open_.release(id);
    anonymous_.release(id);
    favoured_.release(id);
    due_.remove(id);
    links_.erase(found);
    return;
  }
  due_.set(id, found->second->deadline());
}

void LinkTable::handle_deadline(TimePoint now) {
  for (std::size_t seen = 0; seen < limits::kDueLinksPerTurn; ++seen) {
    const auto id = due_.pop(now);
    if (!id) return;
    if (const auto attempt = attempts_.find(*id); attempt != attempts_.end()) {
      attempt_is_due(now, attempt->second);
      continue;
    }
    const auto found = links_.find(*id);
    if (found == links_.end()) continue;
    found->second->handle_deadline(now);
    settle(*id);
  }
}

}  // namespace meshstow::reticulum
