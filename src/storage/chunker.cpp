#include "storage/chunker.hpp"

#include "crypto/hash.hpp"

namespace meshstow::storage {
namespace {

// The top bits of a gear hash depend on the most bytes. Before the mean a cut is four times less
// likely than 1 / mean, after it four times more.
constexpr std::uint64_t top_bits(int count) { return ~std::uint64_t{0} << (64 - count); }
constexpr int kMeanBits = 16;
static_assert(std::size_t{1} << kMeanBits == kMeanChunk);
constexpr std::uint64_t kMaskBeforeMean = top_bits(kMeanBits + 2);
constexpr std::uint64_t kMaskAfterMean = top_bits(kMeanBits - 2);

}  // namespace

GearTable make_gear_table(const Hash32& key) {
  constexpr std::string_view kContext = "meshstow chunk cuts";
  Bytes bytes(sizeof(GearTable));
  crypto::hkdf(bytes, key.view(), {}, base::as_bytes(kContext));
  GearTable table;
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = base::read_big_endian(ByteView(bytes).subspan(i * 8, 8));
  }
  return table;
}

std::optional<Bytes> Chunker::next() {
  const ByteView view = pending();
  if (view.size() < kMinChunk) return std::nullopt;
  std::size_t at = std::max(scanned_, kMinChunk);
  const std::size_t end = std::min(view.size(), kMaxChunk);
  std::uint64_t hash = hash_;
  for (; at < end; ++at) {
    hash = (hash << 1) + (*gear_)[view[at]];
    if ((hash & (at < kMeanChunk ? kMaskBeforeMean : kMaskAfterMean)) == 0) return take(at + 1);
  }
  if (end == kMaxChunk) return take(kMaxChunk);
  scanned_ = at;
  hash_ = hash;
  return std::nullopt;
}

Bytes Chunker::finish() { return take(pending().size()); }

Bytes Chunker::take(std::size_t size) {
  const ByteView view = pending().first(size);
  Bytes chunk(view.begin(), view.end());
  begin_ += size;
  scanned_ = 0;
  hash_ = 0;
  if (begin_ == pending_.size() || begin_ >= kMaxChunk) {
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  return chunk;
}

}  // namespace meshstow::storage
