// crypto/openssl.hpp: owners of OpenSSL objects and the algorithms, fetched once. Internal to
// src/crypto, which is the only folder that may include OpenSSL.
//
// Threading: fetched algorithms are immutable and shared; contexts belong to one thread.
// Errors: what OpenSSL refuses although our arguments are right is a bug of ours (MESHSTOW_CHECK);
// what depends on input is an Error, and its caller clears OpenSSL's error queue.
#pragma once

#include <memory>
#include <openssl/evp.h>

#include "base/bytes.hpp"

namespace meshstow::crypto {

template <auto free_object>
struct OpensslDeleter {
  template <class Object>
  void operator()(Object* object) const {
    free_object(object);
  }
};

using DigestContext = std::unique_ptr<EVP_MD_CTX, OpensslDeleter<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, OpensslDeleter<EVP_CIPHER_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, OpensslDeleter<EVP_MAC_CTX_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, OpensslDeleter<EVP_PKEY_CTX_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;

const EVP_MD* sha256_algorithm();
const EVP_CIPHER* aes128_cbc_algorithm();
const EVP_CIPHER* aes256_cbc_algorithm();
const EVP_CIPHER* chacha20_poly1305_algorithm();

DigestContext new_digest_context();
CipherContext new_cipher_context();
MacContext new_hmac_sha256_context();  // its digest is set, its key is not

// Starts a MAC under `key`, which may be empty.
void start_mac(EVP_MAC_CTX* context, ByteView key);
void restart_mac(EVP_MAC_CTX* context);  // under the key that it has
void add_to_mac(EVP_MAC_CTX* context, ByteView data);
Hash32 finish_mac(EVP_MAC_CTX* context);

// OpenSSL treats a null pointer as "no argument", and an empty span has one.
inline const Byte* non_null(ByteView view) {
  static constexpr Byte kNothing = 0;
  return view.empty() ? &kNothing : view.data();
}

}  // namespace meshstow::crypto
