#include <bit>
#include <limits>

#include "base/check.hpp"
#include "codec/msgpack.hpp"

namespace meshstow::codec {
namespace {

constexpr std::size_t kMostCount = std::numeric_limits<std::uint32_t>::max();

}  // namespace

// `type`, then the low `width` bytes of `value`.
void MsgpackWriter::head(Byte type, std::uint64_t value, std::size_t width) {
  out_.push_back(type);
  for (std::size_t i = width; i-- > 0;) out_.push_back(static_cast<Byte>(value >> (8 * i)));
}

MsgpackWriter& MsgpackWriter::nil() {
  head(0xc0, 0, 0);
  return *this;
}

MsgpackWriter& MsgpackWriter::boolean(bool value) {
  head(value ? 0xc3 : 0xc2, 0, 0);
  return *this;
}

MsgpackWriter& MsgpackWriter::unsigned_integer(std::uint64_t value) {
  if (value < 0x80) {
    head(static_cast<Byte>(value), 0, 0);
  } else if (value <= 0xff) {
    head(0xcc, value, 1);
  } else if (value <= 0xffff) {
    head(0xcd, value, 2);
  } else if (value <= 0xffffffff) {
    head(0xce, value, 4);
  } else {
    head(0xcf, value, 8);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= 0) return unsigned_integer(bits);
  if (value >= -32) {
    head(static_cast<Byte>(bits), 0, 0);
  } else if (value >= std::numeric_limits<std::int8_t>::min()) {
    head(0xd0, bits, 1);
  } else if (value >= std::numeric_limits<std::int16_t>::min()) {
    head(0xd1, bits, 2);
  } else if (value >= std::numeric_limits<std::int32_t>::min()) {
    head(0xd2, bits, 4);
  } else {
    head(0xd3, bits, 8);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::float64(double value) {
  head(0xcb, std::bit_cast<std::uint64_t>(value), 8);
  return *this;
}

MsgpackWriter& MsgpackWriter::string(std::string_view text) {
  MESHSTOW_CHECK(text.size() <= kMostCount);
  if (text.size() < 32) {
    head(static_cast<Byte>(0xa0 | text.size()), 0, 0);
  } else if (text.size() <= 0xff) {
    head(0xd9, text.size(), 1);
  } else if (text.size() <= 0xffff) {
    head(0xda, text.size(), 2);
  } else {
    head(0xdb, text.size(), 4);
  }
  return raw(base::as_bytes(text));
}

MsgpackWriter& MsgpackWriter::binary(ByteView bytes) {
  MESHSTOW_CHECK(bytes.size() <= kMostCount);
  return binary_header(static_cast<std::uint32_t>(bytes.size())).raw(bytes);
}

MsgpackWriter& MsgpackWriter::binary_header(std::uint32_t size) {
  if (size <= 0xff) {
    head(0xc4, size, 1);
  } else if (size <= 0xffff) {
    head(0xc5, size, 2);
  } else {
    head(0xc6, size, 4);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::array(std::uint32_t count) {
  if (count < 16) {
    head(static_cast<Byte>(0x90 | count), 0, 0);
  } else if (count <= 0xffff) {
    head(0xdc, count, 2);
  } else {
    head(0xdd, count, 4);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::map(std::uint32_t count) {
  if (count < 16) {
    head(static_cast<Byte>(0x80 | count), 0, 0);
  } else if (count <= 0xffff) {
    head(0xde, count, 2);
  } else {
    head(0xdf, count, 4);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::raw(ByteView packed) {
  base::append(out_, packed);
  return *this;
}

}  // namespace meshstow::codec
