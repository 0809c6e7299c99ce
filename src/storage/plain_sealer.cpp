#include "storage/plain_sealer.hpp"

#include <atomic>

#include "crypto/cipher.hpp"
#include "crypto/hash.hpp"

namespace meshstow::storage {
namespace {

class PlainSealer final : public Sealer {
 public:
  explicit PlainSealer(std::uint64_t seed) : seed_(seed) {
    base::append_big_endian(seed_bytes_, seed);
    const Hash32 key = crypto::sha256(seed_bytes_);
    key_ = crypto::Secret32(key.view());
  }

  std::unique_ptr<Sealer> clone() const override { return std::make_unique<PlainSealer>(seed_); }

  Hash16 name_key(ByteView folder_id, std::string_view name) const override {
    return crypto::hash16({key_.view(), folder_id, base::as_bytes(name)});
  }

  Bytes seal_record(ByteView context, ByteView plaintext) override {
    return seal(fresh_nonce(), context, plaintext);
  }
  Result<Bytes> open_record(ByteView context, ByteView sealed) const override {
    return open(context, sealed);
  }

  Bytes seal_chunk(ByteView plaintext) override {
    const Hash32 hash = crypto::sha256({key_.view(), plaintext});
    return seal(crypto::AeadNonce::prefix_of(hash.view()), {}, plaintext);
  }
  Result<Bytes> open_chunk(ByteView sealed) const override { return open({}, sealed); }

  Hash32 chunking_key() const override { return derived("cuts"); }
  Hash32 digest_key() const override { return derived("digests"); }

 private:
  // A test needs no secrecy, only that no two records are sealed alike.
  static crypto::AeadNonce fresh_nonce() {
    static std::atomic<std::uint64_t> count = 0;
    Bytes bytes(4);
    base::append_big_endian(bytes, count++);
    return crypto::AeadNonce::prefix_of(bytes);
  }

  Bytes seal(const crypto::AeadNonce& nonce, ByteView context, ByteView plaintext) const {
    return base::concat({nonce.view(), crypto::aead_seal(key_, nonce, context, plaintext)});
  }

  Result<Bytes> open(ByteView context, ByteView sealed) const {
    if (sealed.size() < crypto::kAeadNonce) return fail(Errc::corrupt, "cut short");
    return crypto::aead_open(key_, crypto::AeadNonce::prefix_of(sealed), context,
                             sealed.subspan(crypto::kAeadNonce));
  }

  Hash32 derived(std::string_view purpose) const {
    return crypto::sha256({key_.view(), base::as_bytes(purpose)});
  }

  std::uint64_t seed_;
  Bytes seed_bytes_;
  crypto::Secret32 key_;
};

}  // namespace

std::unique_ptr<Sealer> make_plain_sealer(std::uint64_t seed) {
  return std::make_unique<PlainSealer>(seed);
}

}  // namespace meshstow::storage
