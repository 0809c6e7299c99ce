#include "crypto/cipher.hpp"

#include <openssl/err.h>

#include "base/check.hpp"
#include "crypto/aead_batch.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"

namespace meshstow::crypto {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kIv = 16;
constexpr std::size_t kHmac = 32;

// OpenSSL counts in int; longer input goes in pieces. Returns the bytes written, -1 on refusal.
std::ptrdiff_t cipher_update(EVP_CIPHER_CTX* context, Byte* out, ByteView in) {
  constexpr std::size_t kPiece = 1U << 30;
  std::ptrdiff_t total = 0;
  while (!in.empty()) {
    const ByteView piece = in.first(std::min(in.size(), kPiece));
    int written = 0;
    if (EVP_CipherUpdate(context, out == nullptr ? nullptr : out + total, &written, piece.data(),
                         static_cast<int>(piece.size())) != 1) {
      return -1;
    }
    total += written;
    in = in.subspan(piece.size());
  }
  return total;
}

CipherContext keyed_cipher(ByteView key, bool encrypt) {
  CipherContext context = new_cipher_context();
  const EVP_CIPHER* algorithm = key.size() == 32 ? aes256_cbc_algorithm() : aes128_cbc_algorithm();
  MESHSTOW_CHECK(EVP_CipherInit_ex2(context.get(), algorithm, key.data(), nullptr, encrypt ? 1 : 0,
                                    nullptr) == 1);
  return context;
}

// This thread's AEAD context under one key. It would keep the key, and the one of the MAC, until
// the next use, so both are overwritten when this goes; to empty it, and give it its algorithm
// again, would cost more than the sealing of a small text.
class ThreadAead {
 public:
  ThreadAead(const Secret32& key, const AeadNonce& nonce, bool encrypt) {
    start(key.view().data(), nonce, encrypt);
  }
  ~ThreadAead() {
    if (batches() == 0) overwrite_key();
  }
  ThreadAead(const ThreadAead&) = delete;
  ThreadAead& operator=(const ThreadAead&) = delete;

  static void overwrite_key() {
    constexpr FixedBytes<32> kNoKey;
    constexpr Byte kSomething = 0;
    start(kNoKey.data(), {}, true);
    MESHSTOW_CHECK(cipher_update(get(), nullptr, {&kSomething, 1}) >= 0);  // makes the MAC's key
  }
  // How many AeadBatches this thread has.
  static int& batches() {
    thread_local int count = 0;
    return count;
  }

  static EVP_CIPHER_CTX* get() {
    thread_local const CipherContext context = with_algorithm();
    return context.get();
  }

 private:
  static CipherContext with_algorithm() {
    CipherContext context = new_cipher_context();
    MESHSTOW_CHECK(EVP_CipherInit_ex2(context.get(), chacha20_poly1305_algorithm(), nullptr,
                                      nullptr, 1, nullptr) == 1);
    return context;
  }
  static void start(const Byte* key, const AeadNonce& nonce, bool encrypt) {
    MESHSTOW_CHECK(
        EVP_CipherInit_ex2(get(), nullptr, key, nonce.data(), encrypt ? 1 : 0, nullptr) == 1);
  }
};

}  // namespace

struct TokenCipher::State {
  explicit State(ByteView key)
      : encrypt(keyed_cipher(key.subspan(key.size() / 2), true)),
        decrypt(keyed_cipher(key.subspan(key.size() / 2), false)),
        mac(key.first(key.size() / 2)) {}

  CipherContext encrypt;
  CipherContext decrypt;
  HmacKey mac;
};

TokenCipher::TokenCipher(ByteView key) {
  MESHSTOW_CHECK(key.size() == 64 || key.size() == 32);
  state_ = std::make_unique<State>(key);
}

TokenCipher::~TokenCipher() = default;
TokenCipher::TokenCipher(TokenCipher&&) noexcept = default;
TokenCipher& TokenCipher::operator=(TokenCipher&&) noexcept = default;

Bytes TokenCipher::seal(ByteView plaintext, base::Rng& rng) const {
  return seal_with_iv(plaintext, rng.bytes<kIv>());
}

