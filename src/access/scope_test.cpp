#include "access/scope.hpp"

#include <gtest/gtest.h>

#include "access/access_for_test.hpp"
#include "base/limits.hpp"

namespace meshstow::access {
namespace {

bool reads(std::string_view scope_text, std::string_view where) {
  return scope(scope_text).permits(Operation::read, path(where));
}
bool writes(std::string_view scope_text, std::string_view where) {
  return scope(scope_text).permits(Operation::write, path(where));
}

TEST(Scope, a_path_that_ends_in_a_slash_covers_what_is_below_it) {
  EXPECT_TRUE(reads("storage:read:/private/notes/", "/private/notes/"));
  EXPECT_TRUE(reads("storage:read:/private/notes/", "/private/notes/a/b"));
  EXPECT_FALSE(reads("storage:read:/private/notes/", "/private/notes-x/a"));
  EXPECT_FALSE(reads("storage:read:/private/notes/", "/public/notes/a"));
  EXPECT_FALSE(reads("storage:read:/private/notes/", "/private/"));
  EXPECT_TRUE(reads("storage:read:/", "/private/"));
  EXPECT_TRUE(reads("storage:read:/", "/"));
}

TEST(Scope, any_other_path_covers_itself) {
  EXPECT_TRUE(writes("storage:write:/shared/maps/a", "/shared/maps/a"));
  EXPECT_FALSE(reads("storage:write:/shared/maps/a", "/shared/maps/a/"));
  EXPECT_FALSE(reads("storage:write:/shared/maps/a", "/shared/maps/ab"));
  EXPECT_FALSE(reads("storage:write:/shared/maps/a", "/shared/maps/a/b"));
}

TEST(Scope, write_includes_read_and_read_does_not_include_write) {
  EXPECT_TRUE(reads("storage:write:/shared/maps/", "/shared/maps/a"));
  EXPECT_FALSE(writes("storage:read:/shared/maps/", "/shared/maps/a"));
  EXPECT_TRUE(reads("notes:rw", "/private/notes/a"));
  EXPECT_FALSE(writes("notes:r", "/private/notes/a"));
  EXPECT_FALSE(writes("*:r", "/private/notes/a"));
}

TEST(Scope, a_module_covers_its_private_and_public_folders_only) {
  for (const char* inside :
       {"/private/notes/", "/private/notes/a", "/public/notes/", "/public/notes/a/b"}) {
    EXPECT_TRUE(reads("notes:r", inside)) << inside;
  }
  for (const char* outside :
       {"/", "/public/", "/private/", "/shared/", "/private/notes", "/private/notes-x/a",
        "/shared/notes/a", "/private/x/notes/a", "/public/note/s"}) {
    EXPECT_FALSE(reads("notes:rw", outside)) << outside;
  }
}

TEST(Scope, the_star_covers_everything) {
  for (const char* any : {"/", "/public/", "/private/", "/shared/", "/shared/maps/a",
                          "/private/notes", "/public/a"}) {
    EXPECT_TRUE(reads("*:r", any)) << any;
    EXPECT_TRUE(writes("*:rw", any)) << any;
  }
}

TEST(Scope, shared_is_what_an_http_app_sees_below_shared) {
  for (const char* inside : {"/shared/", "/shared/maps/a", "/public/shared/a"}) {
    EXPECT_TRUE(reads("shared:r", inside)) << inside;
  }
  EXPECT_FALSE(reads("shared:r", "/private/shared/a"));
  EXPECT_TRUE(reads("private:r", "/private/private/a"));
  EXPECT_FALSE(reads("private:r", "/private/notes/a"));
}

TEST(Scope, text_is_what_was_parsed) {
  for (const char* text : {"storage:read:/private/notes/", "storage:write:/shared/m/\xc3\xa5 b",
                           "storage:read:/", "notes:r", "notes:rw", "*:r", "*:rw"}) {
    EXPECT_EQ(scope(text).text(), text);
    EXPECT_EQ(scope(scope(text).text()), scope(text));
  }
}

TEST(Scope, refuses_what_is_no_scope) {
  const std::string long_name(limits::kNameSegment + 1, 'x');
  for (const std::string text : {"",
                                 "notes",
                                 "notes:",
                                 "notes:w",
                                 "notes:RW",
                                 ":r",
                                 "public:r",
                                 ".:r",
                                 "..:rw",
                                 "a/b:r",
                                 "a b:r",
                                 "a:b:r",
                                 "a\tb:r",
                                 "\xff:r",
                                 "storage:read:",
                                 "storage:read:notes/",
                                 "storage:read:/notes/",
                                 "storage:write:/public",
                                 "storage:read:/private//a",
                                 "storage:delete:/public/a",
                                 "storage:rw:/public/a",
                                 "STORAGE:read:/"}) {
    EXPECT_FALSE(Scope::parse(text)) << text;
  }
  EXPECT_FALSE(Scope::parse(long_name + ":r"));
  EXPECT_EQ(Scope::parse("storage:r")->subject(), "storage");
}

TEST(Scope, lists_are_separated_by_spaces_and_limited) {
  const auto two = parse_scopes(" notes:r  storage:read:/public/x/ ");
  ASSERT_TRUE(two);
  EXPECT_EQ(to_text(*two), "notes:r storage:read:/public/x/");
  EXPECT_FALSE(parse_scopes(""));
  EXPECT_FALSE(parse_scopes("  "));
  EXPECT_FALSE(parse_scopes("notes:r nonsense"));
  std::string many;
  for (std::size_t i = 0; i < limits::kTokenScopes; ++i) many += "m" + std::to_string(i) + ":r ";
  EXPECT_TRUE(parse_scopes(many));
  EXPECT_EQ(parse_scopes(many + "x:r").error().code, Errc::limit);
}

}  // namespace
}  // namespace meshstow::access
