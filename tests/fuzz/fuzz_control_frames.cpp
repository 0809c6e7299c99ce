// Any bytes on the control socket: frames come out alike however they are cut, and no larger than
// allowed.
#include "base/check.hpp"
#include "io/control_frames.hpp"

namespace {

using namespace meshstow;

Bytes read_all(ByteView stream, std::size_t step, std::size_t most) {
  io::FrameReader reader(most);
  Bytes told;
  while (!stream.empty()) {
    const ByteView piece = stream.first(std::min(step, stream.size()));
    stream = stream.subspan(piece.size());
    reader.feed(piece);
    for (;;) {
      auto frame = reader.next();
      if (!frame) {
        told.push_back(0);
        return told;
      }
      if (!*frame) break;
      MESHSTOW_CHECK((*frame)->payload.size() <= most);
      base::append(told, io::write_frame((*frame)->type, (*frame)->payload));
    }
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView stream(data + 1, size - 1);
  MESHSTOW_CHECK(read_all(stream, stream.size(), 200) == read_all(stream, data[0] + 1U, 200));
  return 0;
}
