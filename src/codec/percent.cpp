#include "codec/percent.hpp"

#include "codec/hex.hpp"
#include "codec/utf8.hpp"

namespace meshstow::codec {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string encode(std::string_view text, bool keep_slash) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";  // upper case by RFC 3986, 2.1
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace

Result<std::string> percent_decode(std::string_view segment) {
  std::string out;
  out.reserve(segment.size());
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      out += segment[i];
      continue;
    }
    const auto byte = fixed_from_hex<1>(segment.substr(i + 1, 2));
    if (!byte) return fail(Errc::malformed, "percent escape");
    out += static_cast<char>(byte->bytes[0]);
    i += 2;
  }
  if (!is_valid_utf8(out)) return fail(Errc::malformed, "percent-encoded text is not UTF-8");
  return out;
}

std::string percent_encode(std::string_view segment) { return encode(segment, false); }
std::string percent_encode_path(std::string_view path) { return encode(path, true); }

}  // namespace meshstow::codec
