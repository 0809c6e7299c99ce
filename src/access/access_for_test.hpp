// access/access_for_test.hpp: identities and short spellings for this folder's tests.
#pragma once

#include "access/access_control.hpp"
#include "access/storage_encryption.hpp"

namespace meshstow::access {

inline const crypto::Ed25519Key& owner_key() {
  static const crypto::Ed25519Key key(crypto::Secret32(Bytes(32, 0x11)));
  return key;
}
inline const crypto::Ed25519Key& stranger_key() {
  static const crypto::Ed25519Key key(crypto::Secret32(Bytes(32, 0x22)));
  return key;
}
inline Signer signer_of(const crypto::Ed25519Key& key) {
  return [&key](ByteView bytes) { return key.sign(bytes); };
}

// A hash whose bytes are all `byte`.
inline IdentityHash identity(Byte byte) {
  IdentityHash out;
  out.bytes.fill(byte);
  return out;
}
inline const IdentityHash kOwner = identity(0xa0);
inline const IdentityHash kDevice = identity(0xd0);
inline const IdentityHash kFriend = identity(0xf0);
inline const IdentityHash kStranger = identity(0x50);

inline StoragePath path(std::string_view text) { return StoragePath::parse(text).value(); }
inline Scope scope(std::string_view text) { return Scope::parse(text).value(); }
inline WallTime at(std::int64_t seconds) { return base::wall_from_unix_seconds(seconds); }
inline constexpr std::int64_t kNoon = 1'772'366'400;  // 2026-03-01T12:00:00Z

inline Capability capability(std::vector<Scope> scopes) {
  return {.id = TokenId{{1, 2, 3, 4, 5, 6, 7, 8}}, .issuer = kOwner, .scopes = std::move(scopes)};
}
inline std::string token_of(const Capability& capability) {
  return mint(capability, signer_of(owner_key()));
}

}  // namespace meshstow::access
