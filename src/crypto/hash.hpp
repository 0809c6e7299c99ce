// crypto/hash.hpp: SHA-256, HMAC, HKDF, scrypt.
//
// Threading: free functions keep their OpenSSL contexts per thread; objects belong to one thread.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"

namespace meshstow::crypto {

Hash32 sha256(ByteView data);
Hash32 sha256(std::initializer_list<ByteView> parts);  // of the parts joined

// First 16 / 10 bytes of SHA-256: Reticulum's address and name hashes.
Hash16 hash16(ByteView data);
Hash16 hash16(std::initializer_list<ByteView> parts);
Hash10 hash10(ByteView data);

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteView data);
  Hash32 finish();  // and starts anew

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Hash32 hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);

// A key for many HMACs: a quarter of the cost of hmac_sha256() on short input, which is nearly all
// setting up.
class HmacKey {
 public:
  explicit HmacKey(ByteView key);
  HmacKey(const HmacKey& other);
  HmacKey& operator=(const HmacKey&) = delete;
  ~HmacKey();

  [[nodiscard]] Hash32 of(std::initializer_list<ByteView> parts) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// RFC 5869. Empty salt = 32 zero bytes. The block counter wraps modulo 256 as in Reticulum
// (facts/reticulum.md 1), so `out` may be longer than 8160 bytes.
void hkdf(MutableByteView out, ByteView ikm, ByteView salt, ByteView context);

template <std::size_t N>
Secret<N> hkdf(ByteView ikm, ByteView salt, ByteView context = {}) {
  Secret<N> out;
  hkdf(out.writable(), ikm, salt, context);
  return out;
}

struct ScryptCost {
  std::uint64_t n = 1 << 15;
  std::uint32_t r = 8;
  std::uint32_t p = 1;
};
// Errc::limit if the cost needs more than 128 MiB.
[[nodiscard]] Result<Secret32> scrypt(std::string_view passphrase, ByteView salt,
                                      ScryptCost cost = {});

}  // namespace meshstow::crypto
