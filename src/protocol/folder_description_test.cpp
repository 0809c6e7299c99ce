#include "protocol/folder_description.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace meshstow::protocol {
namespace {

storage::FolderItem document(std::string name, std::uint64_t size) {
  storage::FolderItem item;
  item.name = std::move(name);
  item.etag = storage::ETag("aaaaBBBBcccc1234");
  item.content_type = "text/plain";
  item.size = size;
  item.modified = base::wall_from_unix_seconds(784111777);  // RFC 9110's example
  return item;
}

storage::FolderItem folder(std::string name) {
  storage::FolderItem item;
  item.name = std::move(name);
  item.is_folder = true;
  item.etag = storage::ETag("ddddEEEEffff5678");
  return item;
}

const WallTime kNow = base::wall_from_unix_seconds(1'700'000'000);

std::string write(const std::vector<std::vector<storage::FolderItem>>& pages) {
  FolderDescriptionWriter writer;
  std::string out = writer.begin();
  for (const auto& page : pages) out += writer.items(page, kNow);
  return out + writer.end();
}

TEST(FolderDescription, is_json_whatever_content_type_an_old_store_holds) {
  storage::FolderItem item = document("a", 1);
  item.content_type = "text/\xe9\xff";
  const auto items = boost::json::parse(write({{item}})).at("items");
  EXPECT_EQ(items.at("a").at("Content-Type").as_string(), "text/\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(FolderDescription, writes_documents_with_four_members_and_folders_with_a_tag_only) {
  const auto root = boost::json::parse(write({{document("a.txt", 5)}, {folder("sub")}}));
  EXPECT_EQ(root.at("@context").as_string(), "http://remotestorage.io/spec/folder-description");
  const auto& items = root.at("items").as_object();
  ASSERT_EQ(items.size(), 2U);
  const auto& text = items.at("a.txt").as_object();
  EXPECT_EQ(text.size(), 4U);
  EXPECT_EQ(text.at("ETag").as_string(), "aaaaBBBBcccc1234");
  EXPECT_EQ(text.at("Content-Type").as_string(), "text/plain");
  EXPECT_EQ(text.at("Content-Length").as_int64(), 5);
  EXPECT_EQ(text.at("Last-Modified").as_string(), "Sun, 06 Nov 1994 08:49:37 GMT");
  const auto& sub = items.at("sub/").as_object();
  EXPECT_EQ(sub.size(), 1U);
  EXPECT_EQ(sub.at("ETag").as_string(), "ddddEEEEffff5678");
}

TEST(FolderDescription, tells_no_date_of_the_future) {
  storage::FolderItem ahead = document("ahead", 1);
  ahead.modified = kNow + std::chrono::hours{100'000};
  storage::FolderItem just_now = document("just now", 1);
  just_now.modified = kNow;
  const auto items = boost::json::parse(write({{ahead, just_now}})).at("items");
  EXPECT_EQ(items.at("just now").at("Last-Modified").as_string(), "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(items.at("ahead").at("Last-Modified"), items.at("just now").at("Last-Modified"));
}

TEST(FolderDescription, names_of_every_character_come_back) {
  std::string odd = "\x7f\"\\/b\xc3\xa9\xf0\x9d\x84\x9e \xe2\x80\xa8";
  for (char c = 1; c < 0x20; ++c) odd += c;
  std::erase(odd, '/');
  const auto items = read_folder_description(write({{document(odd, 1)}}));
  ASSERT_TRUE(items);
  EXPECT_EQ(items->front().name, odd);
}

TEST(FolderDescription, writes_an_empty_folder) {
  EXPECT_TRUE(boost::json::parse(write({})).at("items").as_object().empty());
  EXPECT_TRUE(boost::json::parse(write({{}})).at("items").as_object().empty());
}

TEST(FolderDescription, reads_back_what_it_wrote_with_names_of_any_kind) {
  const std::vector<std::string> names{"a\"b\\c",    "tab\there", "100%25", "\u00e4\u0308",
                                       "\U0001F600", " ",         "\x01",   "\u2028"};
  std::vector<storage::FolderItem> items;
  for (const auto& name : names) items.push_back(document(name, 1ULL << 33));
  items.push_back(folder("deep \"er"));
  auto back = read_folder_description(write({items}));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    EXPECT_EQ((*back)[i].name, items[i].name);
    EXPECT_EQ((*back)[i].is_folder, items[i].is_folder);
    EXPECT_EQ((*back)[i].etag, items[i].etag);
    EXPECT_EQ((*back)[i].content_type, items[i].content_type);
    EXPECT_EQ((*back)[i].size, items[i].size);
    EXPECT_EQ((*back)[i].modified, items[i].modified);
  }
}

TEST(FolderDescription, reads_what_other_servers_leave_out_or_quote) {
  auto back =
      read_folder_description(R"({"items":{"a":{"ETag":"\"x\"","Last-Modified":"?"},"b/":{}}})");
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 2U);
  EXPECT_EQ((*back)[0].etag.text(), "x");
  EXPECT_EQ((*back)[0].size, 0U);
  EXPECT_TRUE((*back)[1].is_folder);
}

TEST(FolderDescription, refuses_what_is_none) {
  for (const char* text :
       {"", "{", "[]", "null", "{}", R"({"items":[]})", R"({"items":{"a":1}})",
        R"({"items":{"/":{}}})", R"({"items":{"":{}}})", R"({"items":{"..":{}}})",
        R"({"items":{"a/b":{}}})", R"({"items":{"a\u0000":{}}})",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"}) {
    auto back = read_folder_description(text);
    ASSERT_FALSE(back) << text;
    EXPECT_EQ(back.error().code, Errc::malformed) << text;
  }
}

}  // namespace
}  // namespace meshstow::protocol
