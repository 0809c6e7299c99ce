#include "codec/utf8.hpp"

#include <algorithm>
#include <cstddef>

namespace meshstow::codec {
namespace {

// Bytes of the sequence that starts at `at`, 0 if it is not valid. The second byte's range excludes
// overlong forms, surrogates and everything above U+10FFFF (RFC 3629, section 4).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() - at < length) return 0;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return length;
}

char32_t code_point_of(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0);
  char32_t out = byte(0) & (0x7fU >> sequence.size());
  for (std::size_t i = 1; i < sequence.size(); ++i) out = out << 6 | (byte(i) & 0x3fU);
  return out;
}

}  // namespace

Character take_character(std::string_view& text) {
  const std::size_t length = sequence_length(text, 0);
  Character out{.bytes = text.substr(0, std::max<std::size_t>(length, 1)), .code_point = {}};
  if (length > 0) out.code_point = code_point_of(out.bytes);
  text.remove_prefix(out.bytes.size());
  return out;
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string with_valid_utf8(std::string text) {
  if (is_valid_utf8(text)) return text;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    out += length == 0 ? "\xef\xbf\xbd" : std::string_view(text).substr(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

}  // namespace meshstow::codec
