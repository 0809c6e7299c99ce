#include "access/token_book.hpp"

#include <gtest/gtest.h>

#include "access/access_for_test.hpp"
#include "base/limits.hpp"

namespace meshstow::access {
namespace {

class TokenBookTest : public ::testing::Test {
 protected:
  TokenBook make() { return {kOwner, signer_of(owner_key()), key, rng}; }
  static Now now(std::int64_t seconds) { return {.wall = at(seconds) + Duration(500'000)}; }
  static TokenOrder order(std::string label = "cli") {
    return {.scopes = {scope("storage:read:/private/secret-name/")}, .label = std::move(label)};
  }
  base::SeededRng rng{5};
  SpaceKey key = SpaceKey::generate(rng);
  TokenBook book = make();
};

TEST_F(TokenBookTest, issues_tokens_that_verify) {
  TokenOrder wanted = order();
  wanted.holder = kFriend;
  wanted.lifetime = std::chrono::seconds(90);
  const auto issued = book.issue(now(kNoon), wanted);
  ASSERT_TRUE(issued);
  const auto read = verify_token(issued->text, kOwner, owner_key().public_key());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, issued->id);
  EXPECT_EQ(read->holder, kFriend);
  EXPECT_EQ(read->scopes, wanted.scopes);
  EXPECT_EQ(read->expires, at(kNoon + 91));  // the whole second at or after now + 90 s
}

TEST_F(TokenBookTest, records_survive_a_restart_and_tell_nothing) {
  const auto first = book.issue(now(kNoon), order("one"));
  const auto second = book.issue(now(kNoon + 5), order("two"));
  ASSERT_TRUE(first && second);
  book.note_use(second->id, at(kNoon + 9));
  const StoredRecord used = book.record(second->id).value();
  const std::string stored(base::as_text(first->record.value));
  EXPECT_EQ(stored.find("secret-name"), std::string::npos);
  EXPECT_EQ(stored.find("one"), std::string::npos);

  TokenBook again = make();
  ASSERT_TRUE(again.load(used.key, used.value));
  const auto loaded = again.load(first->record.key, first->record.value);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->capability.issuer, kOwner);
  const auto list = again.list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].label, "one");
  EXPECT_EQ(list[0].capability.scopes, order().scopes);
  EXPECT_EQ(list[0].created, now(kNoon).wall);
  EXPECT_EQ(list[0].last_used, std::nullopt);
  EXPECT_EQ(list[1].label, "two");
  EXPECT_EQ(list[1].last_used, at(kNoon + 9));
}

TEST_F(TokenBookTest, records_that_were_changed_or_moved_are_corrupt) {
  const auto one = book.issue(now(kNoon), order());
  const auto two = book.issue(now(kNoon), order());
  ASSERT_TRUE(one && two);
  TokenBook again = make();
  EXPECT_EQ(again.load(one->record.key, two->record.value).error().code, Errc::corrupt);
  for (std::size_t i = 0; i < one->record.value.size(); ++i) {
    Bytes changed = one->record.value;
    changed[i] ^= 1;
    EXPECT_EQ(again.load(one->record.key, changed).error().code, Errc::corrupt);
    EXPECT_FALSE(again.load(one->record.key, ByteView(one->record.value).first(i)));
  }
  EXPECT_TRUE(again.list().empty());
}

TEST_F(TokenBookTest, refuses_absurd_orders) {
  const auto refused = [&](const TokenOrder& asked) {
    const auto issued = book.issue(now(kNoon), asked);
    return issued ? Errc::internal : issued.error().code;
  };
  TokenOrder wanted = order();
  wanted.scopes.clear();
  EXPECT_EQ(refused(wanted), Errc::malformed);
  wanted.scopes.assign(limits::kTokenScopes + 1, scope("notes:r"));
  EXPECT_EQ(refused(wanted), Errc::limit);
  wanted.scopes = {scope("storage:read:/private/" + std::string(400, 'x'))};
  EXPECT_EQ(refused(wanted), Errc::limit);
  for (const auto lifetime :
       {std::chrono::seconds(0), std::chrono::seconds(-1), std::chrono::seconds::max()}) {
    wanted = order();
    wanted.lifetime = lifetime;
    EXPECT_EQ(refused(wanted), Errc::malformed);
  }
  EXPECT_EQ(refused(order(std::string(1000, 'x'))), Errc::malformed);
  EXPECT_EQ(refused(order("\xff")), Errc::malformed);
  EXPECT_TRUE(book.list().empty());
}

}  // namespace
}  // namespace meshstow::access
