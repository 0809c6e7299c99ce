// crypto/keys.hpp: X25519 and Ed25519 (RFC 7748, RFC 8032), as values.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/secret.hpp"

namespace meshstow::crypto {

using X25519Public = FixedBytes<32>;
using Ed25519Public = FixedBytes<32>;

class X25519Key {
 public:
  explicit X25519Key(const Secret32& secret);
  static X25519Key generate(base::Rng& rng);

  [[nodiscard]] const X25519Public& public_key() const { return public_; }
  [[nodiscard]] const Secret32& secret() const { return secret_; }
  // Errc::malformed for a peer key of low order (the agreed secret would be zero).
  [[nodiscard]] Result<Secret32> agree(const X25519Public& peer) const;

 private:
  Secret32 secret_;
  X25519Public public_;
  std::shared_ptr<void> key_;  // the library's object, built once
};

class Ed25519Key {
 public:
  explicit Ed25519Key(const Secret32& seed);
  static Ed25519Key generate(base::Rng& rng);

  [[nodiscard]] const Ed25519Public& public_key() const { return public_; }
  [[nodiscard]] const Secret32& seed() const { return seed_; }
  [[nodiscard]] Signature sign(ByteView message) const;

 private:
  Secret32 seed_;
  Ed25519Public public_;
  std::shared_ptr<void> key_;
};

[[nodiscard]] bool verify(const Ed25519Public& signer, ByteView message,
                          const Signature& signature);

}  // namespace meshstow::crypto
