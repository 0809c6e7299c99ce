#include "codec/base64.hpp"

namespace meshstow::codec {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> inverse(std::string_view alphabet) {
  std::array<std::int8_t, 256> out{};
  out.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    out[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return out;
}

constexpr auto kStandardValues = inverse(kStandard);
constexpr auto kUrlValues = inverse(kUrl);

std::string encode(ByteView bytes, std::string_view alphabet) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const ByteView group = bytes.subspan(at, std::min<std::size_t>(3, bytes.size() - at));
    const std::uint64_t bits = base::read_big_endian(group) << (8 * (3 - group.size()));
    for (std::size_t i = 0; i <= group.size(); ++i) out += alphabet[bits >> (18 - 6 * i) & 63];
  }
  return out;
}

// `text` has no padding any more.
Result<Bytes> decode(std::string_view text, const std::array<std::int8_t, 256>& values) {
  if (text.size() % 4 == 1) return fail(Errc::malformed, "length of a base64 text");
  Bytes out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int count = 0;  // of bits waiting in `bits`
  for (char digit : text) {
    const int value = values[static_cast<unsigned char>(digit)];
    if (value < 0) return fail(Errc::malformed, "not a base64 digit");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<Byte>(bits >> count));
      bits &= (1U << count) - 1;
    }
  }
  if (bits != 0) return fail(Errc::malformed, "unused bits of a base64 text are set");
  return out;
}

}  // namespace

std::string to_base64(ByteView bytes) {
  std::string out = encode(bytes, kStandard);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return fail(Errc::malformed, "padding of a base64 text");
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode(text, kStandardValues);
}

std::string to_base64url(ByteView bytes) { return encode(bytes, kUrl); }

Result<Bytes> from_base64url(std::string_view text) { return decode(text, kUrlValues); }

}  // namespace meshstow::codec
