#include "crypto/keys.hpp"

#include <openssl/err.h>

#include "base/check.hpp"
#include "crypto/openssl.hpp"

namespace meshstow::crypto {
namespace {

std::shared_ptr<void> private_key(int type, const Secret32& secret) {
  EVP_PKEY* key =
      EVP_PKEY_new_raw_private_key(type, nullptr, secret.view().data(), secret.view().size());
  MESHSTOW_CHECK(key != nullptr);
  return {key, [](void* raw) { EVP_PKEY_free(static_cast<EVP_PKEY*>(raw)); }};
}

FixedBytes<32> public_of(const std::shared_ptr<void>& key) {
  FixedBytes<32> out;
  std::size_t size = out.size();
  MESHSTOW_CHECK(
      EVP_PKEY_get_raw_public_key(static_cast<EVP_PKEY*>(key.get()), out.data(), &size) == 1 &&
      size == out.size());
  return out;
}

Secret32 random_secret(base::Rng& rng) {
  Secret32 out;
  rng.fill(out.writable());
  return out;
}

}  // namespace

X25519Key::X25519Key(const Secret32& secret)
    : secret_(secret), key_(private_key(EVP_PKEY_X25519, secret)) {
  public_ = public_of(key_);
}

X25519Key X25519Key::generate(base::Rng& rng) { return X25519Key(random_secret(rng)); }

Result<Secret32> X25519Key::agree(const X25519Public& peer) const {
  const Pkey theirs(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), peer.size()));
  const PkeyContext context(EVP_PKEY_CTX_new(static_cast<EVP_PKEY*>(key_.get()), nullptr));
  MESHSTOW_CHECK(theirs != nullptr && context != nullptr);
  MESHSTOW_CHECK(EVP_PKEY_derive_init(context.get()) == 1);

  Secret32 out;
  std::size_t size = out.writable().size();
  // OpenSSL refuses an agreed secret of zeros, which is what every low-order key leads to.
  if (EVP_PKEY_derive_set_peer(context.get(), theirs.get()) != 1 ||
      EVP_PKEY_derive(context.get(), out.writable().data(), &size) != 1 || size != 32) {
    ERR_clear_error();
    return fail(Errc::malformed, "X25519 key of low order");
  }
  return out;
}

Ed25519Key::Ed25519Key(const Secret32& seed)
    : seed_(seed), key_(private_key(EVP_PKEY_ED25519, seed)) {
  public_ = public_of(key_);
}

Ed25519Key Ed25519Key::generate(base::Rng& rng) { return Ed25519Key(random_secret(rng)); }

Signature Ed25519Key::sign(ByteView message) const {
  const DigestContext context = new_digest_context();
  Signature out;
  std::size_t size = out.size();
  MESHSTOW_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr,
                                    static_cast<EVP_PKEY*>(key_.get())) == 1);
  MESHSTOW_CHECK(
      EVP_DigestSign(context.get(), out.data(), &size, non_null(message), message.size()) == 1 &&
      size == out.size());
  return out;
}

bool verify(const Ed25519Public& signer, ByteView message, const Signature& signature) {
  const Pkey key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, signer.data(), signer.size()));
  const DigestContext context = new_digest_context();
  const bool good =
      key != nullptr &&
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), non_null(message),
                       message.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace meshstow::crypto
