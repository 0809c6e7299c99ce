// crypto/cipher.hpp: Reticulum's token (AES-CBC + HMAC) and ChaCha20-Poly1305.
//
// Threading: an object belongs to one thread; it fetches its algorithm once and reuses its context.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/secret.hpp"

namespace meshstow::crypto {

inline constexpr std::size_t kTokenOverhead = 48;  // IV 16 + HMAC 32; PKCS#7 adds 1 to 16 more
inline constexpr std::size_t kAeadTag = 16;
inline constexpr std::size_t kAeadNonce = 12;
using AeadNonce = FixedBytes<kAeadNonce>;

// facts/reticulum.md 1: IV | AES-CBC ciphertext | HMAC-SHA-256 over both.
class TokenCipher {
 public:
  // 64 bytes: HMAC key, AES-256 key. 32 bytes: 16 + 16, AES-128. Any other length: a bug of ours.
  explicit TokenCipher(ByteView key);
  ~TokenCipher();
  TokenCipher(TokenCipher&&) noexcept;
  TokenCipher& operator=(TokenCipher&&) noexcept;

  [[nodiscard]] Bytes seal(ByteView plaintext, base::Rng& rng) const;
  [[nodiscard]] Bytes seal_with_iv(ByteView plaintext, const FixedBytes<16>& iv) const;
  // Errc::malformed: too short, wrong HMAC or bad padding.
  [[nodiscard]] Result<Bytes> open(ByteView token) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// RFC 8439. `seal` appends the 16-byte tag to the ciphertext; never use a nonce twice with one key.
Bytes aead_seal(const Secret32& key, const AeadNonce& nonce, ByteView associated,
                ByteView plaintext);
// Errc::corrupt if anything differs from what was sealed.
[[nodiscard]] Result<Bytes> aead_open(const Secret32& key, const AeadNonce& nonce,
                                      ByteView associated, ByteView sealed);

}  // namespace meshstow::crypto
