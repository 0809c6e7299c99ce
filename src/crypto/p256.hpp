// crypto/p256.hpp: ECDSA over P-256 with SHA-256 (FIPS 186-5), as WebCrypto makes it in browsers:
// the only signatures that all of them can make with a key that no script can read.
#pragma once

#include "base/bytes.hpp"

namespace meshstow::crypto {

using P256Public = FixedBytes<65>;  // an uncompressed point: 4, x, y

// Is it a point of the curve?
[[nodiscard]] bool is_p256_key(const P256Public& key);

// `signature`: r and s, 32 bytes each. False too for a key that is none.
[[nodiscard]] bool verify_p256(const P256Public& signer, ByteView message,
                               const Signature& signature);

}  // namespace meshstow::crypto
