// crypto/p256_for_test.hpp: a browser's side of P-256: a key pair that signs.
#pragma once

#include <openssl/ec.h>
#include <openssl/ecdsa.h>

#include "base/check.hpp"
#include "crypto/openssl.hpp"
#include "crypto/p256.hpp"

namespace meshstow::crypto {

class P256KeyForTest {
 public:
  P256KeyForTest() : key_(EVP_EC_gen("prime256v1")) { MESHSTOW_CHECK(key_ != nullptr); }

  [[nodiscard]] P256Public public_key() const {
    P256Public out;
    std::size_t size = 0;
    MESHSTOW_CHECK(
        EVP_PKEY_get_octet_string_param(key_.get(), "pub", out.data(), out.size(), &size) == 1 &&
        size == out.size());
    return out;
  }

  [[nodiscard]] Signature sign(ByteView message) const {
    const DigestContext context = new_digest_context();
    Bytes der(80);
    std::size_t size = der.size();
    MESHSTOW_CHECK(
        EVP_DigestSignInit(context.get(), nullptr, sha256_algorithm(), nullptr, key_.get()) == 1);
    MESHSTOW_CHECK(
        EVP_DigestSign(context.get(), der.data(), &size, non_null(message), message.size()) == 1);
    const Byte* at = der.data();
    const std::unique_ptr<ECDSA_SIG, OpensslDeleter<ECDSA_SIG_free>> pair(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
    Signature out;
    MESHSTOW_CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out.data(), 32) == 32);
    MESHSTOW_CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out.data() + 32, 32) == 32);
    return out;
  }

 private:
  Pkey key_;
};

}  // namespace meshstow::crypto
