// Floods over HTTP: what is held stays below its bound, and others are answered. One test per row
// of docs/BOUNDS.md that HTTP can reach above its connections.
#include "base/limits.hpp"
#include "http/server_for_test.hpp"

namespace meshstow::http {
namespace {

class HttpBounds : public ::testing::Test {
 protected:
  using Running = TestServer::RunningExchange;

  std::unique_ptr<Running> get(const std::string& target, const std::string& token = {}) {
    Headers headers;
    if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
    auto running =
        std::make_unique<Running>(server_, TestRequest{.target = target, .headers = headers});
    running->drain();
    return running;
  }
  const base::Shares& bound(std::string_view name) {
    for (const base::Shares* each : server_.service().bounds()) {
      if (each->bound().name == name) return *each;
    }
    throw std::runtime_error(std::string(name));
  }

  TestServer server_;
  std::vector<std::unique_ptr<Running>> held_;
};

TEST_F(HttpBounds, event_streams_of_one_token_leave_places_for_others_and_for_the_owner) {
  const std::string narrow = server_.token("notes:r");
  do {
    held_.push_back(get("/events/me/notes/", narrow));
  } while (held_.back()->response.status == 200);
  EXPECT_EQ(held_.back()->response.status, 503);
  EXPECT_TRUE(held_.back()->response.has("Retry-After"));
  held_.pop_back();
  EXPECT_EQ(held_.size(), (limits::kEventStreams - limits::kEventStreamsOfOwner) / 2);
  EXPECT_EQ(get("/events/me/notes/", server_.token("notes:r"))->response.status, 200);

  // However many tokens: the owner's part is his.
  for (int i = 0; i < 30; ++i) {
    const std::string token = server_.token("notes:r");
    do {
      held_.push_back(get("/events/me/notes/", token));
    } while (held_.back()->response.status == 200);
  }
  const base::Shares& streams = bound("event streams");
  EXPECT_EQ(streams.counts().guests, limits::kEventStreams - limits::kEventStreamsOfOwner);
  base::Share owner(streams, base::Holder::owner());
  EXPECT_TRUE(owner.take(limits::kEventStreamsOfOwner));
  // Who leaves gives his place back.
  held_.clear();
  EXPECT_EQ(streams.counts().guests, 0U);
}

TEST_F(HttpBounds, a_stream_whose_client_does_not_read_ends) {
  const std::string token = server_.token("*:rw");
  const auto stream = get("/events/me/notes/", token);
  std::size_t changes = 0;
  const std::string name(1000, 'n');
  while (!stream->response.broken && changes * name.size() < 2 * limits::kEventBacklog) {
    const std::string target = "/storage/me/notes/" + name + std::to_string(++changes);
    ASSERT_EQ(server_.ask("PUT", target, {{"Authorization", "Bearer " + token}}, "x").status, 201);
    stream->drain();
  }
  EXPECT_TRUE(stream->response.broken);
  EXPECT_LE(changes * name.size(), limits::kEventBacklog);
  EXPECT_EQ(get("/events/me/notes/", token)->response.status, 200);
}

TEST_F(HttpBounds, documents_that_strangers_read_slowly_make_room_for_others) {
  const std::string token = server_.token("*:rw");
  const std::string body(1'000'000, 'b');
  for (const char* target : {"/storage/me/public/notes/page", "/storage/me/notes/page"}) {
    ASSERT_EQ(server_.ask("PUT", target, {{"Authorization", "Bearer " + token}}, body).status, 201);
  }
  for (std::size_t i = 0; i < limits::kHttpReads; ++i) {
    held_.push_back(get("/storage/me/public/notes/page"));
    ASSERT_EQ(held_.back()->response.status, 200) << i;
  }
  const base::Shares& reads = bound("reads");
  EXPECT_EQ(reads.counts().strangers, limits::kHttpReadsOfStrangers);
  EXPECT_EQ(reads.counts().evicted, limits::kHttpReads - limits::kHttpReadsOfStrangers);
  held_.front()->drain();
  EXPECT_TRUE(held_.front()->response.broken);
  EXPECT_FALSE(held_.back()->response.broken);
  // The last of them still reads to its end, and so does whoever has a token.
  held_.back()->run();
  EXPECT_EQ(held_.back()->response.body, body);
  const auto mine = get("/storage/me/notes/page", token);
  mine->run();
  EXPECT_EQ(mine->response.body, body);
}

TEST_F(HttpBounds, documents_that_one_token_reads_leave_places_for_others) {
  const std::string token = server_.token("*:rw");
  const std::string body(1'000'000, 'b');
  const std::string target = "/storage/me/notes/page";
  ASSERT_EQ(server_.ask("PUT", target, {{"Authorization", "Bearer " + token}}, body).status, 201);
  do {
    held_.push_back(get(target, token));
  } while (held_.back()->response.status == 200);
  EXPECT_EQ(held_.back()->response.status, 503);
  EXPECT_TRUE(held_.back()->response.has("Retry-After"));
  const auto other = get(target, server_.token("notes:r"));
  other->run();
  EXPECT_EQ(other->response.body, body);
}

}  // namespace
}  // namespace meshstow::http
