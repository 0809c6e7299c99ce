#include "crypto/hash.hpp"

#include <bit>
#include <openssl/err.h>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "crypto/openssl.hpp"

namespace meshstow::crypto {
namespace {

// A context that has its algorithm starts faster when it is not told again.
EVP_MD_CTX* start_digest(EVP_MD_CTX* context, const EVP_MD* algorithm = nullptr) {
  MESHSTOW_CHECK(EVP_DigestInit_ex2(context, algorithm, nullptr) == 1);
  return context;
}

DigestContext started_digest() {
  DigestContext context = new_digest_context();
  start_digest(context.get(), sha256_algorithm());
  return context;
}

void add_to_digest(EVP_MD_CTX* context, ByteView data) {
  MESHSTOW_CHECK(EVP_DigestUpdate(context, non_null(data), data.size()) == 1);
}

Hash32 finish_digest(EVP_MD_CTX* context) {
  Hash32 out;
  MESHSTOW_CHECK(EVP_DigestFinal_ex(context, out.data(), nullptr) == 1);
  return out;
}

EVP_MD_CTX* digest_of_this_thread() {
  thread_local const DigestContext context = started_digest();
  return start_digest(context.get());
}

// This thread's HMAC under one key. The context would keep its last key until the next use, so the
// key is overwritten when this goes.
class ThreadMac {
 public:
  explicit ThreadMac(ByteView key) : key_(key) {}
  ~ThreadMac() { start_mac(context(), Hash32{}.view()); }
  ThreadMac(const ThreadMac&) = delete;
  ThreadMac& operator=(const ThreadMac&) = delete;

  Hash32 of(std::initializer_list<ByteView> parts) const {
    start_mac(context(), key_);
    for (ByteView part : parts) add_to_mac(context(), part);
    return finish_mac(context());
  }

 private:
  static EVP_MAC_CTX* context() {
    thread_local const MacContext mac = new_hmac_sha256_context();
    return mac.get();
  }
  ByteView key_;
};

template <std::size_t N>
FixedBytes<N> cut(const Hash32& hash) {
  return FixedBytes<N>::prefix_of(hash.view());
}

}  // namespace

Hash32 sha256(ByteView data) { return sha256({data}); }

Hash32 sha256(std::initializer_list<ByteView> parts) {
  EVP_MD_CTX* context = digest_of_this_thread();
  for (ByteView part : parts) add_to_digest(context, part);
  return finish_digest(context);
}

Hash16 hash16(ByteView data) { return cut<16>(sha256(data)); }
Hash16 hash16(std::initializer_list<ByteView> parts) { return cut<16>(sha256(parts)); }
Hash10 hash10(ByteView data) { return cut<10>(sha256(data)); }

struct Sha256::State {
  DigestContext context = started_digest();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView data) { add_to_digest(state_->context.get(), data); }

Hash32 Sha256::finish() {
  const Hash32 out = finish_digest(state_->context.get());
  start_digest(state_->context.get());
  return out;
}

Hash32 hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  return ThreadMac(key).of(parts);
}

struct HmacKey::State {
  MacContext context;  // keyed; starting it without a key takes its own again
};

HmacKey::HmacKey(ByteView key) : state_(std::make_unique<State>(State{new_hmac_sha256_context()})) {
  start_mac(state_->context.get(), key);
}

HmacKey::HmacKey(const HmacKey& other)
    : state_(std::make_unique<State>(
          State{MacContext(EVP_MAC_CTX_dup(other.state_->context.get()))})) {
  MESHSTOW_CHECK(state_->context != nullptr);
}

HmacKey::~HmacKey() = default;

Hash32 HmacKey::of(std::initializer_list<ByteView> parts) const {
  EVP_MAC_CTX* context = state_->context.get();
  restart_mac(context);
  for (ByteView part : parts) add_to_mac(context, part);
  return finish_mac(context);
}

void hkdf(MutableByteView out, ByteView ikm, ByteView salt, ByteView context) {
  // HMAC pads its key with zeros, so an empty salt and 32 zero bytes are the same key.
  Hash32 pseudorandom_key = hmac_sha256(salt, {ikm});
  const ThreadMac mac(pseudorandom_key.view());
  Hash32 block;
  ByteView previous;
  Byte counter = 0;
  for (std::size_t at = 0; at < out.size(); at += block.size()) {
    ++counter;  // 255 is followed by 0
    block = mac.of({previous, context, ByteView(&counter, 1)});
    previous = block.view();
    const std::size_t count = std::min(block.size(), out.size() - at);
    std::copy_n(block.bytes.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(at));
  }
  wipe(block.bytes);
  wipe(pseudorandom_key.bytes);
}

Result<Secret32> scrypt(std::string_view passphrase, ByteView salt, ScryptCost cost) {
  if (cost.n < 2 || !std::has_single_bit(cost.n) || cost.r == 0 || cost.p == 0) {
    return fail(Errc::malformed, "scrypt cost");
  }
  constexpr std::uint64_t kMost = limits::kScryptMemory;
  if (cost.n > kMost || cost.r > kMost / 128 || cost.p > limits::kScryptParallel) {
    return fail(Errc::limit, "scrypt cost");
  }
  // The table of n blocks, p blocks of input and two of scratch, as OpenSSL counts them.
  const std::uint64_t blocks = cost.n + cost.p + 2;
  if (blocks > kMost / (128ULL * cost.r)) return fail(Errc::limit, "scrypt cost");

  Secret32 out;
  const int done =
      EVP_PBE_scrypt(reinterpret_cast<const char*>(non_null(base::as_bytes(passphrase))),
                     passphrase.size(), non_null(salt), salt.size(), cost.n, cost.r, cost.p, kMost,
                     out.writable().data(), out.writable().size());
  if (done != 1) {
    ERR_clear_error();
    return fail(Errc::internal, "scrypt");
  }
  return out;
}

}  // namespace meshstow::crypto
