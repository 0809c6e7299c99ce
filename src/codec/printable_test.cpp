#include "codec/printable.hpp"

#include <gtest/gtest.h>

#include "codec/utf8.hpp"

namespace meshstow::codec {
namespace {

std::string utf8(char32_t point) {
  const auto low = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0 | point >> 6), low(0)};
  return {static_cast<char>(0xe0 | point >> 12), low(6), low(0)};
}

TEST(Printable, leaves_what_people_write_as_it_is) {
  for (const std::string text :
       {"", "notes/today.txt", "naïve", "日本語", "🦊", "שלום", "a\\b <c> \"d\""}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, writes_out_the_controls_of_bidirectional_text) {
  EXPECT_EQ(printable("gpj.\xE2\x80\xAE"
                      "exe"),
            "gpj.\\u202eexe");
  int written_out = 0;
  for (char32_t point = 0xa0; point < 0x3000; ++point) {
    const bool is_named = point == 0x061c || point == 0x200e || point == 0x200f ||
                          (0x202a <= point && point <= 0x202e) ||
                          (0x2066 <= point && point <= 0x2069);
    EXPECT_EQ(printable(utf8(point)) != utf8(point), is_named) << std::hex << std::uint32_t{point};
    written_out += is_named ? 1 : 0;
  }
  EXPECT_EQ(written_out, 12);
  EXPECT_EQ(printable(utf8(0x061c)), "\\u061c");
}

TEST(Printable, leaves_joiners_because_scripts_need_them) {
  const std::string joined = "می\xE2\x80\x8Cخواهم 👩\xE2\x80\x8D🚀";
  EXPECT_EQ(printable(joined), joined);
}

TEST(Printable, writes_out_what_moves_a_terminals_cursor) {
  EXPECT_EQ(printable("a\x1b[2Jb\n\r\t\x7f"), "a\\x1b[2Jb\\x0a\\x0d\\x09\\x7f");
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J"),
            "\\x9b2J");  // U+009B, as UTF-8
  EXPECT_EQ(printable("\x9B"
                      "2J\xff"),
            "\\x9b2J\\xff");  // as a byte of its own
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Utf8, gives_one_character_after_another) {
  std::string_view text =
      "aé日🦊\xff"
      "b\xe6\x97";
  std::vector<std::optional<char32_t>> points;
  while (!text.empty()) points.push_back(take_character(text).code_point);
  EXPECT_EQ(points, (std::vector<std::optional<char32_t>>{'a', 0xe9, 0x65e5, 0x1f98a, std::nullopt,
                                                          'b', std::nullopt, std::nullopt}));
}

}  // namespace
}  // namespace meshstow::codec
