#include "http/app_title.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "codec/utf8.hpp"
#include "http/message.hpp"

namespace meshstow::http {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// Of U+00A0 and what follows.
constexpr char32_t kFirstLatin = 0xA0;
constexpr std::array<std::string_view, 96> kLatin{
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",
    "copy",   "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn",
    "sup2",   "sup3",   "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",
    "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde",
    "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave",
    "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde",
    "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",
    "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil",
    "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",   "eth",
    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
    "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};

using Named = std::pair<std::string_view, char32_t>;
constexpr std::array kNamed{
    Named{"amp", '&'},      Named{"lt", '<'},        Named{"gt", '>'},
    Named{"quot", '"'},     Named{"apos", '\''},     Named{"ndash", 0x2013},
    Named{"mdash", 0x2014}, Named{"lsquo", 0x2018},  Named{"rsquo", 0x2019},
    Named{"sbquo", 0x201A}, Named{"ldquo", 0x201C},  Named{"rdquo", 0x201D},
    Named{"bdquo", 0x201E}, Named{"bull", 0x2022},   Named{"hellip", 0x2026},
    Named{"euro", 0x20AC},  Named{"trade", 0x2122},  Named{"larr", 0x2190},
    Named{"rarr", 0x2192},  Named{"hearts", 0x2665},
};

void append_utf8(std::string& out, char32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::optional<char32_t> numbered(std::string_view digits, int base) {
  std::uint32_t out = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, out, base);
  if (digits.empty() || stop != end || error == std::errc::invalid_argument) return std::nullopt;
  const bool surrogate = out >= 0xD800 && out < 0xE000;
  const bool control = out < 0x20 || (out >= 0x7F && out < 0xA0);
  if (error != std::errc() || out > 0x10FFFF || surrogate) return kReplacement;
  return control ? U' ' : static_cast<char32_t>(out);
}

// What stands between "&" and ";".
std::optional<char32_t> referred(std::string_view name) {
  if (name.starts_with("#x") || name.starts_with("#X")) return numbered(name.substr(2), 16);
  if (name.starts_with('#')) return numbered(name.substr(1), 10);
  if (const auto* at = std::ranges::find(kNamed, name, &Named::first); at != kNamed.end()) {
    return at->second;
  }
  const auto* at = std::ranges::find(kLatin, name);
  if (at == kLatin.end()) return std::nullopt;
  return kFirstLatin + static_cast<char32_t>(at - kLatin.begin());
}

std::string with_references_resolved(std::string_view text) {
  constexpr std::size_t kLongest = 10;
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.front() == '&' ? text.substr(0, kLongest).find(';') : 0;
    const bool closed = end != 0 && end != std::string_view::npos;
    const auto found = closed ? referred(text.substr(1, end - 1)) : std::nullopt;
    if (found) {
      append_utf8(out, *found);
      text.remove_prefix(end + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string with_single_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool blank = byte <= ' ' || byte == 0x7F;
    if (!blank) out += c;
    if (blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::size_t find_ignoring_case(std::string_view text, std::string_view word) {
  for (std::size_t at = 0; at + word.size() <= text.size(); ++at) {
    if (equal_ignoring_case(text.substr(at, word.size()), word)) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::string title_of_page(std::string_view html) {
  constexpr std::string_view kOpen = "<title";
  for (;;) {
    const std::size_t start = find_ignoring_case(html, kOpen);
    if (start == std::string_view::npos) return {};
    html.remove_prefix(start + kOpen.size());
    if (html.empty() || std::string_view("> \t\r\n\f/").find(html.front()) == html.npos) continue;
    const std::size_t close = html.find('>');
    if (close == std::string_view::npos) return {};
    html.remove_prefix(close + 1);
    const std::size_t end = find_ignoring_case(html, "</title");
    if (end == std::string_view::npos) return {};
    return codec::with_valid_utf8(
        with_single_spaces(with_references_resolved(html.substr(0, end))));
  }
}

}  // namespace meshstow::http
