#include "reticulum/link_handshake.hpp"

#include "crypto/hash.hpp"

namespace meshstow::reticulum {
namespace {

constexpr std::uint32_t kModeAes256 = 1;
constexpr std::size_t kKeys = 64;
constexpr std::size_t kSignalling = 3;
constexpr std::size_t kSignature = 64;

// An optional agreement on the MTU at the end of a message whose other part has `fixed` bytes.
Result<std::optional<std::uint32_t>> trailing_mtu(ByteView data, std::size_t fixed) {
  if (data.size() == fixed) return std::optional<std::uint32_t>{};
  if (data.size() != fixed + kSignalling)
    return fail(Errc::malformed, "link message: wrong length");
  auto mtu = parse_signalling(data.subspan(fixed));
  if (!mtu) return fail(mtu.error());
  return std::optional<std::uint32_t>{*mtu};
}

Bytes proof_signed_part(const LinkId& link, const crypto::X25519Public& encryption,
                        const PublicIdentity& responder, ByteView signalling) {
  return base::concat({link.view(), encryption.view(), responder.signing_key().view(), signalling});
}

}  // namespace

FixedBytes<3> pack_signalling(std::uint32_t mtu) {
  const std::uint32_t value = kModeAes256 << 21 | (mtu & kLargestLinkMtu);
  return {
      {static_cast<Byte>(value >> 16), static_cast<Byte>(value >> 8), static_cast<Byte>(value)}};
}

Result<std::uint32_t> parse_signalling(ByteView three_bytes) {
  if (three_bytes.size() != kSignalling) return fail(Errc::malformed, "signalling: wrong length");
  const auto value = static_cast<std::uint32_t>(base::read_big_endian(three_bytes));
  if (value >> 21 != kModeAes256) return fail(Errc::malformed, "signalling: unknown link mode");
  const std::uint32_t mtu = value & kLargestLinkMtu;
  if (mtu < kMtu) return fail(Errc::malformed, "signalling: link MTU too small");
  return mtu;
}

Bytes pack_link_request(const LinkRequest& request) {
  Bytes out = base::concat({request.encryption.view(), request.signing.view()});
  if (request.mtu) base::append(out, pack_signalling(*request.mtu).view());
  return out;
}

Result<LinkRequest> parse_link_request(ByteView data) {
  if (data.size() < kKeys) return fail(Errc::malformed, "link request: wrong length");
  auto mtu = trailing_mtu(data, kKeys);
  if (!mtu) return fail(mtu.error());
  return LinkRequest{crypto::X25519Public::prefix_of(data),
                     crypto::Ed25519Public::prefix_of(data.subspan(32)), *mtu};
}

LinkId link_id_of(const Packet& request) {
  Packet without_signalling = request;
  without_signalling.data = request.data.first(std::min(kKeys, request.data.size()));
  return truncated(packet_hash(without_signalling));
}

Bytes make_link_proof(const Identity& responder, const LinkId& link, const LinkProof& proof) {
  Bytes signalling;
  if (proof.mtu) signalling = base::to_bytes(pack_signalling(*proof.mtu).view());
  const Signature signature = responder.sign(
      proof_signed_part(link, proof.encryption, responder.public_identity(), signalling));
  return base::concat({signature.view(), proof.encryption.view(), signalling});
}

Result<LinkProof> read_link_proof(ByteView data, const LinkId& link,
                                  const PublicIdentity& responder) {
  constexpr std::size_t kFixed = kSignature + 32;
  if (data.size() < kFixed) return fail(Errc::malformed, "link proof: wrong length");
  auto mtu = trailing_mtu(data, kFixed);
  if (!mtu) return fail(mtu.error());
  const auto encryption = crypto::X25519Public::prefix_of(data.subspan(kSignature));
  if (!responder.verify(proof_signed_part(link, encryption, responder, data.subspan(kFixed)),
                        Signature::prefix_of(data))) {
    return fail(Errc::denied, "link proof: wrong signature");
  }
  return LinkProof{encryption, *mtu};
}

Result<crypto::Secret64> agree_link_key(const crypto::X25519Key& own,
                                        const crypto::X25519Public& peer, const LinkId& link) {
  const auto shared = own.agree(peer);
  if (!shared) return fail(shared.error());
  return crypto::hkdf<64>(shared->view(), link.view());
}

Bytes make_identification(const Identity& initiator, const LinkId& link) {
  const ByteView public_key = initiator.public_identity().public_key().view();
  const Signature signature = initiator.sign(base::concat({link.view(), public_key}));
  return base::concat({public_key, signature.view()});
}

Result<PublicIdentity> read_identification(ByteView data, const LinkId& link) {
  if (data.size() != kKeys + kSignature) return fail(Errc::malformed, "identification: length");
  const PublicIdentity identity(FixedBytes<64>::prefix_of(data));
  if (!identity.verify(base::concat({link.view(), data.first(kKeys)}),
                       Signature::prefix_of(data.subspan(kKeys)))) {
    return fail(Errc::denied, "identification: wrong signature");
  }
  return identity;
}

}  // namespace meshstow::reticulum
