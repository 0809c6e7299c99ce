#include "reticulum/resource_segment.hpp"

#include <unordered_map>

#include "codec/bzip2.hpp"
#include "crypto/hash.hpp"

namespace meshstow::reticulum {
namespace {

constexpr std::size_t kStreamPrefix = 4;  // random bytes in front of the content, thrown away
constexpr std::size_t kSample = 4096;
constexpr std::size_t kSamples = 4;

}  // namespace

PartHash part_hash(ByteView part, const ResourceRandom& random) {
  const Hash32 hash = crypto::sha256({part, random.view()});
  return static_cast<PartHash>(base::read_big_endian(hash.view().first(kPartHash)));
}

SegmentProof prove_segment(ByteView content, const ResourceRandom& random) {
  SegmentProof proof;
  proof.hash = crypto::sha256({content, random.view()});
  proof.value = crypto::sha256({content, proof.hash.view()});
  return proof;
}

bool looks_compressible(ByteView content) {
  if (content.size() <= kSample * kSamples * 2) return true;
  Bytes samples;
  samples.reserve(kSample * kSamples);
  const std::size_t step = (content.size() - kSample) / (kSamples - 1);
  for (std::size_t i = 0; i < kSamples; ++i) {
    base::append(samples, content.subspan(i * step, kSample));
  }
  return codec::bzip2_compress(samples).size() < samples.size() * 19 / 20;
}

OutgoingSegment::OutgoingSegment(ByteView content, const crypto::TokenCipher& cipher,
                                 base::Rng& rng, std::size_t part_size, bool compress)
    : part_size_(part_size) {
  Bytes packed;
  if (compress && looks_compressible(content)) packed = codec::bzip2_compress(content);
  compressed_ = !packed.empty() && packed.size() < content.size();
  const ByteView carried = compressed_ ? ByteView(packed) : content;
  stream_ = cipher.seal(base::concat({rng.bytes<kStreamPrefix>().view(), carried}), rng);
  do {
    random_ = rng.bytes<4>();
  } while (!hash_parts());
  proof_ = prove_segment(content, random_);
}

// False if two part hashes within the guard span are equal: the receiver could not tell them apart.
bool OutgoingSegment::hash_parts() {
  const std::size_t count = (stream_.size() + part_size_ - 1) / part_size_;
  hashes_.clear();
  hashes_.reserve(count);
  std::unordered_map<PartHash, std::size_t> last_seen;
  for (std::size_t i = 0; i < count; ++i) {
    const PartHash hash =
        part_hash(ByteView(stream_)
                      .subspan(i * part_size_)
                      .first(std::min(part_size_, stream_.size() - i * part_size_)),
                  random_);
    const auto [seen, is_new] = last_seen.try_emplace(hash, i);
    if (!is_new && i - seen->second < kCollisionGuard) return false;
    seen->second = i;
    hashes_.push_back(hash);
  }
  return true;
}

ByteView OutgoingSegment::part(std::size_t index) const {
  const std::size_t begin = index * part_size_;
  return ByteView(stream_).subspan(begin, std::min(part_size_, stream_.size() - begin));
}

Bytes OutgoingSegment::hashmap_piece(std::size_t piece) const {
  Bytes out;
  const std::size_t end = std::min(hashes_.size(), (piece + 1) * kHashmapPiece);
  for (std::size_t i = piece * kHashmapPiece; i < end; ++i) {
    base::append_big_endian(out, hashes_[i]);
  }
  return out;
}

Result<SegmentOpening> SegmentOpening::begin(const Advertisement& advertisement, ByteView stream,
                                             const crypto::TokenCipher& cipher,
                                             std::uint64_t max_content) {
  auto plaintext = cipher.open(stream);
  if (!plaintext) return fail(plaintext.error());
  if (plaintext->size() < kStreamPrefix) return fail(Errc::malformed, "resource segment too short");
  plaintext->erase(plaintext->begin(), plaintext->begin() + kStreamPrefix);
  SegmentOpening out(advertisement);
  if (advertisement.compressed) {
    out.compressed_.emplace(std::move(*plaintext), max_content);
  } else {
    if (plaintext->size() > max_content) return fail(Errc::limit, "resource segment too large");
    out.content_ = std::move(*plaintext);
  }
  return out;
}

Result<bool> SegmentOpening::step(std::size_t most) {
  if (!compressed_) return true;
  auto done = compressed_->step(most);
  if (!done || !*done) return done;
  content_ = compressed_->take();
  compressed_.reset();
  return true;
}

Result<OpenedSegment> SegmentOpening::finish() {
  OpenedSegment out{std::move(content_), {}};
  out.proof = prove_segment(out.content, random_);
  if (out.proof.hash != hash_) {
    return fail(Errc::corrupt, "resource segment does not match its hash");
  }
  return out;
}

}  // namespace meshstow::reticulum
