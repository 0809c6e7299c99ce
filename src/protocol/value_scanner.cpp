#include "protocol/value_scanner.hpp"

namespace meshstow::protocol {
namespace {

struct Lead {
  ValueHead::Kind kind;
  std::uint64_t length;
  int length_bytes;
};

// Type bytes 0xc0 to 0xdf, in order.
constexpr Lead kLeads[] = {
    {ValueHead::Kind::scalar, 0, 0},      // nil
    {ValueHead::Kind::scalar, 0, 0},      // never used; refused before this table
    {ValueHead::Kind::scalar, 0, 0},      // false
    {ValueHead::Kind::scalar, 0, 0},      // true
    {ValueHead::Kind::binary, 0, 1},      // bin 8
    {ValueHead::Kind::binary, 0, 2},      // bin 16
    {ValueHead::Kind::binary, 0, 4},      // bin 32
    {ValueHead::Kind::extension, 0, 1},   // ext 8
    {ValueHead::Kind::extension, 0, 2},   // ext 16
    {ValueHead::Kind::extension, 0, 4},   // ext 32
    {ValueHead::Kind::scalar, 4, 0},      // float 32
    {ValueHead::Kind::scalar, 8, 0},      // float 64
    {ValueHead::Kind::scalar, 1, 0},      // uint 8
    {ValueHead::Kind::scalar, 2, 0},      // uint 16
    {ValueHead::Kind::scalar, 4, 0},      // uint 32
    {ValueHead::Kind::scalar, 8, 0},      // uint 64
    {ValueHead::Kind::scalar, 1, 0},      // int 8
    {ValueHead::Kind::scalar, 2, 0},      // int 16
    {ValueHead::Kind::scalar, 4, 0},      // int 32
    {ValueHead::Kind::scalar, 8, 0},      // int 64
    {ValueHead::Kind::extension, 1, 0},   // fixext 1
    {ValueHead::Kind::extension, 2, 0},   // fixext 2
    {ValueHead::Kind::extension, 4, 0},   // fixext 4
    {ValueHead::Kind::extension, 8, 0},   // fixext 8
    {ValueHead::Kind::extension, 16, 0},  // fixext 16
    {ValueHead::Kind::string, 0, 1},      // str 8
    {ValueHead::Kind::string, 0, 2},      // str 16
    {ValueHead::Kind::string, 0, 4},      // str 32
    {ValueHead::Kind::array, 0, 2},       // array 16
    {ValueHead::Kind::array, 0, 4},       // array 32
    {ValueHead::Kind::map, 0, 2},         // map 16
    {ValueHead::Kind::map, 0, 4},         // map 32
};
static_assert(std::size(kLeads) == 0x20);

}  // namespace

void ValueHead::set(Kind kind, std::uint64_t length, int length_due) {
  kind_ = kind;
  length_ = length;
  length_due_ = length_due;
}

Result<void> ValueHead::take(Byte byte) {
  if (started_) {
    length_ = length_ << 8 | byte;
    --length_due_;
    return {};
  }
  if (byte == 0xc1) return fail(Errc::malformed, "a byte that begins no MessagePack value");
  started_ = true;
  if (byte < 0x80 || byte >= 0xe0) {
    set(Kind::scalar, 0, 0);
  } else if (byte < 0x90) {
    set(Kind::map, byte & 0x0f, 0);
  } else if (byte < 0xa0) {
    set(Kind::array, byte & 0x0f, 0);
  } else if (byte < 0xc0) {
    set(Kind::string, byte & 0x1f, 0);
  } else {
    const Lead& lead = kLeads[byte - 0xc0];
    set(lead.kind, lead.length, lead.length_bytes);
  }
  return {};
}

Result<std::size_t> ValueScanner::feed(ByteView bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !complete()) {
    if (skip_ > 0) {
      const std::uint64_t step = std::min<std::uint64_t>(skip_, bytes.size() - used);
      skip_ -= step;
      used += static_cast<std::size_t>(step);
      continue;
    }
    if (const auto taken = head_.take(bytes[used++]); !taken) return fail(taken.error());
    if (head_.complete()) enter();
  }
  return used;
}

void ValueScanner::enter() {
  --values_due_;
  switch (head_.kind()) {
    case ValueHead::Kind::array: values_due_ += head_.length(); break;
    case ValueHead::Kind::map: values_due_ += 2 * head_.length(); break;
    case ValueHead::Kind::extension: skip_ = head_.length() + 1; break;  // and its type
    default: skip_ = head_.length(); break;
  }
  head_ = {};
}

}  // namespace meshstow::protocol
