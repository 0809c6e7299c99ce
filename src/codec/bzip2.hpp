// codec/bzip2.hpp: bz2, the compression of Reticulum resources (facts/reticulum.md 8.1).
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::codec {

Bytes bzip2_compress(ByteView data);

// Decompresses step by step, for whoever has others to see to. Errc::limit as soon as the output
// would exceed `max_size`, or where there is no memory; Errc::malformed for anything else wrong.
class Bzip2Decompressor {
 public:
  Bzip2Decompressor(Bytes data, std::size_t max_size);
  ~Bzip2Decompressor();
  Bzip2Decompressor(Bzip2Decompressor&& other) noexcept;
  Bzip2Decompressor& operator=(Bzip2Decompressor&& other) noexcept;

  // Makes at most about `most` bytes more. True: all is there.
  [[nodiscard]] Result<bool> step(std::size_t most);
  [[nodiscard]] Bytes take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All at once.
[[nodiscard]] Result<Bytes> bzip2_decompress(ByteView data, std::size_t max_size);

}  // namespace meshstow::codec
