#include "codec/hash_text.hpp"

namespace meshstow::codec {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";  // of a hash that was shortened

std::string_view without_brackets(std::string_view text) {
  if (text.size() < 2 || !text.starts_with('<') || !text.ends_with('>')) return text;
  text = text.substr(1, text.size() - 2);
  if (text.ends_with(kEllipsis)) text.remove_suffix(kEllipsis.size());
  return text;
}

}  // namespace

std::optional<std::string> hash_digits(std::string_view text) {
  std::string out(without_brackets(text));
  if (out.empty()) return std::nullopt;
  for (char& c : out) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return std::nullopt;
  }
  return out;
}

}  // namespace meshstow::codec
