#include "access/revocation.hpp"

#include <gtest/gtest.h>

#include "access/access_for_test.hpp"

namespace meshstow::access {
namespace {

class RevocationTest : public ::testing::Test {
 protected:
  static Now now() { return {.wall = at(kNoon)}; }
  IssuedToken issue() {
    return book.issue(now(), {.scopes = {scope("notes:rw")}, .label = "cli"}).value();
  }
  // What a node would know of the token that starts from this record.
  bool is_revoked_in(const StoredRecord& record) {
    TokenBook again(kOwner, signer_of(owner_key()), key, rng);
    return again.load(record.key, record.value)->revoked;
  }
  base::SeededRng rng{5};
  SpaceKey key = SpaceKey::generate(rng);
  TokenBook book{kOwner, signer_of(owner_key()), key, rng};
  AccessControl control{kOwner, owner_key().public_key()};
  Revoker revoker{book, control};
};

TEST_F(RevocationTest, acts_once_it_is_stored_and_not_before) {
  const IssuedToken token = issue();
  auto revocation = revoker.begin(now(), token.id).value();
  EXPECT_TRUE(revocation.was_known());
  EXPECT_EQ(revocation.record().key, token.record.key);
  EXPECT_TRUE(is_revoked_in(revocation.record()));
  EXPECT_FALSE(control.is_revoked(token.id));
  EXPECT_FALSE(book.list().front().revoked);
  revocation.finish(/*stored=*/true);
  EXPECT_TRUE(control.is_revoked(token.id));
  EXPECT_TRUE(book.list().front().revoked);
}

TEST_F(RevocationTest, leaves_everything_as_it_was_where_the_store_fails) {
  const IssuedToken token = issue();
  revoker.begin(now(), token.id)->finish(/*stored=*/false);
  EXPECT_FALSE(control.is_revoked(token.id));
  EXPECT_FALSE(book.list().front().revoked);
  EXPECT_FALSE(is_revoked_in(book.record(token.id).value()));
}

TEST_F(RevocationTest, holds_where_nobody_waits_for_the_store) {
  const IssuedToken token = issue();
  { const auto left = revoker.begin(now(), token.id); }
  EXPECT_TRUE(control.is_revoked(token.id));
}

TEST_F(RevocationTest, may_outlive_its_node) {
  const IssuedToken token = issue();
  auto other = std::make_unique<Revoker>(book, control);
  auto late = other->begin(now(), token.id).value();
  other.reset();
  late.finish(/*stored=*/true);
  EXPECT_FALSE(control.is_revoked(token.id));
}

// The last use is saved now and then, perhaps between a revocation and the end of its commit.
TEST_F(RevocationTest, is_not_undone_by_a_record_that_is_stored_after_it) {
  const IssuedToken token = issue();
  auto revocation = revoker.begin(now(), token.id).value();
  book.note_use(token.id, at(kNoon + 1));
  EXPECT_TRUE(is_revoked_in(book.record(token.id).value()));
  revocation.finish(/*stored=*/true);
  EXPECT_TRUE(is_revoked_in(book.record(token.id).value()));
}

TEST_F(RevocationTest, reaches_tokens_that_the_book_does_not_know) {
  TokenBook before(kOwner, signer_of(owner_key()), key, rng);
  const IssuedToken lost =
      before.issue(now(), {.scopes = {scope("notes:rw")}, .label = "lost"}).value();
  ASSERT_TRUE(control.check_token(lost.text, at(kNoon)));
  auto revocation = revoker.begin(now(), lost.id).value();
  EXPECT_FALSE(revocation.was_known());
  EXPECT_EQ(revocation.record().key, lost.record.key);
  EXPECT_TRUE(is_revoked_in(revocation.record()));
  revocation.finish(/*stored=*/true);
  EXPECT_FALSE(control.check_token(lost.text, at(kNoon)));
  ASSERT_EQ(book.list().size(), 1U);
  EXPECT_EQ(book.list()[0].capability.id, lost.id);
  EXPECT_TRUE(book.list()[0].capability.scopes.empty());
  EXPECT_EQ(book.list()[0].created, at(kNoon));
  EXPECT_TRUE(is_revoked_in(book.record(lost.id).value()));
  EXPECT_EQ(book.record(TokenId{}).error().code, Errc::not_found);
}

TEST_F(RevocationTest, records_of_unknown_tokens_are_corrupt_when_changed) {
  const auto record = revoker.begin(now(), TokenId{{1, 2, 3}}).value().record();
  TokenBook again(kOwner, signer_of(owner_key()), key, rng);
  for (std::size_t i = 0; i < record.value.size(); ++i) {
    Bytes changed = record.value;
    changed[i] ^= 1;
    EXPECT_EQ(again.load(record.key, changed).error().code, Errc::corrupt);
  }
}

}  // namespace
}  // namespace meshstow::access