Bytes TokenCipher::seal_with_iv(ByteView plaintext, const FixedBytes<16>& iv) const {
  EVP_CIPHER_CTX* context = state_->encrypt.get();
  const std::size_t padded = (plaintext.size() / kBlock + 1) * kBlock;
  Bytes out;
  out.reserve(kIv + padded + kHmac);
  base::append(out, iv.view());
  out.resize(kIv + padded);

  MESHSTOW_CHECK(EVP_CipherInit_ex2(context, nullptr, nullptr, iv.data(), -1, nullptr) == 1);
  const std::ptrdiff_t body = cipher_update(context, out.data() + kIv, plaintext);
  int last = 0;
  MESHSTOW_CHECK(body >= 0 && EVP_CipherFinal_ex(context, out.data() + kIv + body, &last) == 1);
  MESHSTOW_CHECK(static_cast<std::size_t>(body + last) == padded);
  base::append(out, state_->mac.of({out}).view());
  return out;
}

Result<Bytes> TokenCipher::open(ByteView token) const {
  if (token.size() < kTokenOverhead + kBlock || (token.size() - kTokenOverhead) % kBlock != 0) {
    return fail(Errc::malformed, "length of a token");
  }
  const ByteView authenticated = token.first(token.size() - kHmac);
  if (!equal_in_constant_time(state_->mac.of({authenticated}).view(), token.last(kHmac))) {
    return fail(Errc::malformed, "HMAC of a token");
  }
  EVP_CIPHER_CTX* context = state_->decrypt.get();
  const ByteView ciphertext = authenticated.subspan(kIv);
  MESHSTOW_CHECK(EVP_CipherInit_ex2(context, nullptr, nullptr, token.data(), -1, nullptr) == 1);
  Bytes out(ciphertext.size() + kBlock);  // OpenSSL may hold back a block, and asks for its room
  const std::ptrdiff_t body = cipher_update(context, out.data(), ciphertext);
  int last = 0;
  if (body < 0 || EVP_CipherFinal_ex(context, out.data() + body, &last) != 1) {
    wipe(out);
    ERR_clear_error();
    return fail(Errc::malformed, "padding of a token");
  }
  out.resize(static_cast<std::size_t>(body + last));
  return out;
}

AeadBatch::AeadBatch() { ++ThreadAead::batches(); }

AeadBatch::~AeadBatch() {
  if (--ThreadAead::batches() == 0) ThreadAead::overwrite_key();
}

Bytes aead_seal(const Secret32& key, const AeadNonce& nonce, ByteView associated,
                ByteView plaintext) {
  const ThreadAead aead(key, nonce, true);
  Bytes out(plaintext.size() + kAeadTag);
  MESHSTOW_CHECK(cipher_update(aead.get(), nullptr, associated) >= 0);
  const std::ptrdiff_t body = cipher_update(aead.get(), out.data(), plaintext);
  Byte* tag = out.data() + plaintext.size();
  int last = 0;
  MESHSTOW_CHECK(body == std::ssize(plaintext) && EVP_CipherFinal_ex(aead.get(), tag, &last) == 1 &&
                 last == 0);
  MESHSTOW_CHECK(EVP_CIPHER_CTX_ctrl(aead.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTag, tag) == 1);
  return out;
}

Result<Bytes> aead_open(const Secret32& key, const AeadNonce& nonce, ByteView associated,
                        ByteView sealed) {
  if (sealed.size() < kAeadTag) return fail(Errc::corrupt, "length of a sealed text");
  const ThreadAead aead(key, nonce, false);
  const ByteView ciphertext = sealed.first(sealed.size() - kAeadTag);
  auto tag = FixedBytes<kAeadTag>::prefix_of(sealed.last(kAeadTag));
  MESHSTOW_CHECK(EVP_CIPHER_CTX_ctrl(aead.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTag, tag.data()) == 1);

  Bytes out(ciphertext.size());
  Byte none = 0;
  Byte* end = out.empty() ? &none : out.data() + out.size();
  int last = 0;
  if (cipher_update(aead.get(), nullptr, associated) < 0 ||
      cipher_update(aead.get(), out.data(), ciphertext) != std::ssize(out) ||
      EVP_CipherFinal_ex(aead.get(), end, &last) != 1) {
    wipe(out);
    ERR_clear_error();
    return fail(Errc::corrupt, "seal of a sealed text");
  }
  return out;
}

}  // namespace meshstow::crypto
