#include "terminal_text.hpp"

#include <clocale>
#include <cstdio>
#include <cwchar>
#include <iterator>

#include "codec/utf8.hpp"

namespace meshstow::app {
namespace {

// Read once: a listing asks for the width of every name.
locale_t utf8_tables() {
  static const locale_t tables = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return tables;
}

// wcwidth() with the tables of UTF-8, for the time of its life.
class Utf8Tables {
 public:
  Utf8Tables() : tables_(utf8_tables()) {
    if (tables_ != nullptr) before_ = ::uselocale(tables_);
  }
  ~Utf8Tables() {
    if (tables_ != nullptr) ::uselocale(before_);
  }
  Utf8Tables(const Utf8Tables&) = delete;
  Utf8Tables& operator=(const Utf8Tables&) = delete;

  [[nodiscard]] std::size_t width(const codec::Character& character) const {
    if (!character.code_point || tables_ == nullptr) return 1;
    const int columns = ::wcwidth(static_cast<wchar_t>(*character.code_point));
    return columns < 0 ? 1 : static_cast<std::size_t>(columns);
  }

 private:
  locale_t tables_;
  locale_t before_ = nullptr;
};

}  // namespace

std::size_t display_width(std::string_view text) {
  const Utf8Tables tables;
  std::size_t out = 0;
  while (!text.empty()) out += tables.width(codec::take_character(text));
  return out;
}

std::string padded(std::string text, std::size_t columns) {
  const std::size_t width = display_width(text);
  if (width < columns) text.append(columns - width, ' ');
  return text;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  const Utf8Tables tables;
  std::string out;
  for (std::size_t width = 0; !text.empty();) {
    const codec::Character each = codec::take_character(text);
    width += tables.width(each);
    if (width > columns) break;
    out += each.bytes;
  }
  return out;
}

std::string pretty_size(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  constexpr const char* kUnits[] = {"KB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000.0;
  std::size_t unit = 0;
  for (; value >= 999.995 && unit + 1 < std::size(kUnits); ++unit) value /= 1000.0;
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %s", value, kUnits[unit]);
  return text;
}

}  // namespace meshstow::app
