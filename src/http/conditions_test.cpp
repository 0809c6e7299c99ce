// Conditions by date, ranges beyond all numbers, altered tokens, what is left of a module's quota.
#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "codec/http_date.hpp"
#include "http/server_for_test.hpp"

namespace meshstow::http {
namespace {

class Conditions : public ::testing::Test {
 protected:
  TestResponse ask(const std::string& method, Headers headers = {},
                   std::optional<std::string> body = std::nullopt) {
    headers.emplace_back("Authorization", "Bearer " + token_);
    return server_.ask(method, "/storage/me/notes/x", std::move(headers), std::move(body));
  }
  [[nodiscard]] std::string date(std::chrono::seconds from_now) const {
    return codec::format_http_date(server_.now().wall + from_now);
  }

  TestServer server_;
  std::string token_ = server_.token("notes:rw");
};

TEST_F(Conditions, if_modified_since_is_304_until_the_document_changes) {
  ASSERT_EQ(ask("PUT", {}, "one").status, 201);
  const std::string modified = ask("GET").header("Last-Modified");
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", modified}}).status, 304);
  EXPECT_EQ(ask("HEAD", {{"If-Modified-Since", modified}}).status, 304);
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", date(std::chrono::hours{-1})}}).status, 200);
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", "yesterday"}}).status, 200);
  // The tag rules where both are given (RFC 9110, 13.2.2).
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", modified}, {"If-None-Match", "\"other\""}}).status,
            200);
  server_.pass(std::chrono::seconds{2});
  ASSERT_EQ(ask("PUT", {{"If-Modified-Since", date({})}}, "two").status, 200);
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", modified}}).status, 200);
}

TEST_F(Conditions, if_unmodified_since_is_412_and_changes_nothing_after_a_change) {
  ASSERT_EQ(ask("PUT", {{"If-Unmodified-Since", date(std::chrono::hours{-1})}}, "one").status, 201);
  const Headers earlier{{"If-Unmodified-Since", date(std::chrono::hours{-1})}};
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    const bool writes = std::string_view(method) == "PUT";
    EXPECT_EQ(
        ask(method, earlier, writes ? std::optional<std::string>("two") : std::nullopt).status, 412)
        << method;
  }
  const TestResponse kept = ask("GET");
  EXPECT_EQ(kept.body, "one");
  const Headers both{earlier[0], {"If-Match", kept.etag()}};
  server_.pass(std::chrono::seconds{2});
  EXPECT_EQ(ask("PUT", both, "two").status, 200);
  EXPECT_EQ(ask("DELETE", {{"If-Unmodified-Since", date(std::chrono::hours{1})}}).status, 412)
      << "a clock may have been wrong: only the document's own date counts";
  EXPECT_EQ(ask("DELETE", {{"If-Unmodified-Since", ask("GET").header("Last-Modified")}}).status,
            200);
}

