#include "base/lru_cache.hpp"

#include <gtest/gtest.h>

namespace meshstow::base {
namespace {

constexpr std::size_t kRoom = 10'000;
constexpr std::size_t kThird = kRoom / 3 - 500;  // three fit with what the cache itself needs

TEST(LruCache, gives_back_what_it_keeps) {
  LruCache<int> cache(kRoom);
  EXPECT_EQ(cache.find("a"), nullptr);
  cache.keep("a", 1, 10);
  cache.keep("b", 2, 10);
  cache.keep("a", 3, 10);
  ASSERT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(*cache.find("a"), 3);
  EXPECT_EQ(*cache.find("b"), 2);
  cache.remove("b");
  EXPECT_EQ(cache.find("b"), nullptr);
  cache.clear();
  EXPECT_EQ(cache.find("a"), nullptr);
}

TEST(LruCache, lets_go_of_what_was_unused_longest) {
  LruCache<int> cache(kRoom);
  for (const char* name : {"a", "b", "c"}) cache.keep(name, 1, kThird);
  ASSERT_NE(cache.find("a"), nullptr);  // used, so "b" is now the oldest
  cache.keep("d", 1, kThird);
  EXPECT_EQ(cache.find("b"), nullptr);
  for (const char* name : {"a", "c", "d"}) EXPECT_NE(cache.find(name), nullptr) << name;
}

TEST(LruCache, has_the_room_of_what_is_gone) {
  LruCache<int> cache(kRoom);
  for (int i = 0; i < 100; ++i) cache.keep("a", i, kThird);
  cache.keep("b", 1, kThird);
  cache.keep("c", 1, kThird);
  EXPECT_NE(cache.find("a"), nullptr);
}

TEST(LruCache, keeps_nothing_that_is_larger_than_itself) {
  LruCache<int> cache(kRoom);
  cache.keep("a", 1, kThird);
  cache.keep("b", 1, kRoom);
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("a"), nullptr);
}

}  // namespace
}  // namespace meshstow::base
