// Any bytes as HTTP/1 requests on a connection: however they are cut, they are read alike. Only
// when and why a malformed one is refused may differ: at once, or when all of its head is there.
//
// Input: a byte that says how long the pieces are, then the stream.
#include <string>

#include "base/check.hpp"
#include "io/http_parser.hpp"

namespace {

using namespace meshstow;

// Methods, targets and bodies one after another, up to a refusal.
std::string read_all(ByteView stream, std::size_t step) {
  io::HttpParser parser;
  std::string told;
  parser.set_body_sink([&](ByteView piece) { told += base::as_text(piece); });
  Bytes waiting;
  bool told_head = false;
  while (!stream.empty()) {
    const ByteView piece = stream.first(std::min(step, stream.size()));
    stream = stream.subspan(piece.size());
    base::append(waiting, piece);
    for (bool moved = true; moved && !waiting.empty();) {
      const auto used = parser.feed(waiting);
      if (!used) return told;
      MESHSTOW_CHECK(*used <= waiting.size());
      moved = *used > 0;
      waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(*used));
      if (parser.has_head() && !told_head) {
        const http::Request request = parser.request();
        told += "\n" + std::string(request.method) + " " + std::string(request.target) + "\n";
        told_head = true;
      }
      if (!parser.is_done()) continue;
      if (!parser.keep_alive()) return told;
      parser.reset();
      told_head = false;
    }
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView stream(data + 1, size - 1);
  const std::string whole = read_all(stream, stream.size());
  const std::string cut = read_all(stream, data[0] + 1U);
  // A stream that breaks off leaves a few bytes that only one of them has looked at.
  MESHSTOW_CHECK(whole.starts_with(cut) || cut.starts_with(whole));
  return 0;
}
