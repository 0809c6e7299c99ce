#include "codec/printable.hpp"

#include "codec/hex.hpp"
#include "codec/utf8.hpp"

namespace meshstow::codec {
namespace {

bool is_control(char32_t point) { return point < 0x20 || (point >= 0x7f && point < 0xa0); }

// Unicode's Bidi_Control.
bool is_bidi_control(char32_t point) {
  return point == 0x061c || point == 0x200e || point == 0x200f ||
         (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

std::string as_byte(char32_t value) { return "\\x" + to_hex(Bytes{static_cast<Byte>(value)}); }

std::string as_code_point(char32_t point) {
  return "\\u" + to_hex(Bytes{static_cast<Byte>(point >> 8), static_cast<Byte>(point & 0xff)});
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character each = take_character(text);
    if (!each.code_point) {
      out += as_byte(static_cast<unsigned char>(each.bytes.front()));
    } else if (is_control(*each.code_point)) {
      out += as_byte(*each.code_point);
    } else if (is_bidi_control(*each.code_point)) {
      out += as_code_point(*each.code_point);
    } else {
      out += each.bytes;
    }
  }
  return out;
}

}  // namespace meshstow::codec
