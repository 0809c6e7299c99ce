#include "crypto/secret.hpp"

#include <openssl/crypto.h>

namespace meshstow::crypto {

void wipe(MutableByteView bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace meshstow::crypto
