// The Sealer of a space (storage/sealer.hpp) over its key.
//
// Each purpose has a key of its own, derived from the space key.
//   name    first 16 bytes of HMAC-SHA-256(name key, length of folder id (4 bytes) | folder id |
//           name)
//   record  salt (16, random) | AEAD; its key is HMAC-SHA-256(record key, salt), so that no number
//           of records wears the random salt out as it would a 12-byte nonce; associated data: the
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

crypto::Secret32 derive(const crypto::HmacKey& key, ByteView input) {
  Hash32 mac = key.of({input});
  crypto::Secret32 out(mac.view());
  crypto::wipe(mac.bytes);
  return out;
}

Hash32 as_hash(const crypto::Secret32& secret) { return Hash32::prefix_of(secret.view()); }

struct SealerKeys {
  crypto::HmacKey name, record, chunk, chunk_aead;
  crypto::Secret32 chunking, digest;
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
    const Hash32 mac = keys_.name.of({length, folder_id, base::as_bytes(name)});
    return Hash16::prefix_of(mac.view());
  }

  [[nodiscard]] Bytes seal_record(ByteView context, ByteView plaintext) override {
    const auto salt = rng_.bytes<kRecordSalt>();
    const Bytes sealed = crypto::aead_seal(derive(keys_.record, salt.view()), crypto::AeadNonce{},
                                           context, plaintext);
    return base::concat({salt.view(), sealed});
  }

  [[nodiscard]] Result<Bytes> open_record(ByteView context, ByteView sealed) const override {
    if (sealed.size() < kRecordSalt + crypto::kAeadTag) {
      return fail(Errc::corrupt, "a sealed record is cut short");
    }
    return crypto::aead_open(derive(keys_.record, sealed.first(kRecordSalt)), crypto::AeadNonce{},
                             context, sealed.subspan(kRecordSalt));
  }

  [[nodiscard]] Bytes seal_chunk(ByteView plaintext) override {
    const Hash32 siv = keys_.chunk.of({plaintext});
    const Bytes sealed =
        crypto::aead_seal(derive(keys_.chunk_aead, siv.view()), crypto::AeadNonce{}, {}, plaintext);
    return base::concat({siv.view(), sealed});
  }

  [[nodiscard]] Result<Bytes> open_chunk(ByteView sealed) const override {
    if (sealed.size() < kChunkSiv + crypto::kAeadTag) {
      return fail(Errc::corrupt, "a sealed chunk is cut short");
    }
    return crypto::aead_open(derive(keys_.chunk_aead, sealed.first(kChunkSiv)), crypto::AeadNonce{},
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
  const auto mac_key = [&key](std::string_view purpose) {
    return crypto::HmacKey(key.derive(purpose).view());
  };
  return std::make_unique<SpaceSealer>(
      SealerKeys{mac_key("name"), mac_key("record"), mac_key("chunk"), mac_key("chunk aead"),
                 key.derive("chunking"), key.derive("digest")},
      rng);
}

}  // namespace meshstow::node
