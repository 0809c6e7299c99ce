// Any bytes as a payload come back out of their frame; any bytes as a stream yield the same
// payloads however the stream is cut.
#include "base/check.hpp"
#include "codec/hdlc.hpp"

namespace meshstow {
namespace {

constexpr std::size_t kMaxPayload = 64;

struct Yield {
  std::vector<Bytes> payloads;
  std::uint64_t dropped = 0;
  bool operator==(const Yield&) const = default;
};

Yield deframed(ByteView stream, std::size_t piece, std::size_t max_payload) {
  codec::HdlcDeframer deframer(max_payload);
  Yield out;
  while (!stream.empty()) {
    const std::size_t count = std::min(piece, stream.size());
    deframer.feed(stream.first(count), [&](ByteView payload) {
      MESHSTOW_CHECK(!payload.empty() && payload.size() <= max_payload);
      out.payloads.push_back(base::to_bytes(payload));
    });
    stream = stream.subspan(count);
  }
  out.dropped = deframer.dropped();
  return out;
}

}  // namespace
}  // namespace meshstow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  const ByteView input(data, size);
  const Yield whole = deframed(input, size, kMaxPayload);
  MESHSTOW_CHECK(deframed(input, 1, kMaxPayload) == whole);
  MESHSTOW_CHECK(deframed(input, 3, kMaxPayload) == whole);

  const Bytes frame = codec::hdlc_frame(input);
  Yield expected;
  if (!input.empty()) expected.payloads.push_back(base::to_bytes(input));
  MESHSTOW_CHECK(deframed(frame, frame.size(), size) == expected);
  return 0;
}
