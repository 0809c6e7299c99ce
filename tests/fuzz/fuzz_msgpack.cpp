// Any bytes as MessagePack: what the reader accepts, the writer writes, and the reader reads it
// again as the same tokens.
#include "base/check.hpp"
#include "codec/msgpack.hpp"

namespace meshstow {
namespace {

using codec::MsgpackReader;
using codec::MsgpackToken;
using codec::MsgpackType;
using codec::MsgpackWriter;

void write(MsgpackWriter& out, const MsgpackToken& token, ByteView as_read) {
  switch (token.type) {
    case MsgpackType::nil: out.nil(); return;
    case MsgpackType::boolean: out.boolean(token.boolean); return;
    case MsgpackType::integer:
      token.above_int64 ? out.unsigned_integer(static_cast<std::uint64_t>(token.integer))
                        : out.integer(token.integer);
      return;
    case MsgpackType::float64: out.float64(token.float64); return;
    case MsgpackType::string: out.string(base::as_text(token.bytes)); return;
    case MsgpackType::binary: out.binary(token.bytes); return;
    case MsgpackType::array: out.array(token.count); return;
    case MsgpackType::map: out.map(token.count); return;
    case MsgpackType::extension: out.raw(as_read); return;
  }
}

// All values of `input` in the writer's form; nothing if one of them is refused.
std::optional<Bytes> rewritten(ByteView input) {
  MsgpackReader reader(input);
  MsgpackWriter out;
  while (!reader.at_end()) {
    const std::size_t start = reader.offset();
    const auto token = reader.next();
    if (!token) {
      MESHSTOW_CHECK(reader.offset() == start);
      return std::nullopt;
    }
    MESHSTOW_CHECK(reader.offset() > start);
    write(out, *token, input.subspan(start, reader.offset() - start));
  }
  return out.take();
}

// True if `input` is a row of whole values. (The reader itself takes a container token by token, so
// it may reach the end of the input within one.)
bool skip_values(ByteView input) {
  MsgpackReader reader(input);
  std::size_t sum = 0;
  while (!reader.at_end()) {
    const auto value = reader.raw_value();
    if (!value) return false;
    MESHSTOW_CHECK(!value->empty());
    MESHSTOW_CHECK(MsgpackReader(*value).raw_value()->size() == value->size());
    sum += value->size();
  }
  MESHSTOW_CHECK(sum == input.size());
  return true;
}

}  // namespace
}  // namespace meshstow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const meshstow::ByteView input(data, size);
  const bool whole = meshstow::skip_values(input);
  const auto once = meshstow::rewritten(input);
  MESHSTOW_CHECK(once || !whole);
  if (whole) {
    MESHSTOW_CHECK(once->size() <= 2 * size);  // only a float grows, from 5 bytes to 9
    MESHSTOW_CHECK(meshstow::rewritten(*once) == once);
  }
  return 0;
}
