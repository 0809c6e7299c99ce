#include "access/storage_encryption.hpp"

#include "base/check.hpp"
#include "crypto/cipher.hpp"

namespace meshstow::access {
namespace {

// No UTF-8 text and no MessagePack value begins with this byte.
constexpr Byte kFormat = 0xc1;
constexpr std::size_t kHead = 1 + KeyId::size() + EnvelopeVersion::size() + crypto::kAeadNonce;
constexpr std::size_t kSealedFrame = kEnvelopeFrame + crypto::kAeadTag;
constexpr std::string_view kPurpose = "meshstow envelope key";
constexpr std::string_view kDomain = "meshstow envelope 1";

// What every frame of one envelope is bound to; each frame adds its number and whether it is the
// last.
Bytes common_associated(const IdentityHash& owner, std::string_view path,
                        const EnvelopeVersion& version) {
  Bytes out = base::concat({base::as_bytes(kDomain), owner.view(), version.view()});
  base::append_big_endian(out, static_cast<std::uint32_t>(path.size()));
  base::append(out, base::as_bytes(path));
  return out;
}

Bytes frame_associated(const Bytes& common, std::uint64_t frame, bool last) {
  Bytes out = common;
  base::append_big_endian(out, frame);
  out.push_back(last ? 1 : 0);
  return out;
}

crypto::AeadNonce frame_nonce(const FixedBytes<12>& iv, std::uint64_t frame) {
  crypto::AeadNonce out = iv;
  for (std::size_t i = 0; i < sizeof frame; ++i) {
    out.bytes[out.bytes.size() - 1 - i] ^= static_cast<Byte>(frame >> (8 * i));
  }
  return out;
}

// Moves bytes from `input` to `buffer` until that holds `size`.
void fill_up(Bytes& buffer, ByteView& input, std::size_t size) {
  const ByteView part = input.first(std::min(input.size(), size - buffer.size()));
  base::append(buffer, part);
  input = input.subspan(part.size());
}

}  // namespace

EnvelopeSealer::EnvelopeSealer(const SpaceKey& key, const IdentityHash& owner,
                               const StoragePath& path, const EnvelopeVersion& version,
                               const FixedBytes<12>& iv)
    : key_(key.derive(kPurpose, version.view())),
      associated_(common_associated(owner, path.text(), version)),
      iv_(iv),
      head_(base::concat({ByteView(&kFormat, 1), key.id().view(), version.view(), iv.view()})) {}

std::uint64_t EnvelopeSealer::sealed_size(std::uint64_t plaintext_size) {
  const std::uint64_t frames = plaintext_size == 0 ? 1 : (plaintext_size - 1) / kEnvelopeFrame + 1;
  return kHead + plaintext_size + frames * crypto::kAeadTag;
}

std::optional<std::uint64_t> EnvelopeSealer::opened_size(std::uint64_t sealed_size) {
  if (sealed_size < kHead + crypto::kAeadTag) return std::nullopt;
  const std::uint64_t frames = (sealed_size - kHead - 1) / kSealedFrame + 1;
  const std::uint64_t overhead = kHead + frames * crypto::kAeadTag;
  if (sealed_size < overhead) return std::nullopt;
  const std::uint64_t size = sealed_size - overhead;
  if (EnvelopeSealer::sealed_size(size) != sealed_size) return std::nullopt;
  return size;
}

void EnvelopeSealer::update(ByteView plaintext, Bytes& out) {
  while (!plaintext.empty()) {
    // A full frame waits for the next byte: it may be the last.
    if (pending_.size() == kEnvelopeFrame) emit_frame(out, false);
    fill_up(pending_, plaintext, kEnvelopeFrame);
  }
}

void EnvelopeSealer::finish(Bytes& out) { emit_frame(out, true); }

void EnvelopeSealer::emit_frame(Bytes& out, bool last) {
  base::append(out, head_);
  head_.clear();
  base::append(out, crypto::aead_seal(key_, frame_nonce(iv_, frame_),
                                      frame_associated(associated_, frame_, last), pending_));
  crypto::wipe(pending_);
  pending_.clear();
  ++frame_;
}

EnvelopeOpener::EnvelopeOpener(const KeyRing& keys, const IdentityHash& owner,
                               const StoragePath& path)
    : keys_(keys), owner_(owner), path_(path.text()) {}

Result<void> EnvelopeOpener::update(ByteView sealed, Bytes& out) {
  while (!sealed.empty()) {
    if (!key_) {
      fill_up(pending_, sealed, kHead);
      if (pending_.size() < kHead) return {};
      if (const auto head = read_head(); !head) return head;
      continue;
    }
    if (pending_.size() == kSealedFrame) {
      if (const auto opened = open_frame(pending_, false, out); !opened) return opened;
      pending_.clear();
    }
    fill_up(pending_, sealed, kSealedFrame);
  }
  return {};
}

Result<void> EnvelopeOpener::finish(Bytes& out) {
  if (!key_ || pending_.size() < crypto::kAeadTag) {
    return fail(Errc::corrupt, "the envelope ends too early");
  }
  // Only a body of no bytes has an empty frame: one body has one sealed form.
  if (frame_ > 0 && pending_.size() == crypto::kAeadTag) {
    return fail(Errc::corrupt, "the envelope ends in an empty frame");
  }
  return open_frame(pending_, true, out);
}

Result<void> EnvelopeOpener::read_head() {
  const ByteView head = pending_;
  if (head.front() != kFormat) return fail(Errc::corrupt, "not a sealed envelope");
  const auto version =
      EnvelopeVersion::prefix_of(head.subspan(1 + KeyId::size(), EnvelopeVersion::size()));
  const SpaceKey* key = keys_.find(KeyId::prefix_of(head.subspan(1)));
  if (key == nullptr) return fail(Errc::denied, "sealed with a key that is not here");
  key_ = key->derive(kPurpose, version.view());
  associated_ = common_associated(owner_, path_, version);
  iv_ = FixedBytes<12>::prefix_of(head.last(crypto::kAeadNonce));
  pending_.clear();
  return {};
}

Result<void> EnvelopeOpener::open_frame(ByteView frame, bool last, Bytes& out) {
  const auto plaintext = crypto::aead_open(*key_, frame_nonce(iv_, frame_),
                                           frame_associated(associated_, frame_, last), frame);
  if (!plaintext) {
    return fail(Errc::corrupt, "the envelope was changed, cut, or is for another place");
  }
  base::append(out, *plaintext);
  ++frame_;
  return {};
}

Result<Bytes> StorageEncryption::encrypt_data(ByteView data, const IdentityHash& owner,
                                              const StoragePath& path) {
  const SpaceKey* key = keys_.current(owner);
  if (key == nullptr) return fail(Errc::denied, "no key of this space is here");
  const auto version = rng_.bytes<EnvelopeVersion::size()>();
  const auto iv = rng_.bytes<crypto::kAeadNonce>();
  EnvelopeSealer sealer(*key, owner, path, version, iv);
  Bytes out;
  out.reserve(static_cast<std::size_t>(EnvelopeSealer::sealed_size(data.size())));
  sealer.update(data, out);
  sealer.finish(out);
  return out;
}

Result<Bytes> StorageEncryption::decrypt_data(ByteView envelope, const IdentityHash& owner,
                                              const StoragePath& path) const {
  EnvelopeOpener opener(keys_, owner, path);
  Bytes out;
  if (const auto updated = opener.update(envelope, out); !updated) return fail(updated.error());
  if (const auto finished = opener.finish(out); !finished) return fail(finished.error());
  return out;
}

bool looks_like_envelope(ByteView data) {
  return data.size() >= kHead + crypto::kAeadTag && data.front() == kFormat;
}

std::optional<KeyId> envelope_key(ByteView data) {
  static_assert(kEnvelopeLeast == kHead + crypto::kAeadTag);
  if (!looks_like_envelope(data)) return std::nullopt;
  return KeyId::prefix_of(data.subspan(1));
}

}  // namespace meshstow::access
