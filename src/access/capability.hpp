// access/capability.hpp: signed grants and their text form, the Bearer token.
//
// A token verifies offline with the issuer's public key. Bytes: docs/PROTOCOL.md. Best under 180
// characters, so that a GET fits one Reticulum packet; never above limits::kTokenText.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/scope.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"

namespace meshstow::access {

using TokenId = FixedBytes<8>;
using IdentityHash = Hash16;
using Signer = std::function<Signature(ByteView)>;

struct Capability {
  TokenId id;
  IdentityHash issuer;                 // the owner of the space
  std::optional<IdentityHash> holder;  // nullopt: whoever shows it (a bearer token)
  std::vector<Scope> scopes;
  std::optional<WallTime> expires;  // whole seconds
};

std::string mint(const Capability& capability, const Signer& issuer);

// Errc::malformed: no token at all. Errc::denied: another issuer, or the signature does not hold.
// Expiry, holder and revocation are AccessControl's.
[[nodiscard]] Result<Capability> verify_token(std::string_view text, const IdentityHash& issuer,
                                              const crypto::Ed25519Public& issuer_key);
// What a token says, unverified: a client's view, to choose whom to identify as and whose space it
// is for. `issuer` is then the first 8 bytes, zero-padded, if the token carries no more.
[[nodiscard]] Result<Capability> peek_token(std::string_view text);

}  // namespace meshstow::access
