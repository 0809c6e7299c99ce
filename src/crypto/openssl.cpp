#include "crypto/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/check.hpp"

namespace meshstow::crypto {
namespace {

const EVP_CIPHER* fetch_cipher(const char* name) {
  const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, name, nullptr);
  MESHSTOW_CHECK(cipher != nullptr);
  return cipher;
}

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MESHSTOW_CHECK(mac != nullptr);
  return mac;
}

}  // namespace

// The fetched algorithms live as long as the process: OpenSSL's own clean-up may run first.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  MESHSTOW_CHECK(md != nullptr);
  return md;
}

const EVP_CIPHER* aes128_cbc_algorithm() {
  static const EVP_CIPHER* const cipher = fetch_cipher("AES-128-CBC");
  return cipher;
}

const EVP_CIPHER* aes256_cbc_algorithm() {
  static const EVP_CIPHER* const cipher = fetch_cipher("AES-256-CBC");
  return cipher;
}

const EVP_CIPHER* chacha20_poly1305_algorithm() {
  static const EVP_CIPHER* const cipher = fetch_cipher("ChaCha20-Poly1305");
  return cipher;
}

DigestContext new_digest_context() {
  DigestContext context(EVP_MD_CTX_new());
  MESHSTOW_CHECK(context != nullptr);
  return context;
}

CipherContext new_cipher_context() {
  CipherContext context(EVP_CIPHER_CTX_new());
  MESHSTOW_CHECK(context != nullptr);
  return context;
}

MacContext new_hmac_sha256_context() {
  MacContext context(EVP_MAC_CTX_new(hmac_algorithm()));
  MESHSTOW_CHECK(context != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  MESHSTOW_CHECK(EVP_MAC_CTX_set_params(context.get(), params) == 1);
  return context;
}

void start_mac(EVP_MAC_CTX* context, ByteView key) {
  MESHSTOW_CHECK(EVP_MAC_init(context, non_null(key), key.size(), nullptr) == 1);
}

void restart_mac(EVP_MAC_CTX* context) {
  MESHSTOW_CHECK(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);
}

void add_to_mac(EVP_MAC_CTX* context, ByteView data) {
  MESHSTOW_CHECK(EVP_MAC_update(context, non_null(data), data.size()) == 1);
}

Hash32 finish_mac(EVP_MAC_CTX* context) {
  Hash32 out;
  std::size_t size = 0;
  MESHSTOW_CHECK(EVP_MAC_final(context, out.data(), &size, out.size()) == 1 && size == out.size());
  return out;
}

}  // namespace meshstow::crypto
