#include "reticulum/known_destinations.hpp"

#include "codec/msgpack.hpp"
#include "crypto/hash.hpp"

namespace meshstow::reticulum {
namespace {

constexpr std::int64_t kFormat = 1;

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

bool KnownDestinations::learn(const Announce& announce, WallTime now) {
  if (!agrees(announce)) return false;
  const auto found = known_.find(announce.destination);
  if (found == known_.end()) {
    insert(announce.destination, Entry{.name = announce.name,
                                       .known = {announce.identity, announce.app_data},
                                       .ratchet = announce.ratchet,
                                       .ratchet_seconds = base::unix_seconds(now)});
    ++revision_;
    return true;
  }
  Entry& entry = found->second;
  if (entry.known.app_data != announce.app_data || entry.ratchet != announce.ratchet) ++revision_;
  entry.known.app_data = announce.app_data;
  if (announce.ratchet) {
    entry.ratchet = announce.ratchet;
    entry.ratchet_seconds = base::unix_seconds(now);
  }
  requeue(announce.destination, entry);
  return true;
}

void KnownDestinations::insert(const DestinationHash& destination, Entry entry) {
  if (known_.size() >= capacity_ && !turns_.empty()) {
    known_.erase(turns_.begin()->destination);
    turns_.erase(turns_.begin());
  }
  requeue(destination, known_.emplace(destination, std::move(entry)).first->second);
}

void KnownDestinations::requeue(const DestinationHash& destination, Entry& entry) {
  turns_.erase(Turn{entry.used, entry.order, destination});
  entry.order = next_order_++;
  turns_.insert(Turn{entry.used, entry.order, destination});
}

void KnownDestinations::used(const DestinationHash& destination) {
  const auto found = known_.find(destination);
  if (found == known_.end() || found->second.used) return;
  Entry& entry = found->second;
  turns_.erase(Turn{false, entry.order, destination});
  entry.used = true;
  requeue(destination, entry);
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

Bytes KnownDestinations::pack() const {
  codec::MsgpackWriter writer;
  writer.array(2).integer(kFormat).array(static_cast<std::uint32_t>(turns_.size()));
  for (const Turn& turn : turns_) {
    const Entry& entry = known_.at(turn.destination);
    writer.array(6).binary(entry.name.view()).binary(entry.known.identity.public_key().view());
    entry.known.app_data ? writer.binary(*entry.known.app_data) : writer.nil();
    entry.ratchet ? writer.binary(entry.ratchet->view()) : writer.nil();
    writer.integer(entry.ratchet_seconds).boolean(entry.used);
  }
  return writer.take();
}

Result<void> KnownDestinations::unpack(ByteView packed) {
  const auto wrong = [] { return fail(Errc::malformed, "not a list of known destinations"); };
  codec::MsgpackReader reader(packed);
  const auto outer = reader.array();
  if (!outer || *outer != 2) return wrong();
  const auto format = reader.integer();
  if (!format || *format != kFormat) return wrong();
  const auto count = reader.array();
  if (!count || *count > capacity_) return wrong();
  std::vector<Entry> entries;
  for (std::uint32_t i = 0; i < *count; ++i) {
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
                .used = used->boolean};
    if (*app_data) entry.known.app_data = base::to_bytes(**app_data);
    if (*ratchet) entry.ratchet = crypto::X25519Public::prefix_of(**ratchet);
    entries.push_back(std::move(entry));
  }
  if (!reader.at_end()) return wrong();
  for (Entry& entry : entries) {
    const DestinationHash destination = hash_of(entry.name, entry.known.identity);
    if (!known_.contains(destination)) insert(destination, std::move(entry));
  }
  return {};
}

}  // namespace meshstow::reticulum
