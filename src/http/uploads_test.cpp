// Uploads of more than a small body, and the few places that the store has for them.
#include "base/limits.hpp"
#include "http/server_for_test.hpp"

namespace meshstow::http {
namespace {

class Uploads : public ::testing::Test {
 protected:
  using Running = TestServer::RunningExchange;

  std::unique_ptr<Running> start(const std::string& token, const std::string& path,
                                 Headers more = {}) {
    more.insert(more.begin(), {"Authorization", "Bearer " + token});
    auto running = std::make_unique<Running>(
        server_, TestRequest{.method = "PUT",
                             .target = "/storage/me/notes/" + path,
                             .headers = std::move(more),
                             .body = std::string(limits::kHttpSmallBody + 1, 'u')});
    running->drain();
    return running;
  }
  int put(const std::string& token, const std::string& path) {
    const auto running = start(token, path);
    running->run();
    return running->response.status;
  }

  TestServer server_;
  std::string token_ = server_.token("notes:rw");
};

TEST_F(Uploads, that_lose_to_another_writer_leave_their_place) {
  for (std::size_t i = 0; i <= limits::kUploads; ++i) {
    const std::string path = "raced" + std::to_string(i);
    const auto late = start(token_, path, {{"If-None-Match", "*"}});
    late->feed();
    late->drain();
    ASSERT_EQ(put(token_, path), 201) << i;
    late->run();
    ASSERT_EQ(late->response.status, 412) << i;
  }
  for (std::size_t i = 0; i <= limits::kUploads; ++i) {
    const std::string folder = "folder" + std::to_string(i);
    const auto late = start(token_, folder);
    late->feed();
    late->drain();
    ASSERT_EQ(put(token_, folder + "/inside"), 201) << i;
    late->run();
    ASSERT_EQ(late->response.status, 409) << i;
  }
  EXPECT_EQ(put(token_, "after"), 201);
}

TEST_F(Uploads, whose_store_or_token_failed_leave_their_place) {
  for (std::size_t i = 0; i <= limits::kUploads; ++i) {
    const std::string token = server_.token("notes:rw");
    const auto revoked = start(token, "revoked");
    revoked->feed();
    revoked->drain();
    server_.revoke(server_.last_token());
    revoked->run();
    ASSERT_EQ(revoked->response.status, 401) << i;
    const auto vanished = start(token_, "vanished");
    vanished->feed();
    vanished->drain();
  }
  EXPECT_EQ(put(token_, "after"), 201);
}

TEST_F(Uploads, of_one_token_leave_places_for_others_and_for_the_owner) {
  std::vector<std::unique_ptr<Running>> mine;
  do {
    mine.push_back(start(token_, "mine" + std::to_string(mine.size())));
    mine.back()->feed();
  } while (mine.back()->response.status == 0);
  mine.pop_back();
  EXPECT_EQ(mine.size(), (limits::kUploads - limits::kUploadsOfOwner) / 2);
  for (const bool chunked : {false, true}) {
    TestRequest one_more{.method = "PUT",
                         .target = "/storage/me/notes/more",
                         .headers = {{"Authorization", "Bearer " + token_}},
                         .body = std::string(limits::kHttpSmallBody + 1, 'u'),
                         .chunked = chunked};
    const auto refused = server_.ask(std::move(one_more));
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.has("Retry-After"));
  }
  EXPECT_EQ(put(server_.token("notes:rw"), "others"), 201);
  base::Share owner(server_.uploads().places, base::Holder::owner());
  EXPECT_TRUE(owner.take(limits::kUploadsOfOwner));
  mine.pop_back();
  EXPECT_EQ(put(token_, "again"), 201);
  for (const auto& each : mine) each->run();
  EXPECT_EQ(mine.front()->response.status, 201);
  mine.clear();
  EXPECT_EQ(put(token_, "after"), 201);
}

}  // namespace
}  // namespace meshstow::http
