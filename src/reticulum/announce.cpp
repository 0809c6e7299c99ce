#include "reticulum/announce.hpp"

#include "crypto/hash.hpp"

namespace meshstow::reticulum {
namespace {

constexpr std::size_t kPublicKey = 64;
constexpr std::size_t kRatchet = 32;
constexpr std::size_t kSignature = 64;
constexpr std::size_t kFixedPart =
    kPublicKey + Hash10::size() + AnnounceRandom::size() + kSignature;

Bytes signed_part(const Hash16& destination, ByteView public_key, const Hash10& name,
                  const AnnounceRandom& random, ByteView ratchet, ByteView app_data) {
  return base::concat(
      {destination.view(), public_key, name.view(), random.view(), ratchet, app_data});
}

}  // namespace

AnnounceRandom announce_random(base::Rng& rng, std::uint64_t seconds) {
  AnnounceRandom out;
  rng.fill(base::MutableByteView(out.bytes).first(5));
  for (std::size_t i = 0; i < 5; ++i) out.bytes[9 - i] = static_cast<Byte>(seconds >> (8 * i));
  return out;
}

std::uint64_t announce_seconds(const AnnounceRandom& random) {
  return base::read_big_endian(random.view().subspan(5));
}

Result<Bytes> make_announce(const Identity& identity, const AnnounceFields& fields) {
  const std::size_t ratchet_size = fields.ratchet ? kRatchet : 0;
  if (kHeader1Size + kFixedPart + ratchet_size + fields.app_data.size() > kMtu) {
    return fail(Errc::limit, "application data too long for an announce");
  }
  const ByteView public_key = identity.public_identity().public_key().view();
  const ByteView ratchet = fields.ratchet ? fields.ratchet->view() : ByteView{};
  const Hash16 destination = crypto::hash16({fields.name.view(), identity.hash().view()});
  const Signature signature = identity.sign(
      signed_part(destination, public_key, fields.name, fields.random, ratchet, fields.app_data));
  const Bytes data = base::concat({public_key, fields.name.view(), fields.random.view(), ratchet,
                                   signature.view(), fields.app_data});
  return pack_packet(
      {.type = PacketType::announce,
       .context = fields.path_response ? PacketContext::path_response : PacketContext::none,
       .destination = destination,
       .data = data,
       .context_flag = fields.ratchet.has_value()});
}

Result<Announce> read_announce(const Packet& packet) {
  if (packet.type != PacketType::announce || packet.destination_type != DestinationType::single) {
    return fail(Errc::malformed, "not an announce of a single destination");
  }
  const std::size_t fixed = kFixedPart + (packet.context_flag ? kRatchet : 0);
  if (packet.data.size() < fixed) return fail(Errc::malformed, "announce too short");

  ByteView rest = packet.data;
  const auto take = [&rest](std::size_t size) {
    const ByteView out = rest.first(size);
    rest = rest.subspan(size);
    return out;
  };
  Announce announce;
  announce.destination = packet.destination;
  announce.identity = PublicIdentity(FixedBytes<64>::prefix_of(take(kPublicKey)));
  announce.name = Hash10::prefix_of(take(Hash10::size()));
  announce.random = AnnounceRandom::prefix_of(take(AnnounceRandom::size()));
  if (packet.context_flag) announce.ratchet = crypto::X25519Public::prefix_of(take(kRatchet));
  take(kSignature);
  if (!rest.empty()) announce.app_data = base::to_bytes(rest);

  if (crypto::hash16({announce.name.view(), announce.identity.hash().view()}) !=
      announce.destination) {
    return fail(Errc::denied, "announce of a destination hash that its key does not give");
  }
  return announce;
}

bool verify_announce(const Packet& packet, const Announce& announce) {
  const ByteView ratchet = announce.ratchet ? announce.ratchet->view() : ByteView{};
  const ByteView app_data = announce.app_data ? ByteView(*announce.app_data) : ByteView{};
  const ByteView signature =
      packet.data.subspan(packet.data.size() - app_data.size() - kSignature, kSignature);
  return announce.identity.verify(
      signed_part(announce.destination, announce.identity.public_key().view(), announce.name,
                  announce.random, ratchet, app_data),
      Signature::prefix_of(signature));
}

}  // namespace meshstow::reticulum
