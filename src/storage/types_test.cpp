#include "storage/types.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace meshstow::storage {
namespace {

TEST(EtagList, takes_one_tag_in_every_spelling) {
  for (std::string_view text : {"\"abc\"", "abc", "  \"abc\" \t", ", \"abc\" ,", "W/\"abc\""}) {
    const auto list = parse_etag_list(text);
    ASSERT_TRUE(list) << text;
    ASSERT_EQ(list->items.size(), 1u) << text;
    EXPECT_EQ(list->items[0].tag, "abc") << text;
    EXPECT_FALSE(list->any);
  }
}

TEST(EtagList, takes_lists_and_the_star) {
  const auto list = parse_etag_list("\"a\", W/\"b\",\"c,d\" , e");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->items.size(), 4u);
  EXPECT_EQ(list->items[2].tag, "c,d");
  EXPECT_TRUE(list->items[1].weak);
  EXPECT_EQ(list->items[3].tag, "e");
  EXPECT_TRUE(parse_etag_list(" * ")->any);
}

TEST(EtagList, refuses_what_is_not_a_list_of_tags) {
  for (std::string_view text : {"", "  ", ",", "\"a", "a b", "\"a\" \"b\"", "\"a\"x", "\"a\nb\""}) {
    const auto list = parse_etag_list(text);
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().code, Errc::malformed) << text;
  }
  std::string many;
  for (std::size_t i = 0; i < limits::kEtagsInCondition; ++i) many += "\"t\",";
  EXPECT_TRUE(parse_etag_list(many));
  EXPECT_EQ(parse_etag_list(many + "\"t\"").error().code, Errc::limit);
}

TEST(EtagList, takes_a_star_in_quotes_for_the_star) {
  for (std::string_view text : {"\"*\"", " \"*\" ", "\"*\",", "\"a\", \"*\""}) {
    const auto list = parse_etag_list(text);
    ASSERT_TRUE(list) << text;
    EXPECT_TRUE(list->any) << text;
  }
  EXPECT_FALSE(parse_etag_list("W/\"*\"")->any) << "a weak tag that is called so";
  for (std::string_view text : {"*, \"a\"", "\"a\", *", "**", "* *"}) {
    const auto list = parse_etag_list(text);
    EXPECT_TRUE(!list || !list->any) << text;
  }
}

TEST(Conditions, that_cannot_be_read_never_let_a_write_through) {
  const std::string_view odd[] = {"",    " ",        ",",          "\"match me\"", "\"open",
                                  "a b", "*, \"a\"", "\"a\"\"b\"", "\x01",         "\"a\", \"b"};
  for (const std::string_view text : odd) {
    for (const bool writes : {false, true}) {
      const auto match = parse_conditions(text, std::nullopt, writes);
      ASSERT_TRUE(match) << text;
      ASSERT_TRUE(match->if_match) << text;
      EXPECT_FALSE(match->if_match->matches_strong(ETag("a"))) << text;
      EXPECT_FALSE(match->if_match->matches_strong(std::nullopt)) << text;
    }
    const auto read = parse_conditions(std::nullopt, text, /*writes=*/false);
    ASSERT_TRUE(read) << text;
    EXPECT_FALSE(read->if_none_match) << text;
    EXPECT_EQ(parse_conditions(std::nullopt, text, /*writes=*/true).error().code, Errc::malformed)
        << text;
  }
  const auto none = parse_conditions(std::nullopt, std::nullopt, /*writes=*/true);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->if_match || none->if_none_match);
}

TEST(EtagList, weak_tags_match_only_the_weak_comparison) {
  const auto list = *parse_etag_list("W/\"a\", \"b\"");
  EXPECT_FALSE(list.matches_strong(ETag("a")));
  EXPECT_TRUE(list.matches_weak(ETag("a")));
  EXPECT_TRUE(list.matches_strong(ETag("b")));
  EXPECT_FALSE(list.matches_weak(ETag("c")));
  EXPECT_FALSE(list.matches_weak(std::nullopt));
  const auto star = *parse_etag_list("*");
  EXPECT_TRUE(star.matches_strong(ETag("x")));
  EXPECT_FALSE(star.matches_strong(std::nullopt));
  EXPECT_FALSE(star.matches_weak(std::nullopt));
}

TEST(VersionId, is_written_as_the_beginning_of_its_log_and_its_sequence) {
  VersionId version;
  for (std::size_t i = 0; i < version.log.size(); ++i) version.log.bytes[i] = Byte(0xA0 + i);
  version.sequence = 42;
  EXPECT_EQ(to_text(version), "a0a1a2a3a4a5-42");
}

}  // namespace
}  // namespace meshstow::storage
