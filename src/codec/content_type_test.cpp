#include "codec/content_type.hpp"

#include <gtest/gtest.h>

namespace meshstow::codec {
namespace {

TEST(ContentType, is_that_of_the_ending_in_whatever_case) {
  for (const std::string_view name : {"logo.png", "LOGO.PNG", "img/Logo.Png", "a.b/c.png"}) {
    EXPECT_EQ(content_type_of_ending(name), "image/png") << name;
  }
  EXPECT_EQ(content_type_of_ending("INDEX.HTM"), "text/html; charset=utf-8");
  EXPECT_EQ(content_type_of_ending("main.mjs"), "text/javascript; charset=utf-8");
}

TEST(ContentType, is_empty_where_the_ending_says_nothing) {
  for (const std::string_view name : {"", "png", "a.png/b", "a.", "a.unheard", ".", "/"}) {
    EXPECT_EQ(content_type_of_ending(name), "") << name;
  }
}

}  // namespace
}  // namespace meshstow::codec
