// The Sealer of a space (storage/sealer.hpp) over its key.
//
// Each purpose has a key of its own, derived from the space key.
//   name    HMAC-SHA-256(name key, length of folder id (4 bytes) | folder id | name), first 16
//   bytes record  salt (16, random) | AEAD; its key is HMAC-SHA-256(record key, salt), so that no
//   number of
//           records wears the random salt out as it would a 12-byte nonce; associated data: the
//           context
//   chunk   siv (32) | AEAD; siv = HMAC-SHA-256(chunk key, plaintext), the AEAD's key is
//           HMAC-SHA-256(chunk AEAD key, siv): equal plaintext seals to equal bytes, within a space
//           only
// AEAD is ChaCha20-Poly1305 with a nonce of zeros: every AEAD key seals one plaintext.
#include "crypto/cipher.hpp"
#include "crypto/hash.hpp"
#include "node/storage_node.hpp"

namespace meshstow::node {
namespace {

constexpr std::size_t kRecordSalt = 16;
constexpr std::size_t kChunkSiv = 32;

crypto::Secret32 keyed(const crypto::Secret32& key, ByteView input) {
  Hash32 mac = crypto::hmac_sha256(key.view(), {input});
  crypto::Secret32 out(mac.view());
  crypto::wipe(mac.bytes);
  return out;
}

Hash32 as_hash(const crypto::Secret32& secret) { return Hash32::prefix_of(secret.view()); }

struct SealerKeys {
  crypto::Secret32 name, record, chunk, chunk_aead, chunking, digest;
};

class SpaceSealer final : public storage::Sealer {
 public:
  SpaceSealer(SealerKeys keys, base::Rng& rng) : keys_(std::move(keys)), rng_(rng) {}

  [[nodiscard]] std::unique_ptr<storage::Sealer> clone() const override {
    return std::make_unique<SpaceSealer>(keys_, rng_);
  }

  [[nodiscard]] Hash16 name_key(ByteView folder_id, std::string_view name) const override {
    Bytes length;
    base::append_big_endian(length, static_cast<std::uint32_t>(folder_id.size()));
    const Hash32 mac =
        crypto::hmac_sha256(keys_.name.view(), {length, folder_id, base::as_bytes(name)});
    return Hash16::prefix_of(mac.view());
  }

  [[nodiscard]] Bytes seal_record(ByteView context, ByteView plaintext) override {
    const auto salt = rng_.bytes<kRecordSalt>();
    const Bytes sealed = crypto::aead_seal(keyed(keys_.record, salt.view()), crypto::AeadNonce{},
                                           context, plaintext);
    return base::concat({salt.view(), sealed});
  }

  [[nodiscard]] Result<Bytes> open_record(ByteView context, ByteView sealed) const override {
    if (sealed.size() < kRecordSalt + crypto::kAeadTag) {
      return fail(Errc::corrupt, "a sealed record is cut short");
    }
    return crypto::aead_open(keyed(keys_.record, sealed.first(kRecordSalt)), crypto::AeadNonce{},
                             context, sealed.subspan(kRecordSalt));
  }

  [[nodiscard]] Bytes seal_chunk(ByteView plaintext) override {
    const Hash32 siv = crypto::hmac_sha256(keys_.chunk.view(), {plaintext});
    const Bytes sealed =
        crypto::aead_seal(keyed(keys_.chunk_aead, siv.view()), crypto::AeadNonce{}, {}, plaintext);
    return base::concat({siv.view(), sealed});
  }

  [[nodiscard]] Result<Bytes> open_chunk(ByteView sealed) const override {
    if (sealed.size() < kChunkSiv + crypto::kAeadTag) {
      return fail(Errc::corrupt, "a sealed chunk is cut short");
    }
    return crypto::aead_open(keyed(keys_.chunk_aead, sealed.first(kChunkSiv)), crypto::AeadNonce{},
                             {}, sealed.subspan(kChunkSiv));
  }

  [[nodiscard]] Hash32 chunking_key() const override { return as_hash(keys_.chunking); }
  [[nodiscard]] Hash32 digest_key() const override { return as_hash(keys_.digest); }

 private:
  SealerKeys keys_;
  base::Rng& rng_;
};

}  // namespace

std::unique_ptr<storage::Sealer> make_space_sealer(const access::SpaceKey& key, base::Rng& rng) {
  return std::make_unique<SpaceSealer>(
      SealerKeys{key.derive("name"), key.derive("record"), key.derive("chunk"),
                 key.derive("chunk aead"), key.derive("chunking"), key.derive("digest")},
      rng);
}

}  // namespace meshstow::node
