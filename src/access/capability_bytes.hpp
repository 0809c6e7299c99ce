// access/capability_bytes.hpp: the unsigned body of a capability, as tokens and token records hold
// it. Internal to src/access. Bytes: docs/PROTOCOL.md "Capability token".
#pragma once

#include "access/capability.hpp"

namespace meshstow::access {

inline constexpr std::size_t kIssuerPrefix = 8;  // bytes of the issuer's hash that a token carries

Bytes encode_capability(const Capability& capability);
// Errc::malformed for anything that encode_capability would not have written. `issuer` of the
// result is the prefix, zero-padded.
[[nodiscard]] Result<Capability> decode_capability(ByteView body);

}  // namespace meshstow::access
