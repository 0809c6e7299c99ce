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

  TestServer::RunningExchange begin(const std::string& path) {
    return {server_,
            {.target = "/storage/me" + path, .headers = {{"Authorization", "Bearer " + token_}}}};
  }
  // Goes on, and has the folder changed before the store is asked for the `at`th time.
  void run(TestServer::RunningExchange& running, int at, const std::function<void()>& change) {
    for (int asked = 0; auto output = running.exchange->poll();) {
      if (auto* store = std::get_if<storage::StoreRequest>(&*output)) {
        if (++asked == at) change();
        running.exchange->handle_reply(server_.now(), server_.execute(std::move(*store)));
      } else if (auto* send = std::get_if<Send>(&*output)) {
        running.take(*send);
      }
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

TEST_F(Folders, that_change_while_they_are_listed_have_a_tag_of_what_is_told) {
  for (const std::string path : {"/notes/", "/"}) {
    const std::string folder = "/private" + path;
    fill(folder, 0, 2500);
    for (int at = 2; at <= 4; ++at) {
      const auto extra = codec::StoragePath::parse(folder + "extra").value();
      auto running = begin(path);
      run(running, at, [&] {
        ASSERT_TRUE(
            server_.execute({1, storage::PutDocument{extra, "text/plain", {}, Bytes{}}}).outcome);
      });
      const auto after = ask("GET", path);
      EXPECT_EQ(running.response.status, 200);
      EXPECT_EQ(running.response.etag(), after.etag()) << path << at;
      EXPECT_TRUE(running.response.body == after.body) << path << at;
      EXPECT_NE(after.body.find("\"extra\""), std::string::npos);
      ASSERT_TRUE(server_.execute({1, storage::RemoveDocument{extra, {}}}).outcome);
    }
  }
}

TEST_F(Folders, that_change_faster_than_they_are_listed_are_refused_for_a_moment) {
  fill("/private/notes/", 0, 1500);
  auto running = begin("/notes/");
  std::size_t extra = 10'000;
  while (auto output = running.exchange->poll()) {
    if (auto* store = std::get_if<storage::StoreRequest>(&*output)) {
      fill("/private/notes/", extra, extra + 1);
      ++extra;
      running.exchange->handle_reply(server_.now(), server_.execute(std::move(*store)));
    } else if (auto* send = std::get_if<Send>(&*output)) {
      running.take(*send);
    }
  }
  EXPECT_EQ(running.response.status, 503);
  EXPECT_TRUE(running.response.has("Retry-After"));
}

TEST_F(Folders, that_change_while_they_are_sent_get_no_end) {
  const std::string long_name(1100, 'n');
  fill("/private/notes/" + long_name, 0, 1200);
  {
    auto whole = begin("/notes/");
    whole.run();
    EXPECT_EQ(whole.response.framing, Framing::chunked);
    EXPECT_FALSE(whole.response.broken);
    EXPECT_TRUE(protocol::read_folder_description(whole.response.body));
  }
  auto running = begin("/notes/");
  running.drain();
  EXPECT_EQ(running.response.framing, Framing::chunked);
  fill("/private/notes/", 0, 1);
  running.run();
  EXPECT_TRUE(running.response.broken);
  EXPECT_FALSE(protocol::read_folder_description(running.response.body));
}

}  // namespace
}  // namespace meshstow::http
