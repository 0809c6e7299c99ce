// storage/chunker.hpp: cuts a stream where its content says so, so that an edit in the middle of a
// large document moves only the cuts beside it.
//
// A rolling "gear" hash over the bytes decides; its table comes from a key, since cut points (hence
// chunk lengths) would otherwise tell which known file this is. Two masks keep the lengths near the
// mean (FastCDC, Xia et al., USENIX ATC 2016). Equal keys and bytes give equal cuts, however the
// bytes arrive. Memory: one chunk of kMaxChunk and the piece that was fed.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.hpp"

namespace meshstow::storage {

inline constexpr std::size_t kMinChunk = 16 * 1024;
inline constexpr std::size_t kMeanChunk = 64 * 1024;
inline constexpr std::size_t kMaxChunk = 256 * 1024;

using GearTable = std::array<std::uint64_t, 256>;
GearTable make_gear_table(const Hash32& key);

class Chunker {
 public:
  explicit Chunker(const GearTable& gear) : gear_(&gear) {}  // `gear` outlives this

  void feed(ByteView piece) { base::append(pending_, piece); }
  // The next whole chunk, or nullopt: feed more.
  [[nodiscard]] std::optional<Bytes> next();
  // After the last feed() and the last next(): what is left, possibly nothing.
  [[nodiscard]] Bytes finish();

  [[nodiscard]] ByteView pending() const { return ByteView(pending_).subspan(begin_); }

 private:
  Bytes take(std::size_t size);

  const GearTable* gear_;
  Bytes pending_;
  std::size_t begin_ = 0;    // where the next chunk begins in pending_
  std::size_t scanned_ = 0;  // bytes of it that the hash has seen or skipped
  std::uint64_t hash_ = 0;
};

}  // namespace meshstow::storage
