#include "reticulum/known_destinations.hpp"

#include <algorithm>
#include <functional>

#include "crypto/hash.hpp"

namespace meshstow::reticulum {
namespace {

DestinationHash hash_of(const Hash10& name, const PublicIdentity& identity) {
  return crypto::hash16({name.view(), identity.hash().view()});
}

Result<std::optional<ByteView>> binary_or_nil(codec::MsgpackReader& reader) {
  auto token = reader.next();
  if (!token) return fail(token.error());
  if (token->type == codec::MsgpackType::nil) return std::optional<ByteView>{};
  if (token->type == codec::MsgpackType::binary) return std::optional<ByteView>{token->bytes};
  return fail(Errc::malformed, "known destination: bytes expected");
}

}  // namespace

bool KnownDestinations::agrees(const Announce& announce) const {
  const auto found = known_.find(announce.destination);
  return found == known_.end() || found->second.known.identity == announce.identity;
}

bool KnownDestinations::learn(const Announce& announce, WallTime now, InterfaceId from) {
  if (!agrees(announce)) return false;
  const auto found = known_.find(announce.destination);
  if (found == known_.end()) {
    changed(announce.destination,
            insert(announce.destination, Entry{.name = announce.name,
                                               .known = {announce.identity, announce.app_data},
                                               .ratchet = announce.ratchet,
                                               .ratchet_seconds = base::unix_seconds(now),
                                               .from = from}));
    return true;
  }
  Entry& entry = found->second;
  entry.unpacked = false;
  if (entry.known.app_data != announce.app_data || entry.ratchet != announce.ratchet) {
    changed(announce.destination, entry);
  }
  entry.known.app_data = announce.app_data;
  if (announce.ratchet) {
    entry.ratchet = announce.ratchet;
    entry.ratchet_seconds = base::unix_seconds(now);
  }
  turns_of(entry).erase(entry.order);
  entry.from = from;
  requeue(announce.destination, entry);
  return true;
}

KnownDestinations::Entry& KnownDestinations::insert(const DestinationHash& destination,
                                                    Entry entry) {
  if (known_.size() >= capacity_) forget(next_to_go());
  Entry& placed = known_.emplace(destination, std::move(entry)).first->second;
  requeue(destination, placed);
  return placed;
}

DestinationHash KnownDestinations::next_to_go() const {
  const auto most = std::max_element(
      unused_.begin(), unused_.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  const bool any = most != unused_.end() && !most->second.empty();
  return (any ? most->second : used_).begin()->second;
}

void KnownDestinations::forget(const DestinationHash& destination) {
  const auto found = known_.find(destination);
  turns_of(found->second).erase(found->second.order);
  known_.erase(found);
}

KnownDestinations::Turns& KnownDestinations::turns_of(const Entry& entry) {
  return entry.used ? used_ : unused_[entry.from];
}

void KnownDestinations::forget_interface(InterfaceId interface) {
  const auto lost = unused_.extract(interface);
  if (lost.empty()) return;
  for (const auto& [order, destination] : lost.mapped()) {
    known_.at(destination).from = kNoInterface;
    unused_[kNoInterface].emplace(order, destination);
  }
}

void KnownDestinations::changed(const DestinationHash& destination, Entry& entry) {
  if (std::exchange(entry.changed, true)) return;
  changed_.push_back(destination);
  // Of those that were forgotten before they were packed, no more are kept than of the others.
  if (changed_.size() <= 2 * capacity_) return;
  std::erase_if(changed_, [this](const DestinationHash& each) { return !known_.contains(each); });
}

void KnownDestinations::requeue(const DestinationHash& destination, Entry& entry) {
  turns_of(entry).erase(entry.order);
  entry.order = next_order_++;
  turns_of(entry).emplace(entry.order, destination);
}

void KnownDestinations::used(const DestinationHash& destination) {
  const auto found = known_.find(destination);
  if (found == known_.end() || found->second.used) return;
  Entry& entry = found->second;
  turns_of(entry).erase(entry.order);
  entry.used = true;
  requeue(destination, entry);
  changed(destination, entry);
}

std::optional<KnownDestination> KnownDestinations::find(const DestinationHash& destination) const {
  const auto found = known_.find(destination);
  if (found == known_.end()) return std::nullopt;
  return found->second.known;
}

std::optional<crypto::X25519Public> KnownDestinations::ratchet(const DestinationHash& destination,
                                                               WallTime now) const {
  const auto found = known_.find(destination);
  if (found == known_.end() || !found->second.ratchet) return std::nullopt;
  if (base::unix_seconds(now) - found->second.ratchet_seconds > kRatchetLifetimeSeconds) {
    return std::nullopt;
  }
  return found->second.ratchet;
}

void KnownDestinations::pack(codec::MsgpackWriter& writer, const Entry& entry) {
  writer.array(6).binary(entry.name.view()).binary(entry.known.identity.public_key().view());
  entry.known.app_data ? writer.binary(*entry.known.app_data) : writer.nil();
  entry.ratchet ? writer.binary(entry.ratchet->view()) : writer.nil();
  writer.integer(entry.ratchet_seconds).boolean(entry.used);
}

Bytes KnownDestinations::pack() const {
  codec::MsgpackWriter writer;
  Turns unused;
  for (const auto& [from, turns] : unused_) unused.insert(turns.begin(), turns.end());
  for (const Turns& turns : {std::cref(unused), std::cref(used_)}) {
    for (const auto& [order, destination] : turns) pack(writer, known_.at(destination));
  }
  return writer.take();
}

Bytes KnownDestinations::pack_changes(std::size_t most) {
  codec::MsgpackWriter writer;
  for (; most > 0 && !changed_.empty(); --most) {
    const auto found = known_.find(changed_.front());
    changed_.pop_front();
    if (found == known_.end() || !std::exchange(found->second.changed, false)) continue;
    pack(writer, found->second);
  }
  return writer.take();
}

Result<KnownDestinations::Entry> KnownDestinations::unpack_one(codec::MsgpackReader& reader) {
  const auto wrong = [] { return fail(Errc::malformed, "not a list of known destinations"); };
  const auto fields = reader.array();
  if (!fields || *fields != 6) return wrong();
  const auto name = reader.binary();
  const auto key = reader.binary();
  const auto app_data = binary_or_nil(reader);
  const auto ratchet = binary_or_nil(reader);
  const auto seconds = reader.integer();
  const auto used = reader.next();
  if (!name || !key || !app_data || !ratchet || !seconds || !used) return wrong();
  if (name->size() != Hash10::size() || key->size() != 64) return wrong();
  if (*ratchet && (*ratchet)->size() != 32) return wrong();
  if (used->type != codec::MsgpackType::boolean) return wrong();
  Entry entry{.name = Hash10::prefix_of(*name),
              .known = {PublicIdentity(FixedBytes<64>::prefix_of(*key)), {}},
              .ratchet_seconds = *seconds,
              .used = used->boolean,
              .unpacked = true};
  if (*app_data) entry.known.app_data = base::to_bytes(**app_data);
  if (*ratchet) entry.ratchet = crypto::X25519Public::prefix_of(**ratchet);
  return entry;
}

Result<void> KnownDestinations::unpack(ByteView records) {
  codec::MsgpackReader reader(records);
  while (!reader.at_end()) {
    auto entry = unpack_one(reader);
    if (!entry) return fail(entry.error());
    const DestinationHash destination = hash_of(entry->name, entry->known.identity);
    const auto found = known_.find(destination);
    if (found != known_.end() && !found->second.unpacked) continue;
    if (found != known_.end()) forget(destination);
    insert(destination, std::move(*entry));
  }
  return {};
}

Bytes compact_known(ByteView records) {
  KnownDestinations all;
  // What cannot be read is what a crash left of the last record.
  (void)all.unpack(records);
  return all.pack();
}

}  // namespace meshstow::reticulum
