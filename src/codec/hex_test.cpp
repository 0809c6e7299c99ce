#include "codec/hex.hpp"

#include <gtest/gtest.h>

#include "codec/utf8.hpp"

namespace meshstow::codec {
namespace {

TEST(Hex, writes_lower_case_and_reads_either) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0x9a, 0xff}), "009aff");
  EXPECT_EQ(from_hex("009aFF").value(), (Bytes{0x00, 0x9a, 0xff}));
  EXPECT_EQ(from_hex("").value(), Bytes{});
  EXPECT_EQ(to_hex(FixedBytes<2>{{1, 2}}), "0102");
}

TEST(Hex, refuses_other_digits_and_odd_lengths) {
  for (const char* text : {"0", "0g", " 0", "0x", "00-1", "a\xc3"}) {
    EXPECT_EQ(from_hex(text).error().code, Errc::malformed) << text;
  }
}

TEST(Hex, fixed_bytes_come_from_exactly_as_many_digits) {
  EXPECT_TRUE(fixed_from_hex<2>("0102"));
  EXPECT_FALSE(fixed_from_hex<2>("01"));
  EXPECT_FALSE(fixed_from_hex<2>("010203"));
}

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

}  // namespace
}  // namespace meshstow::codec
