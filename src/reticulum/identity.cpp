#include "reticulum/identity.hpp"

#include "crypto/cipher.hpp"
#include "crypto/hash.hpp"

namespace meshstow::reticulum {

PublicIdentity::PublicIdentity(const FixedBytes<64>& public_key)
    : public_key_(public_key), hash_(crypto::hash16(public_key.view())) {}

crypto::X25519Public PublicIdentity::encryption_key() const {
  return crypto::X25519Public::prefix_of(public_key_.view());
}

crypto::Ed25519Public PublicIdentity::signing_key() const {
  return crypto::Ed25519Public::prefix_of(public_key_.view().subspan(32));
}

bool PublicIdentity::verify(ByteView message, const Signature& signature) const {
  return crypto::verify(signing_key(), message, signature);
}

Bytes PublicIdentity::encrypt(ByteView plaintext, base::Rng& rng,
                              const std::optional<crypto::X25519Public>& ratchet) const {
  const auto ephemeral = crypto::X25519Key::generate(rng);
  const auto shared = ephemeral.agree(ratchet ? *ratchet : encryption_key());
  if (!shared) return {};
  const auto key = crypto::hkdf<64>(shared->view(), hash_.view());
  const Bytes token = crypto::TokenCipher(key.view()).seal(plaintext, rng);
  return base::concat({ephemeral.public_key().view(), token});
}

Identity::Identity(crypto::X25519Key encryption, crypto::Ed25519Key signing)
    : encryption_(std::move(encryption)), signing_(std::move(signing)) {
  FixedBytes<64> public_key;
  std::copy_n(encryption_.public_key().data(), 32, public_key.data());
  std::copy_n(signing_.public_key().data(), 32, public_key.data() + 32);
  public_ = PublicIdentity(public_key);
}

Identity Identity::generate(base::Rng& rng) {
  auto encryption = crypto::X25519Key::generate(rng);
  return Identity(std::move(encryption), crypto::Ed25519Key::generate(rng));
}

Result<Identity> Identity::from_private_bytes(ByteView private_bytes) {
  if (private_bytes.size() != 64) return fail(Errc::malformed, "identity is not 64 bytes");
  return Identity(crypto::X25519Key(crypto::Secret32(private_bytes.first(32))),
                  crypto::Ed25519Key(crypto::Secret32(private_bytes.subspan(32))));
}

crypto::Secret64 Identity::private_bytes() const {
  crypto::Secret64 out;
  std::copy_n(encryption_.secret().view().begin(), 32, out.writable().begin());
  std::copy_n(signing_.seed().view().begin(), 32, out.writable().begin() + 32);
  return out;
}

Result<Bytes> Identity::decrypt(ByteView ciphertext,
                                std::span<const crypto::X25519Key> ratchets) const {
  constexpr std::size_t kEphemeral = 32;
  if (ciphertext.size() <= kEphemeral) return fail(Errc::malformed, "ciphertext too short");
  const auto ephemeral = crypto::X25519Public::prefix_of(ciphertext);
  const ByteView token = ciphertext.subspan(kEphemeral);
  const auto try_key = [&](const crypto::X25519Key& own) -> Result<Bytes> {
    const auto shared = own.agree(ephemeral);
    if (!shared) return fail(shared.error());
    const auto key = crypto::hkdf<64>(shared->view(), hash().view());
    return crypto::TokenCipher(key.view()).open(token);
  };
  for (const auto& ratchet : ratchets) {
    if (auto plaintext = try_key(ratchet)) return plaintext;
  }
  return try_key(encryption_);
}

Hash10 name_hash(std::string_view full_name) { return crypto::hash10(base::as_bytes(full_name)); }

DestinationHash destination_hash(std::string_view full_name, const IdentityHash& identity) {
  return crypto::hash16({name_hash(full_name).view(), identity.view()});
}

DestinationHash plain_destination_hash(std::string_view full_name) {
  return crypto::hash16(name_hash(full_name).view());
}

}  // namespace meshstow::reticulum
