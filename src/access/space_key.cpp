#include <algorithm>

#include "access/storage_encryption.hpp"
#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace meshstow::access {
namespace {

// File form of a key ring: magic | count (2) | count x (owner 16, secret 32) | checksum (8).
constexpr std::string_view kRingMagic = "meshstow keys 1\n";
constexpr std::size_t kRingEntry = 16 + 32;
constexpr std::size_t kRingChecksum = 8;
constexpr std::size_t kRingHead = 16 + 2;
static_assert(kRingMagic.size() + 2 == kRingHead);
constexpr std::size_t kRingKeys = 0xffff;  // what the count can say

}  // namespace

SpaceKey SpaceKey::generate(base::Rng& rng) {
  crypto::Secret32 secret;
  rng.fill(secret.writable());
  return SpaceKey(secret);
}

SpaceKey::SpaceKey(const crypto::Secret32& secret) : secret_(secret) {
  id_ = KeyId::prefix_of(derive("meshstow key id").view());
}

crypto::Secret32 SpaceKey::derive(std::string_view purpose, ByteView salt) const {
  return crypto::hkdf<32>(secret_.view(), salt, base::as_bytes(purpose));
}

void KeyRing::add(const IdentityHash& owner, SpaceKey key) {
  // A key that is added again becomes the current one of its owner.
  std::erase_if(entries_, [&](const Entry& entry) { return entry.key.id() == key.id(); });
  MESHSTOW_CHECK(entries_.size() < kRingKeys);
  entries_.push_back({owner, std::move(key)});
}

const SpaceKey* KeyRing::find(const KeyId& id) const {
  for (const Entry& entry : entries_) {
    if (entry.key.id() == id) return &entry.key;
  }
  return nullptr;
}

const SpaceKey* KeyRing::current(const IdentityHash& owner) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->owner == owner) return &entry->key;
  }
  return nullptr;
}

std::optional<IdentityHash> KeyRing::owner_of(const KeyId& id) const {
  for (const Entry& entry : entries_) {
    if (entry.key.id() == id) return entry.owner;
  }
  return std::nullopt;
}

Bytes KeyRing::encode() const {
  Bytes out;
  out.reserve(kRingHead + entries_.size() * kRingEntry + kRingChecksum);  // one copy of the secrets
  base::append(out, base::as_bytes(kRingMagic));
  base::append_big_endian(out, static_cast<std::uint16_t>(entries_.size()));
  for (const Entry& entry : entries_) {
    base::append(out, entry.owner.view());
    base::append(out, entry.key.secret().view());
  }
  base::append(out, crypto::sha256(out).view().first(kRingChecksum));
  return out;
}

Result<KeyRing> KeyRing::decode(ByteView file) {
  if (file.size() < kRingHead + kRingChecksum ||
      base::as_text(file.first(kRingMagic.size())) != kRingMagic) {
    return fail(Errc::corrupt, "not a key ring file");
  }
  const std::size_t count = base::read_big_endian(file.subspan(kRingMagic.size(), 2));
  if (file.size() != kRingHead + count * kRingEntry + kRingChecksum) {
    return fail(Errc::corrupt, "the key ring file has a wrong length");
  }
  const ByteView checked = file.first(file.size() - kRingChecksum);
  const Hash32 hash = crypto::sha256(checked);
  if (!std::equal(hash.bytes.begin(), hash.bytes.begin() + kRingChecksum,
                  file.subspan(checked.size()).begin())) {
    return fail(Errc::corrupt, "the key ring file fails its checksum");
  }
  KeyRing out;
  for (std::size_t i = 0; i < count; ++i) {
    const ByteView entry = file.subspan(kRingHead + i * kRingEntry, kRingEntry);
    SpaceKey key(crypto::Secret32(entry.subspan(16)));
    if (out.find(key.id()) != nullptr) return fail(Errc::corrupt, "a key stands twice in the file");
    out.add(IdentityHash::prefix_of(entry), std::move(key));
  }
  return out;
}

}  // namespace meshstow::access
