#include "codec/bzip2.hpp"

#include <bzlib.h>
#include <limits>
#include <new>

#include "base/check.hpp"

namespace meshstow::codec {
namespace {

constexpr int kBlockSize100k = 9;  // as Python's default, so that equal data compresses equally
constexpr std::size_t kStep = 64 * 1024;

char* as_chars(const Byte* bytes) {
  return const_cast<char*>(reinterpret_cast<const char*>(bytes));  // the library's API is not const
}

}  // namespace

Bytes bzip2_compress(ByteView data) {
  const std::size_t room = data.size() + data.size() / 100 + 600;  // the library's own bound
  MESHSTOW_CHECK(room <= std::numeric_limits<unsigned>::max());
  Bytes out(room);
  auto size = static_cast<unsigned>(room);
  Byte nothing = 0;
  const Byte* source = data.empty() ? &nothing : data.data();
  MESHSTOW_CHECK(BZ2_bzBuffToBuffCompress(as_chars(out.data()), &size, as_chars(source),
                                          static_cast<unsigned>(data.size()), kBlockSize100k, 0,
                                          0) == BZ_OK);
  out.resize(size);
  return out;
}

struct Bzip2Decompressor::State {
  State(Bytes data, std::size_t most) : input(std::move(data)), max_size(most) {
    usable = input.size() <= std::numeric_limits<unsigned>::max() &&
             BZ2_bzDecompressInit(&stream, 0, 0) == BZ_OK;
    if (!usable) return;
    stream.next_in = as_chars(input.data());
    stream.avail_in = static_cast<unsigned>(input.size());
  }
  ~State() {
    if (usable) BZ2_bzDecompressEnd(&stream);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<bool> make_some();

  Bytes input;
  std::size_t max_size;
  bz_stream stream{};  // the library keeps its address
  bool usable = false;
  Bytes output;
};

// At most kStep bytes more. True: that was the last of it.
Result<bool> Bzip2Decompressor::State::make_some() {
  // One byte of room beyond the limit tells an output that is too long from one that just fits.
  const std::size_t size = output.size();
  const std::size_t room = std::min(kStep, max_size - size) + 1;
  output.resize(size + room);
  stream.next_out = as_chars(output.data() + size);
  stream.avail_out = static_cast<unsigned>(room);
  const int status = BZ2_bzDecompress(&stream);
  const std::size_t written = room - stream.avail_out;
  output.resize(size + written);
  if (status == BZ_MEM_ERROR) return fail(Errc::limit, "no memory for bzip2");
  if (output.size() > max_size) return fail(Errc::limit, "bzip2 output");
  if (status == BZ_STREAM_END) {
    if (stream.avail_in != 0) return fail(Errc::malformed, "bytes after the bzip2 data");
    return true;
  }
  // BZ_OK with room left over means that the input ended within the stream.
  if (status != BZ_OK || written < room) return fail(Errc::malformed, "bzip2 data");
  return false;
}

Bzip2Decompressor::Bzip2Decompressor(Bytes data, std::size_t max_size)
    : state_(std::make_unique<State>(std::move(data), max_size)) {}
Bzip2Decompressor::~Bzip2Decompressor() = default;
Bzip2Decompressor::Bzip2Decompressor(Bzip2Decompressor&& other) noexcept = default;
Bzip2Decompressor& Bzip2Decompressor::operator=(Bzip2Decompressor&& other) noexcept = default;

Result<bool> Bzip2Decompressor::step(std::size_t most) {
  if (!state_->usable) return fail(Errc::limit, "bzip2 input, or no memory for it");
  const std::size_t before = state_->output.size();
  try {
    while (state_->output.size() - before < most) {
      auto done = state_->make_some();
      if (!done || *done) return done;
    }
  } catch (const std::bad_alloc&) {
    return fail(Errc::limit, "no memory for bzip2 output");
  }
  return false;
}

Bytes Bzip2Decompressor::take() { return std::move(state_->output); }

Result<Bytes> bzip2_decompress(ByteView data, std::size_t max_size) {
  Bzip2Decompressor decompressor(base::to_bytes(data), max_size);
  while (true) {
    const auto done = decompressor.step(max_size + 1);
    if (!done) return fail(done.error());
    if (*done) return decompressor.take();
  }
}

}  // namespace meshstow::codec
