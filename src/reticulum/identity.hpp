// reticulum/identity.hpp: who signs and who is addressed.
// Source: facts/reticulum.md 1 and 2. Identity files hold the 64 private bytes and nothing else.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/keys.hpp"

namespace meshstow::reticulum {

using IdentityHash = Hash16;
using DestinationHash = Hash16;
using LinkId = Hash16;
using RequestId = Hash16;
using PacketHash = Hash32;

// What others know of an identity: X25519 public (32) | Ed25519 public (32).
class PublicIdentity {
 public:
  PublicIdentity() = default;
  explicit PublicIdentity(const FixedBytes<64>& public_key);

  [[nodiscard]] const FixedBytes<64>& public_key() const { return public_key_; }
  [[nodiscard]] const IdentityHash& hash() const { return hash_; }
  [[nodiscard]] crypto::X25519Public encryption_key() const;
  [[nodiscard]] crypto::Ed25519Public signing_key() const;
  [[nodiscard]] bool verify(ByteView message, const Signature& signature) const;
  // Encrypts for a SINGLE destination of this identity; to `ratchet` if one is known.
  [[nodiscard]] Bytes encrypt(ByteView plaintext, base::Rng& rng,
                              const std::optional<crypto::X25519Public>& ratchet = {}) const;
  friend bool operator==(const PublicIdentity& a, const PublicIdentity& b) {
    return a.public_key_ == b.public_key_;
  }

 private:
  FixedBytes<64> public_key_;
  IdentityHash hash_;
};

class Identity {
 public:
  static Identity generate(base::Rng& rng);
  // Errc::malformed unless 64 bytes: X25519 private (32) | Ed25519 seed (32).
  [[nodiscard]] static Result<Identity> from_private_bytes(ByteView private_bytes);

  [[nodiscard]] crypto::Secret64 private_bytes() const;
  [[nodiscard]] const PublicIdentity& public_identity() const { return public_; }
  [[nodiscard]] const IdentityHash& hash() const { return public_.hash(); }
  [[nodiscard]] Signature sign(ByteView message) const { return signing_.sign(message); }
  // Tries the ratchets newest first, then the identity key. Errc::malformed if none opens it.
  [[nodiscard]] Result<Bytes> decrypt(ByteView ciphertext,
                                      std::span<const crypto::X25519Key> ratchets = {}) const;

 private:
  Identity(crypto::X25519Key encryption, crypto::Ed25519Key signing);
  crypto::X25519Key encryption_;
  crypto::Ed25519Key signing_;
  PublicIdentity public_;
};

// "remotestorage.node" -> its name hash; with an identity -> the destination hash.
Hash10 name_hash(std::string_view full_name);
DestinationHash destination_hash(std::string_view full_name, const IdentityHash& identity);
DestinationHash plain_destination_hash(std::string_view full_name);

}  // namespace meshstow::reticulum
