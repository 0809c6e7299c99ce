#include "codec/storage_path.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace meshstow::codec {
namespace {

StoragePath path(std::string_view text) {
  auto parsed = StoragePath::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().detail);
  return parsed ? *parsed : StoragePath::root();
}

Errc refusal(std::string_view text) {
  auto parsed = StoragePath::parse(text);
  EXPECT_FALSE(parsed) << text;
  return parsed ? Errc::internal : parsed.error().code;
}

TEST(StoragePath, takes_a_document_apart) {
  const StoragePath document = path("/public/notes/work/a.txt");
  EXPECT_EQ(document.category(), Category::public_);
  EXPECT_EQ(document.module(), "notes");
  EXPECT_EQ(document.name(), "a.txt");
  EXPECT_FALSE(document.is_folder());
  EXPECT_FALSE(document.is_secret());
  EXPECT_EQ(document.segments(),
            (std::vector<std::string_view>{"public", "notes", "work", "a.txt"}));
  EXPECT_EQ(document.parent().text(), "/public/notes/work/");
  EXPECT_EQ(document.parent().parent().text(), "/public/notes/");
}

TEST(StoragePath, takes_a_folder_apart) {
  const StoragePath folder = path("/private/notes/");
  EXPECT_TRUE(folder.is_folder());
  EXPECT_TRUE(folder.is_secret());
  EXPECT_EQ(folder.name(), "notes");
  EXPECT_EQ(folder.module(), "notes");
  EXPECT_EQ(folder.parent().text(), "/private/");
  EXPECT_EQ(folder.parent().category(), Category::private_);
  EXPECT_TRUE(folder.parent().parent().is_root());
}

TEST(StoragePath, root_is_its_own_parent_and_has_no_category) {
  const StoragePath root = path("/");
  EXPECT_EQ(root, StoragePath::root());
  EXPECT_TRUE(root.is_root());
  EXPECT_TRUE(root.is_folder());
  EXPECT_FALSE(root.is_secret());
  EXPECT_EQ(root.category(), Category::root);
  EXPECT_TRUE(root.segments().empty());
  EXPECT_EQ(root.name(), "");
  EXPECT_EQ(root.parent(), root);
}

TEST(StoragePath, has_a_module_only_below_a_folder_of_the_category) {
  EXPECT_EQ(path("/public/").module(), "");
  EXPECT_EQ(path("/public/a.txt").module(), "");
  EXPECT_EQ(path("/").module(), "");
  EXPECT_EQ(path("/shared/m/").module(), "m");
  EXPECT_EQ(path("/shared/m/x").module(), "m");
  EXPECT_EQ(path("/public/a.txt").parent().text(), "/public/");
  EXPECT_EQ(path("/shared/m/x").category(), Category::shared);
}

TEST(StoragePath, names_are_nearly_any_utf8) {
  for (std::string_view name :
       {"a b", "%2F", "\"quoted'", "...", ".hidden", "__proto__", "\\", "\n", "Zo\xC3\xAB",
        "Zoe\xCC\x88", "\xF0\x9F\x8F\x95", "\x7F", "?#&+;:@,$="}) {
    const std::string text = "/private/m/" + std::string(name);
    EXPECT_EQ(path(text).name(), name);
    EXPECT_EQ(path(text + "/x").segments().size(), 4u);
  }
  EXPECT_NE(path("/private/Zo\xC3\xAB"), path("/private/Zoe\xCC\x88"));
}

TEST(StoragePath, refuses_what_breaks_the_grammar) {
  for (std::string_view text : {std::string_view(""),
                                std::string_view("notes"),
                                std::string_view("public/a"),
                                std::string_view("//"),
                                std::string_view("//public/a"),
                                std::string_view("/public//a"),
                                std::string_view("/public/a//"),
                                std::string_view("/public/./a"),
                                std::string_view("/public/../a"),
                                std::string_view("/public/a/.."),
                                std::string_view("/public/a/./"),
                                std::string_view("/public/a\0b", 11),
                                std::string_view("/public/\xFF"),
                                std::string_view("/public/\xC0\xAF"),
                                std::string_view("/public/\xED\xA0\x80"),
                                std::string_view("/other/a"),
                                std::string_view("/Public/a"),
                                std::string_view("/public"),
                                std::string_view("/private"),
                                std::string_view("/shared"),
                                std::string_view("/notes")}) {
    EXPECT_EQ(refusal(text), Errc::malformed) << text;
  }
}

TEST(StoragePath, refuses_what_is_too_long_or_too_deep) {
  const std::string name(limits::kNameSegment, 'n');
  EXPECT_EQ(path("/public/" + name).name(), name);
  EXPECT_EQ(refusal("/public/" + name + "n"), Errc::limit);

  std::string deep = "/public";
  for (std::size_t depth = 1; depth < limits::kPathDepth; ++depth) deep += "/d";
  EXPECT_EQ(path(deep).segments().size(), limits::kPathDepth);
  EXPECT_EQ(refusal(deep + "/d"), Errc::limit);
  EXPECT_EQ(path(deep + "/").segments().size(), limits::kPathDepth);

  std::string longest = "/public/";
  while (longest.size() + name.size() + 1 <= limits::kPath) longest += name + "/";
  longest.append(limits::kPath - longest.size(), 'x');
  EXPECT_EQ(path(longest).text().size(), limits::kPath);
  EXPECT_EQ(refusal(longest + "x"), Errc::limit);
}

TEST(StoragePath, a_folder_covers_what_is_below_it_and_a_document_itself) {
  EXPECT_TRUE(path("/public/a/").covers(path("/public/a/")));
  EXPECT_TRUE(path("/public/a/").covers(path("/public/a/b/c")));
  EXPECT_FALSE(path("/public/a/").covers(path("/public/a")));
  EXPECT_FALSE(path("/public/a/").covers(path("/public/ab/c")));
  EXPECT_FALSE(path("/public/a/").covers(path("/public/")));
  EXPECT_TRUE(path("/public/a").covers(path("/public/a")));
  EXPECT_FALSE(path("/public/a").covers(path("/public/a/b")));
  EXPECT_FALSE(path("/public/a").covers(path("/public/ab")));
  EXPECT_TRUE(StoragePath::root().covers(path("/shared/x")));
}

}  // namespace
}  // namespace meshstow::codec
