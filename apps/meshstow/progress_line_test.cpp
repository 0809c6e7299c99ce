#include "progress_line.hpp"

#include <gtest/gtest.h>

#include "terminal_text.hpp"

namespace meshstow::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Progress halfway() {
  return {.stage = "Receiving",
          .done = 1'500'000,
          .total = 3'000'000,
          .waited = seconds(12),
          .transferring = seconds(10)};
}

TEST(ProgressLine, says_what_is_waited_for_and_for_how_long) {
  const Progress waits{.stage = "Looking for a path", .waited = milliseconds(3200)};
  EXPECT_EQ(progress_line(waits, 80, 0), "| Looking for a path  3 s");
  EXPECT_EQ(progress_line(waits, 80, 1), "/ Looking for a path  3 s");
}

TEST(ProgressLine, has_percent_rate_and_time_left) {
  const std::string line = progress_line(halfway(), 120, 0);
  EXPECT_NE(line.find("1.50 MB of 3.00 MB, 150.00 KB/s, 50%, 0:10 left"), std::string::npos)
      << line;
  EXPECT_NE(line.find("[####################                    ]"), std::string::npos) << line;
}

TEST(ProgressLine, fits_any_width_and_keeps_percent_and_time_left_longest) {
  Progress wide = halfway();
  wide.stage = "受信しています";
  for (const Progress& progress : {halfway(), wide, Progress{.stage = "Looking for a path"}}) {
    for (std::size_t columns = 0; columns <= 200; ++columns) {
      EXPECT_LE(display_width(progress_line(progress, columns, 0)), columns) << columns;
    }
  }
  for (std::size_t columns = 14; columns <= 200; ++columns) {
    EXPECT_NE(progress_line(halfway(), columns, 0).find("50%, 0:10 left"), std::string::npos)
        << columns;
  }
  EXPECT_EQ(progress_line(halfway(), 40, 0), "| Receiving [#####      ] 50%, 0:10 left");
  EXPECT_EQ(progress_line(halfway(), 14, 0), "50%, 0:10 left");
}

TEST(ProgressLine, does_not_guess_the_time_left_before_anything_moved) {
  Progress begun = halfway();
  begun.done = 0;
  EXPECT_NE(progress_line(begun, 80, 0).find("0%, -:-- left"), std::string::npos);
  begun.done = 1;
  begun.transferring = seconds(3600);
  EXPECT_NE(progress_line(begun, 80, 0).find("-:-- left"), std::string::npos);
}

TEST(ProgressLine, shows_bytes_and_rate_where_the_end_is_not_known) {
  Progress open = halfway();
  open.total = 0;
  EXPECT_EQ(progress_line(open, 80, 0), "| Receiving  1.50 MB, 150.00 KB/s  12 s");
}

TEST(ProgressLine, counts_things_without_bytes) {
  Progress checks = halfway();
  checks.counted = true;
  EXPECT_EQ(progress_line(checks, 50, 0), "| Receiving [##########           ] 50%, 0:10 left");
  checks.done = 4'000'000;  // more than was thought
  EXPECT_NE(progress_line(checks, 50, 0).find("100%, 0:00 left"), std::string::npos);
}

TEST(ProgressLine, has_hours_where_there_are_some) {
  Progress slow = halfway();
  slow.transferring = seconds(2 * 3600 + 65);
  EXPECT_NE(progress_line(slow, 80, 0).find("2:01:05 left"), std::string::npos);
}

}  // namespace
}  // namespace meshstow::app
