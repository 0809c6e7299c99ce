#include "codec/utf8.hpp"

#include <gtest/gtest.h>

namespace meshstow::codec {
namespace {

TEST(Utf8, accepts_every_length_up_to_the_last_code_point) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("a\x7f"));
  EXPECT_TRUE(
      is_valid_utf8("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"));
  EXPECT_TRUE(is_valid_utf8("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
  EXPECT_TRUE(is_valid_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, refuses_overlong_forms_surrogates_cuts_and_what_lies_beyond) {
  for (const char* text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc2", "\xe2\x82",
        "\xf0\x9f\x98", "\xc2\x20", "\xe2\x28\xa1", "\xe2\x82\x28", "\xf0\x9f\x98\x28"}) {
    EXPECT_FALSE(is_valid_utf8(text));
  }
}

TEST(Utf8, puts_a_mark_in_the_place_of_every_byte_that_is_none) {
  EXPECT_EQ(with_valid_utf8("gr\xc3\xbc\xc3\x9f"
                            "e"),
            "gr\xc3\xbc\xc3\x9f"
            "e");
  EXPECT_EQ(with_valid_utf8("\xe9 \xff\xe2\x82"),
            "\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

}  // namespace
}  // namespace meshstow::codec
