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
  if (size() >= limits::kLinks) return fail(Errc::limit, "too many links");
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

void LinkTable::handle_request(TimePoint now, InterfaceId from, std::uint8_t hops,
                               const Packet& packet, LocalDestination& local) {
  Interface* interface = interfaces_.find(from);
  const auto request = parse_link_request(packet.data);
  if (!interface || !request || !local.options.accepts_links) return;
  if (!interface->link_requests.allow(now)) return;
  const LinkId id = link_id_of(packet);
  if (links_.contains(id)) return;
  make_room_for_half_open(now);
  if (size() >= limits::kLinks) return;

  const auto own = crypto::X25519Key::generate(services_.rng);
  const auto key = agree_link_key(own, request->encryption, id);
  if (!key) return;
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
  links_[id] = std::make_unique<Link>(services_, now, start, *key);
  half_open_.push_back(id);
  settle(id);
}

void LinkTable::make_room_for_half_open(TimePoint now) {
  const auto is_half_open = [this](const LinkId& id) {
    const auto found = links_.find(id);
    return found != links_.end() && found->second->state() == Link::State::handshake;
  };
  if (half_open_.size() < kHalfOpenLinks) return;
  std::erase_if(half_open_, [&](const LinkId& id) { return !is_half_open(id); });
  if (half_open_.size() < kHalfOpenLinks) return;
  const LinkId oldest = half_open_.front();
  half_open_.pop_front();
  links_.at(oldest)->close(now, CloseReason::timed_out);
  settle(oldest);
}

// ---- Both.

Link* LinkTable::receiver(const LinkId& id, InterfaceId from) {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second->interface() != from) return nullptr;
  return found->second.get();
}

void LinkTable::handle_packet(TimePoint now, Link& link, const Packet& packet, const Hash32& hash) {
  const LinkId id = packet.destination;
  link.handle_packet(now, packet, hash);
  settle(id);
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
    due_.remove(id);
    links_.erase(found);
    return;
  }
  due_.set(id, found->second->deadline());
}

void LinkTable::handle_deadline(TimePoint now) {
  while (const auto id = due_.pop(now)) {
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
