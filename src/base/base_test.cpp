#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"

namespace meshstow {

TEST(Bytes, fixed_bytes_come_only_from_exactly_as_many) {
  const Bytes three{1, 2, 3};
  EXPECT_FALSE(FixedBytes<4>::from(three));
  EXPECT_FALSE(FixedBytes<2>::from(three));
  ASSERT_TRUE(FixedBytes<3>::from(three));
  EXPECT_EQ(FixedBytes<3>::from(three)->bytes[2], 3);
}

TEST(Bytes, integers_are_written_and_read_big_endian) {
  Bytes out;
  base::append_big_endian<std::uint32_t>(out, 0x01020304);
  EXPECT_EQ(out, (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(base::read_big_endian(out), 0x01020304U);
}

TEST(Rng, equal_seeds_give_equal_bytes_and_others_do_not) {
  base::SeededRng a(7);
  base::SeededRng b(7);
  base::SeededRng c(8);
  const auto first = a.bytes<32>();
  EXPECT_EQ(first, b.bytes<32>());
  EXPECT_NE(first, c.bytes<32>());
}

TEST(Time, seconds_before_the_epoch_round_down) {
  EXPECT_EQ(base::unix_seconds(WallTime{Duration{-1}}), -1);
  EXPECT_EQ(base::unix_seconds(base::wall_from_unix_seconds(42)), 42);
}

}  // namespace meshstow
