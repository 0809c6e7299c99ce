// One bound that many share: the owner's part, guests, strangers.
#include "base/shares.hpp"

#include <deque>
#include <gtest/gtest.h>
#include <memory>

namespace meshstow::base {
namespace {

Holder guest(Byte number) { return Holder::guest(Bytes{number}); }
Holder stranger(Byte number) { return Holder::stranger(Bytes{number}); }

class SharesTest : public testing::Test {
 protected:
  // As many as `who` gets, one by one.
  std::size_t fill(const Holder& who, std::function<void()> evicted = {}) {
    held.push_back(std::make_unique<Share>(shares, who, std::move(evicted)));
    while (held.back()->take()) {
    }
    return held.back()->size();
  }

  Shares shares{
      {.name = "test", .whole = 100, .of_owner = 20, .of_strangers = 16, .of_stranger = 4}};
  std::deque<std::unique_ptr<Share>> held;
};

TEST_F(SharesTest, leaves_something_for_the_next_guest_always) {
  EXPECT_EQ(fill(guest(1)), 32U);
  EXPECT_EQ(fill(guest(2)), 16U);
  EXPECT_EQ(fill(guest(3)), 8U);
  EXPECT_EQ(fill(guest(4)), 4U);
  EXPECT_EQ(fill(guest(1)), 0U);
  EXPECT_GE(fill(guest(5)), 1U);
  EXPECT_EQ(fill(Holder::owner()), 20U + 64 - shares.counts().guests);
}

TEST_F(SharesTest, keeps_the_part_of_the_owner_whatever_others_take) {
  for (Byte i = 0; i < 40; ++i) fill(guest(i));
  for (Byte i = 0; i < 40; ++i) fill(stranger(i));
  EXPECT_EQ(shares.counts().guests, 64U);
  EXPECT_EQ(shares.counts().strangers, 16U);
  EXPECT_EQ(fill(Holder::owner()), 20U);
  EXPECT_EQ(shares.counts().all(), 100U);
  EXPECT_EQ(shares.counts().most, 100U);
}

TEST_F(SharesTest, takes_nothing_of_guests_and_strangers_parts_for_another) {
  EXPECT_EQ(fill(Holder::owner()), 84U);
  EXPECT_EQ(fill(guest(1)), 0U);
  EXPECT_EQ(fill(stranger(1)), 4U);
  held.front()->give_back(70);
  EXPECT_EQ(fill(guest(1)), 32U);
}

TEST_F(SharesTest, lets_the_stranger_go_who_moved_longest_ago) {
  std::vector<int> gone;
  for (Byte i = 0; i < 4; ++i) fill(stranger(i), [&gone, i] { gone.push_back(i); });
  EXPECT_TRUE(gone.empty());
  held[0]->moved();
  EXPECT_EQ(fill(stranger(9)), 4U);
  EXPECT_EQ(gone, std::vector<int>{1});
  EXPECT_EQ(held[1]->size(), 0U);
  EXPECT_EQ(held[0]->size(), 4U);
  EXPECT_EQ(shares.counts().evicted, 1U);
}

TEST_F(SharesTest, evicts_nobody_for_one_who_has_his_share) {
  int gone = 0;
  for (Byte i = 0; i < 4; ++i) fill(stranger(i), [&gone] { ++gone; });
  held.push_back(std::make_unique<Share>(shares, stranger(0)));
  EXPECT_FALSE(held.back()->take());
  held.push_back(std::make_unique<Share>(shares, stranger(7)));
  EXPECT_FALSE(held.back()->take(5));
  EXPECT_EQ(gone, 0);
}

TEST_F(SharesTest, refuses_where_nobody_can_be_evicted) {
  for (Byte i = 0; i < 4; ++i) fill(stranger(i));
  EXPECT_EQ(fill(stranger(5)), 0U);
  EXPECT_GT(shares.counts().refused, 0U);
}

TEST_F(SharesTest, lets_one_who_is_evicted_end_itself) {
  for (Byte i = 0; i < 4; ++i) {
    fill(stranger(i), [this, i] { held[i].reset(); });
  }
  EXPECT_EQ(fill(stranger(5)), 4U);
  EXPECT_EQ(held[0], nullptr);
}

TEST_F(SharesTest, counts_against_another_from_when_it_is_passed_on) {
  int gone = 0;
  fill(stranger(1), [&gone] { ++gone; });
  EXPECT_TRUE(held[0]->pass_to(guest(1)));
  EXPECT_EQ(shares.counts().strangers, 0U);
  EXPECT_EQ(shares.held_by(guest(1)), 4U);
  for (Byte i = 2; i < 8; ++i) fill(stranger(i), [] {});
  EXPECT_EQ(gone, 0);
  fill(guest(2));
  fill(guest(1));
  const std::size_t guests = shares.counts().guests;
  EXPECT_FALSE(held[0]->pass_to(guest(2)));
  EXPECT_EQ(shares.counts().guests, guests);
  held.clear();
  EXPECT_EQ(shares.counts().all(), 0U);
}

}  // namespace
}  // namespace meshstow::base
