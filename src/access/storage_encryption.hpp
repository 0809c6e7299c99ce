// access/storage_encryption.hpp: sealing of private and shared data, on disk and in messages.
//
// Source: seed specification, Security 1; design.md 5 "Sealed envelope". Bytes: docs/PROTOCOL.md.
// An envelope: fresh random 12-byte iv, AEAD ciphertext, key_id, and the version it seals. Key:
// HKDF of the space secret per version; associated data: owner, path, version. Bodies above
// kEnvelopeFrame are sealed frame by frame so that both sides work in constant memory; frames
// cannot be cut off, swapped or repeated unnoticed.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "access/capability.hpp"
#include "base/rng.hpp"
#include "crypto/secret.hpp"

namespace meshstow::access {

using KeyId = FixedBytes<8>;
using EnvelopeVersion = Hash16;  // chosen by the writer, at random
inline constexpr std::size_t kEnvelopeFrame = std::size_t{64} * 1024;  // plaintext bytes a frame

// The secret of one space. File form: docs/PROTOCOL.md; kept with mode 0600.
class SpaceKey {
 public:
  static SpaceKey generate(base::Rng& rng);
  explicit SpaceKey(const crypto::Secret32& secret);
  [[nodiscard]] const KeyId& id() const { return id_; }
  [[nodiscard]] const crypto::Secret32& secret() const { return secret_; }
  // A key for one purpose: HKDF with the purpose as context.
  [[nodiscard]] crypto::Secret32 derive(std::string_view purpose, ByteView salt = {}) const;

 private:
  crypto::Secret32 secret_;
  KeyId id_;
};

class KeyRing {
 public:
  void add(const IdentityHash& owner, SpaceKey key);
  [[nodiscard]] const SpaceKey* find(const KeyId& id) const;
  [[nodiscard]] const SpaceKey* current(const IdentityHash& owner) const;
  [[nodiscard]] std::optional<IdentityHash> owner_of(const KeyId& id) const;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<KeyRing> decode(ByteView file);

 private:
  struct Entry {
    IdentityHash owner;
    SpaceKey key;
  };
  std::vector<Entry> entries_;  // the last of an owner is current
};

// Seals one body in pieces. Equal (key, version, iv, body) give equal bytes: a writer may run over
// a body twice, first for its hash.
class EnvelopeSealer {
 public:
  EnvelopeSealer(const SpaceKey& key, const IdentityHash& owner, const StoragePath& path,
                 const EnvelopeVersion& version, const FixedBytes<12>& iv);
  [[nodiscard]] static std::uint64_t sealed_size(std::uint64_t plaintext_size);
  // The other way; nullopt if no body has a sealed form of this size.
  [[nodiscard]] static std::optional<std::uint64_t> opened_size(std::uint64_t sealed_size);
  // Appends what is ready to `out`; call finish() once after the last piece.
  void update(ByteView plaintext, Bytes& out);
  void finish(Bytes& out);

 private:
  void emit_frame(Bytes& out, bool last);
  crypto::Secret32 key_;
  Bytes associated_;
  FixedBytes<12> iv_;
  Bytes head_;
  Bytes pending_;
  std::uint64_t frame_ = 0;
};

class EnvelopeOpener {
 public:
  EnvelopeOpener(const KeyRing& keys, const IdentityHash& owner, const StoragePath& path);
  // Errc::denied: sealed with a key that we do not hold. Errc::corrupt: changed, or for another
  // place.
  [[nodiscard]] Result<void> update(ByteView sealed, Bytes& out);
  [[nodiscard]] Result<void> finish(Bytes& out);

 private:
  [[nodiscard]] Result<void> read_head();
  [[nodiscard]] Result<void> open_frame(ByteView frame, bool last, Bytes& out);
  const KeyRing& keys_;
  IdentityHash owner_;
  std::string path_;
  std::optional<crypto::Secret32> key_;
  Bytes associated_;
  FixedBytes<12> iv_;
  Bytes pending_;
  std::uint64_t frame_ = 0;
};

// The seed's encrypt_data, for bodies that are all there.
class StorageEncryption {
 public:
  StorageEncryption(const KeyRing& keys, base::Rng& rng) : keys_(keys), rng_(rng) {}
  [[nodiscard]] Result<Bytes> encrypt_data(ByteView data, const IdentityHash& owner,
                                           const StoragePath& path);
  [[nodiscard]] Result<Bytes> decrypt_data(ByteView envelope, const IdentityHash& owner,
                                           const StoragePath& path) const;

 private:
  const KeyRing& keys_;
  base::Rng& rng_;
};

// Does this begin like an envelope? (A guess for error messages; opening is the proof.)
[[nodiscard]] bool looks_like_envelope(ByteView data);
// Bytes that looks_like_envelope() and envelope_key() need to see.
inline constexpr std::size_t kEnvelopeLeast = 53;
// Which key opens it, where it begins like an envelope.
[[nodiscard]] std::optional<KeyId> envelope_key(ByteView data);

}  // namespace meshstow::access
