#include "storage/lived_time.hpp"

#include <gtest/gtest.h>

namespace meshstow::storage {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

const WallTime kNoon = base::wall_from_unix_seconds(1'772'366'400);

TEST(LivedTime, counts_monotonic_time_while_it_runs) {
  LivedTime time;
  EXPECT_FALSE(time.advance({TimePoint{hours{5}}, kNoon}));
  EXPECT_EQ(time.lived(), Duration::zero());
  EXPECT_FALSE(time.advance({TimePoint{hours{7}}, kNoon + hours{2} + minutes{50}}));  // set right
  EXPECT_EQ(time.lived(), hours{2});
  EXPECT_FALSE(time.advance({TimePoint{hours{6}}, kNoon + hours{2}}));  // never goes back
  EXPECT_EQ(time.lived(), hours{2});
  EXPECT_EQ(time.last_jump(), std::nullopt);
}

TEST(LivedTime, counts_the_wall_clock_between_two_runs_from_zero_to_a_day) {
  const auto lived_after = [](Duration between) {
    LivedTime time;
    time.resume(hours{100}, kNoon);
    const bool jumped = time.advance({TimePoint{}, kNoon + between});
    EXPECT_EQ(jumped, time.is_held());
    EXPECT_TRUE(!jumped || time.last_jump()->between_openings);
    return std::pair(time.lived() - hours{100}, jumped);
  };
  using Result = std::pair<Duration, bool>;
  EXPECT_EQ(lived_after(hours{3}), Result(hours{3}, false));
  EXPECT_EQ(lived_after(hours{24}), Result(hours{24}, false));
  EXPECT_EQ(lived_after(hours{26}), Result(hours{24}, true));
  EXPECT_EQ(lived_after(days{5000}), Result(hours{24}, true));
  EXPECT_EQ(lived_after(-minutes{30}), Result(hours{0}, false));
  EXPECT_EQ(lived_after(-days{20'000}), Result(hours{0}, true));
}

TEST(LivedTime, says_when_the_wall_clock_jumps_and_holds_for_a_while) {
  for (const Duration by : {Duration(days{5000}), Duration(-days{20'000}), Duration(hours{2})}) {
    LivedTime time;
    time.advance({TimePoint{}, kNoon});
    EXPECT_TRUE(time.advance({TimePoint{minutes{1}}, kNoon + minutes{1} + by}));
    EXPECT_EQ(time.last_jump()->by, by);
    EXPECT_FALSE(time.last_jump()->between_openings);
    EXPECT_TRUE(time.is_held());
    EXPECT_EQ(time.lived(), minutes{1});
    const Duration later = minutes{1} + LivedTime::kHold;
    EXPECT_FALSE(time.advance({TimePoint{later}, kNoon + later + by}));
    EXPECT_FALSE(time.is_held());
  }
}

TEST(LivedTime, counts_nothing_before_the_first_run_that_remembers) {
  LivedTime time;
  time.resume(days{3}, std::nullopt);
  EXPECT_FALSE(time.advance({TimePoint{hours{9}}, kNoon}));
  EXPECT_EQ(time.lived(), days{3});
}

}  // namespace
}  // namespace meshstow::storage
