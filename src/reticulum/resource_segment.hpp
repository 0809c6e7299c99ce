// reticulum/resource_segment.hpp: one segment of a resource as bytes: made ready to send, and put
// together again. No timers, no packets.
//
// Content is what the segment says, uncompressed; stream is its sealed form; parts are the stream
// cut to packets. Source: facts/reticulum.md 8.1.
#pragma once

#include <vector>

#include "codec/bzip2.hpp"
#include "crypto/cipher.hpp"
#include "reticulum/advertisement.hpp"

namespace meshstow::reticulum {

using PartHash = std::uint32_t;  // the 4 bytes, big-endian
PartHash part_hash(ByteView part, const ResourceRandom& random);

struct SegmentProof {
  Hash32 hash;   // of content | random: names the segment
  Hash32 value;  // of content | hash: only who has the content knows it
};
SegmentProof prove_segment(ByteView content, const ResourceRandom& random);

class OutgoingSegment {
 public:
  // `compress`: try; what does not shrink is sent as it is.
  OutgoingSegment(ByteView content, const crypto::TokenCipher& cipher, base::Rng& rng,
                  std::size_t part_size, bool compress);

  [[nodiscard]] const Hash32& hash() const { return proof_.hash; }
  [[nodiscard]] const Hash32& proof_value() const { return proof_.value; }
  [[nodiscard]] const ResourceRandom& random() const { return random_; }
  [[nodiscard]] bool compressed() const { return compressed_; }
  [[nodiscard]] std::size_t stream_size() const { return stream_.size(); }
  [[nodiscard]] std::size_t part_count() const { return hashes_.size(); }
  [[nodiscard]] ByteView part(std::size_t index) const;
  [[nodiscard]] PartHash hash_of_part(std::size_t index) const { return hashes_[index]; }
  // At most kHashmapPiece part hashes, 4 bytes each; empty past the end.
  [[nodiscard]] Bytes hashmap_piece(std::size_t piece) const;

 private:
  [[nodiscard]] bool hash_parts();

  Bytes stream_;
  std::size_t part_size_;
  bool compressed_ = false;
  ResourceRandom random_;
  SegmentProof proof_;
  std::vector<PartHash> hashes_;
};

// Whether a few samples of `content` shrink. bzip2 takes a tenth of a second for a segment that
// does not.
[[nodiscard]] bool looks_compressible(ByteView content);

struct OpenedSegment {
  Bytes content;
  SegmentProof proof;
};

// The content of a whole stream, at most `max_content` bytes, made a piece at a time: a few packets
// can hold so much that the others would wait for it. Errc::corrupt: it is not what the hash names.
// Errc::limit: larger, or no memory. Errc::malformed: not sealed with this key, or not bzip2.
class SegmentOpening {
 public:
  [[nodiscard]] static Result<SegmentOpening> begin(const Advertisement& advertisement,
                                                    ByteView stream,
                                                    const crypto::TokenCipher& cipher,
                                                    std::uint64_t max_content);
  // True: all is there, and finish() follows.
  [[nodiscard]] Result<bool> step(std::size_t most);
  [[nodiscard]] Result<OpenedSegment> finish();

 private:
  SegmentOpening(const Advertisement& advertisement)
      : hash_(advertisement.hash), random_(advertisement.random) {}
  Hash32 hash_;
  ResourceRandom random_;
  Bytes content_;
  std::optional<codec::Bzip2Decompressor> compressed_;
};

}  // namespace meshstow::reticulum
