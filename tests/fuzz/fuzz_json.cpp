// Any bytes as a JSON text, and as MessagePack that stands for one: what is accepted has one
// canonical form, which is strict JSON for the same value, and survives the other encoding.
#include <boost/json/value.hpp>

#include "base/check.hpp"
#include "codec/json.hpp"
#include "codec/msgpack.hpp"

namespace meshstow {
namespace {

void check(const boost::json::value& value) {
  const std::string canonical = codec::canonical_json(value);
  const auto again = codec::parse_strict_json(canonical);
  MESHSTOW_CHECK(again && *again == value);
  MESHSTOW_CHECK(codec::canonical_json(*again) == canonical);

  codec::MsgpackWriter writer;
  codec::msgpack_from_json(writer, value);
  codec::MsgpackReader reader(writer.bytes());
  const auto unpacked = codec::json_from_msgpack(reader);
  MESHSTOW_CHECK(unpacked && *unpacked == value && reader.at_end());
}

}  // namespace
}  // namespace meshstow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  const ByteView input(data, size);
  if (const auto value = codec::parse_strict_json(base::as_text(input))) check(*value);
  codec::MsgpackReader reader(input);
  if (const auto value = codec::json_from_msgpack(reader)) check(*value);
  return 0;
}
