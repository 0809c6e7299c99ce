#include "codec/hex.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace meshstow::codec
