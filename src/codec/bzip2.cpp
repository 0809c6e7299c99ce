#include "codec/bzip2.hpp"

#include <bzlib.h>
#include <limits>

#include "base/check.hpp"

namespace meshstow::codec {
namespace {

constexpr int kBlockSize100k = 9;  // as Python's default, so that equal data compresses equally
constexpr std::size_t kStep = 64 * 1024;

char* as_chars(const Byte* bytes) {
  return const_cast<char*>(reinterpret_cast<const char*>(bytes));  // the library's API is not const
}

class Decompressor {
 public:
  explicit Decompressor(ByteView data) {
    MESHSTOW_CHECK(BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK);
    stream_.next_in = as_chars(data.data());
    stream_.avail_in = static_cast<unsigned>(data.size());
  }
  ~Decompressor() { BZ2_bzDecompressEnd(&stream_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Fills some of `out`: the number of bytes and the library's status.
  std::pair<std::size_t, int> step(MutableByteView out) {
    stream_.next_out = as_chars(out.data());
    stream_.avail_out = static_cast<unsigned>(out.size());
    const int status = BZ2_bzDecompress(&stream_);
    return {out.size() - stream_.avail_out, status};
  }

  [[nodiscard]] std::size_t input_left() const { return stream_.avail_in; }

 private:
  bz_stream stream_{};
};

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

Result<Bytes> bzip2_decompress(ByteView data, std::size_t max_size) {
  if (data.size() > std::numeric_limits<unsigned>::max()) return fail(Errc::limit, "bzip2 input");
  Decompressor decompressor(data);
  Bytes out;
  while (true) {
    // One byte of room beyond the limit tells an output that is too long from one that just fits.
    const std::size_t size = out.size();
    const std::size_t room = std::min(kStep, max_size - size) + 1;
    out.resize(size + room);
    const auto [written, status] = decompressor.step(MutableByteView(out).subspan(size));
    out.resize(size + written);
    if (out.size() > max_size) return fail(Errc::limit, "bzip2 output");
    if (status == BZ_STREAM_END) break;
    // BZ_OK with room left over means that the input ended within the stream.
    if (status != BZ_OK || written < room) return fail(Errc::malformed, "bzip2 data");
  }
  if (decompressor.input_left() != 0) return fail(Errc::malformed, "bytes after the bzip2 data");
  return out;
}

}  // namespace meshstow::codec
