#include "codec/http_date.hpp"

#include <gtest/gtest.h>

namespace meshstow::codec {
namespace {

TEST(HttpDate, is_written_and_read_in_all_forms) {
  const WallTime wall = base::wall_from_unix_seconds(784'111'777);
  EXPECT_EQ(format_http_date(wall), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), wall) << text;
  }
}

TEST(HttpDate, is_refused_when_it_is_none) {
  for (const char* text : {"", "yesterday", "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
                           "Sun, 06 Nov -994 08:49:37 GMT GMT", "Sun, x6 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace meshstow::codec