TEST_F(Conditions, a_date_that_two_states_share_is_no_validator_however_late_it_is_asked) {
  ASSERT_EQ(ask("PUT", {}, "one").status, 201);
  const std::string modified = ask("GET").header("Last-Modified");
  ASSERT_EQ(ask("PUT", {}, "two").status, 200);
  const auto expect_no_validator = [&] {
    EXPECT_FALSE(ask("GET").has("Last-Modified")) << "clients compare it themselves";
    EXPECT_FALSE(ask("HEAD").has("Last-Modified"));
    EXPECT_EQ(ask("GET", {{"If-Modified-Since", modified}}).body, "two");
    EXPECT_EQ(ask("GET", {{"Range", "bytes=1-"}, {"If-Range", modified}}).body, "two");
    EXPECT_EQ(ask("PUT", {{"If-Unmodified-Since", modified}}, "three").status, 412);
  };
  expect_no_validator();
  server_.pass(std::chrono::hours{100'000});
  expect_no_validator();
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", date({})}}).body, "two");
}

TEST_F(Conditions, a_date_of_one_state_alone_is_a_validator_on_an_exact_match) {
  ASSERT_EQ(ask("PUT", {}, "one").status, 201);
  server_.pass(std::chrono::seconds{1});
  ASSERT_EQ(ask("PUT", {}, "two").status, 200);
  const std::string modified = ask("GET").header("Last-Modified");
  server_.pass(std::chrono::hours{100'000});
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", modified}}).status, 304);
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", date({})}}).status, 200) << "another second";
  const TestResponse part = ask("GET", {{"Range", "bytes=1-"}, {"If-Range", modified}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "wo");
  EXPECT_EQ(ask("GET", {{"Range", "bytes=1-"}, {"If-Range", date({})}}).body, "two");
  EXPECT_EQ(ask("PUT", {{"If-Unmodified-Since", modified}}, "three").status, 200);
}

TEST_F(Conditions, no_date_lies_in_the_future_in_listings_neither) {
  const auto listed = [&] {
    const std::string body =
        server_.ask("GET", "/storage/me/notes/", {{"Authorization", "Bearer " + token_}}).body;
    const std::string member = "\"Last-Modified\":\"";
    return body.substr(body.find(member) + member.size(), date({}).size());
  };
  server_.turn_clock(std::chrono::hours{100'000});
  ASSERT_EQ(ask("PUT", {}, "ahead").status, 201);
  EXPECT_EQ(listed(), date({}));
  const std::string ahead = ask("GET").header("Last-Modified");
  server_.turn_clock(-std::chrono::hours{100'000});
  EXPECT_EQ(ask("GET").header("Last-Modified"), date({}));
  EXPECT_EQ(ask("HEAD").header("Last-Modified"), date({}));
  EXPECT_EQ(listed(), date({}));
  const std::string shown = date({});
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", shown}}).status, 200);
  // Written in the second that was shown as the date of what was there before.
  ASSERT_EQ(ask("PUT", {}, "right").status, 200);
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", shown}}).body, "right");
  EXPECT_EQ(ask("GET", {{"If-Modified-Since", ahead}}).body, "right");
}

TEST_F(Conditions, ranges_beyond_64_bits_are_behind_the_end) {
  ASSERT_EQ(ask("PUT", {}, "0123456789").status, 201);
  const TestResponse behind = ask("GET", {{"Range", "bytes=99999999999999999999999-"}});
  EXPECT_EQ(behind.status, 416);
  EXPECT_EQ(behind.header("Content-Range"), "bytes */10");
  const TestResponse whole = ask("GET", {{"Range", "bytes=4-99999999999999999999999"}});
  EXPECT_EQ(whole.status, 206);
  EXPECT_EQ(whole.body, "456789");
  EXPECT_EQ(ask("GET", {{"Range", "bytes=-99999999999999999999999"}}).body, "0123456789");
}

TEST_F(Conditions, altered_tokens_are_guesses_and_expired_ones_are_not) {
  token_ = server_.token("notes:rw", std::chrono::seconds{1});
  server_.pass(std::chrono::seconds{2});
  for (std::size_t i = 0; i < limits::kFailureBurst + 5; ++i) EXPECT_EQ(ask("GET").status, 401);
  token_ = server_.token("notes:rw");
  char& changed = token_[token_.size() / 2];
  changed = changed == 'A' ? 'B' : 'A';
  for (std::size_t i = 0; i < limits::kFailureBurst; ++i) EXPECT_EQ(ask("GET").status, 401);
  const TestResponse limited = ask("GET");
  EXPECT_EQ(limited.status, 429);
  EXPECT_TRUE(limited.has("Retry-After"));
}

TEST_F(Conditions, the_quota_of_a_module_is_what_its_token_is_told) {
  ASSERT_TRUE(server_.execute({1, storage::SetQuota{std::nullopt, 1'000'000}}).outcome);
  ASSERT_TRUE(server_.execute({2, storage::SetQuota{"notes", 5000}}).outcome);
  ASSERT_EQ(ask("PUT", {}, std::string(1000, 'x')).status, 201);
  const auto told = [&](const std::string& token) {
    return server_.ask("GET", "/quota/me", {{"Authorization", "Bearer " + token}}).body;
  };
  EXPECT_EQ(told(token_), R"({"used":1000,"available":4000,"quota":5000})");
  EXPECT_EQ(told(server_.token("other:rw")), R"({"used":1000,"available":999000,"quota":1000000})");
  EXPECT_EQ(told(server_.token("notes:rw other:r")),
            R"({"used":1000,"available":999000,"quota":1000000})");
}

}  // namespace
}  // namespace meshstow::http
