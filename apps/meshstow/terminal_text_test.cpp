#include "terminal_text.hpp"

#include <gtest/gtest.h>

namespace meshstow::app {
namespace {

TEST(TerminalText, is_as_wide_as_a_terminal_shows_it) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("notes.txt"), 9U);
  EXPECT_EQ(display_width("naïve"), 5U);
  EXPECT_EQ(display_width("nai\xCC\x88ve"), 5U);  // the dots as a combining character
  EXPECT_EQ(display_width("日本語"), 6U);
  EXPECT_EQ(display_width("한글.txt"), 8U);
  EXPECT_EQ(display_width("🦊"), 2U);
  EXPECT_EQ(display_width("می\xE2\x80\x8Cخواهم"), 7U);  // the joiner takes no room
  EXPECT_EQ(display_width("\xff"), 1U);
}

TEST(TerminalText, is_padded_to_a_column) {
  EXPECT_EQ(padded("日本", 6), "日本  ");
  EXPECT_EQ(padded("e\xCC\x81", 3), "e\xCC\x81  ");
  EXPECT_EQ(padded("longer than that", 3), "longer than that");
}

TEST(TerminalText, is_cut_between_characters) {
  EXPECT_EQ(cut_to("日本語", 5), "日本");
  EXPECT_EQ(cut_to("日本語", 6), "日本語");
  EXPECT_EQ(cut_to("ae\xCC\x81z", 2), "ae\xCC\x81");
  EXPECT_EQ(cut_to("abc", 0), "");
}

}  // namespace
}  // namespace meshstow::app
