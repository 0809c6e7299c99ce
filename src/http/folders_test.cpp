// What a folder of many names costs, and that nothing of it is lost or told twice.
#include <gtest/gtest.h>

#include "http/server_for_test.hpp"
#include "protocol/folder_description.hpp"

namespace meshstow::http {
namespace {

class Folders : public ::testing::Test {
 protected:
  TestResponse ask(const char* method, const std::string& path) {
    return server_.ask(method, "/storage/me" + path, {{"Authorization", "Bearer " + token_}});
  }
  void fill(const std::string& folder, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      const auto path = codec::StoragePath::parse(folder + "document " + std::to_string(i));
      ASSERT_TRUE(
          server_.execute({1, storage::PutDocument{*path, "text/plain", {}, Bytes{}}}).outcome);
    }
  }

  TestServer server_;
  std::string token_ = server_.token("*:rw");
};

TEST_F(Folders, of_up_to_a_thousand_names_tell_their_length_without_their_listing) {
  fill("/private/notes/", 0, 1000);
  const auto head = ask("HEAD", "/notes/");
  const auto whole = ask("GET", "/notes/");
  EXPECT_EQ(head.framing, Framing::length);
  EXPECT_EQ(head.content_length, whole.body.size());
  EXPECT_EQ(head.etag(), whole.etag());
  EXPECT_EQ(head.header("Content-Type"), whole.header("Content-Type"));
  EXPECT_TRUE(head.body.empty());
}

TEST_F(Folders, of_more_names_answer_head_without_reading_one) {
  fill("/private/notes/", 0, 1001);
  server_.names_read = 0;
  const auto head = ask("HEAD", "/notes/");
  EXPECT_EQ(server_.names_read, 0U);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.framing, Framing::none);
  EXPECT_TRUE(head.body.empty());
  const auto whole = ask("GET", "/notes/");
  EXPECT_EQ(head.etag(), whole.etag());
  EXPECT_EQ(head.header("Content-Type"), whole.header("Content-Type"));
  // Now the listing is at hand.
  EXPECT_EQ(ask("HEAD", "/notes/").content_length, whole.body.size());

  fill("/private/", 0, 3000);
  server_.names_read = 0;
  const auto root = ask("HEAD", "/");
  EXPECT_LE(server_.names_read, 1010U);
  EXPECT_EQ(root.framing, Framing::none);
  EXPECT_EQ(root.etag(), ask("GET", "/").etag());
}

TEST_F(Folders, of_many_names_are_told_whole) {
  fill("/private/notes/", 0, 4321);
  const auto items = protocol::read_folder_description(ask("GET", "/notes/").body);
  ASSERT_TRUE(items);
  std::set<std::string> names;
  for (const storage::FolderItem& item : *items) names.insert(item.name);
  EXPECT_EQ(items->size(), 4321U);
  EXPECT_EQ(names.size(), 4321U);
}

}  // namespace
}  // namespace meshstow::http
