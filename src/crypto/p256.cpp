#include "crypto/p256.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "base/check.hpp"
#include "crypto/openssl.hpp"

namespace meshstow::crypto {
namespace {

using EcdsaSignature = std::unique_ptr<ECDSA_SIG, OpensslDeleter<ECDSA_SIG_free>>;

// nullptr: no point of the curve.
Pkey load_key(const P256Public& key) {
  char group[] = "prime256v1";
  P256Public point = key;  // OpenSSL takes no const
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  MESHSTOW_CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* out = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &out, EVP_PKEY_PUBLIC_KEY,
                        const_cast<OSSL_PARAM*>(params)) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return Pkey(out);
}

// OpenSSL reads signatures in DER.
Bytes to_der(const Signature& signature) {
  const EcdsaSignature pair(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(signature.data(), 32, nullptr);
  BIGNUM* s = BN_bin2bn(signature.data() + 32, 32, nullptr);
  MESHSTOW_CHECK(pair != nullptr && r != nullptr && s != nullptr);
  MESHSTOW_CHECK(ECDSA_SIG_set0(pair.get(), r, s) == 1);  // which owns them from now on
  Bytes out(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)));
  Byte* end = out.data();
  MESHSTOW_CHECK(i2d_ECDSA_SIG(pair.get(), &end) == static_cast<int>(out.size()));
  return out;
}

}  // namespace

bool is_p256_key(const P256Public& key) { return key.data()[0] == 4 && load_key(key) != nullptr; }

bool verify_p256(const P256Public& signer, ByteView message, const Signature& signature) {
  const Pkey key = signer.data()[0] == 4 ? load_key(signer) : nullptr;
  if (key == nullptr) return false;
  const DigestContext context = new_digest_context();
  const Bytes der = to_der(signature);
  const bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, sha256_algorithm(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), der.data(), der.size(), non_null(message), message.size()) ==
          1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace meshstow::crypto
