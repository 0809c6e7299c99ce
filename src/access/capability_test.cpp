#include "access/capability.hpp"

#include <gtest/gtest.h>

#include "access/access_for_test.hpp"
#include "access/capability_bytes.hpp"
#include "base/limits.hpp"
#include "codec/base64.hpp"

namespace meshstow::access {
namespace {

Result<Capability> verified(std::string_view token) {
  return verify_token(token, kOwner, owner_key().public_key());
}

Capability full() {
  Capability out = capability({scope("storage:read:/private/notes/"),
                               scope("storage:write:/shared/m/a"), scope("storage:read:/public/"),
                               scope("storage:read:/"), scope("notes:rw"), scope("*:r")});
  out.holder = kFriend;
  out.expires = at(kNoon);
  return out;
}

TEST(Capability, says_after_verification_what_was_minted) {
  const auto read = verified(token_of(full()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, full().id);
  EXPECT_EQ(read->issuer, kOwner);
  EXPECT_EQ(read->holder, kFriend);
  EXPECT_EQ(read->scopes, full().scopes);
  EXPECT_EQ(read->expires, at(kNoon));
  const auto plain = verified(token_of(capability({scope("notes:r")})));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->holder, std::nullopt);
  EXPECT_EQ(plain->expires, std::nullopt);
}

TEST(Capability, a_token_of_one_scope_is_short) {
  Capability one = capability({scope("storage:read:/private/notes/")});
  one.expires = at(kNoon);
  EXPECT_EQ(token_of(one).size(), 126U);
  one.holder = kFriend;
  EXPECT_EQ(token_of(one).size(), 147U);
  one.scopes = {scope("storage:write:/shared/expedition-2026/maps/")};
  EXPECT_LT(token_of(one).size(), 180U);
}

TEST(Capability, every_changed_character_is_refused) {
  const std::string token = token_of(full());
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verified(changed)) << i;
    EXPECT_FALSE(verified(token.substr(0, i))) << i;
  }
  EXPECT_FALSE(verified(token + "A"));
  EXPECT_FALSE(verified(token + "="));
  EXPECT_FALSE(verified(" " + token));
}

TEST(Capability, another_issuer_is_told_from_a_broken_token) {
  const std::string token = token_of(full());
  const auto other_space = verify_token(token, kStranger, owner_key().public_key());
  const auto other_key = verify_token(token, kOwner, stranger_key().public_key());
  const auto broken = verified("hello");
  EXPECT_EQ(other_space.error().code, Errc::denied);
  EXPECT_EQ(other_key.error().code, Errc::denied);
  EXPECT_EQ(broken.error().code, Errc::malformed);
  EXPECT_STRNE(other_space.error().detail, other_key.error().detail);
  // The signature covers the issuer's whole hash, of which the token holds a part.
  IdentityHash twin = kOwner;
  twin.bytes.back() ^= 1;
  EXPECT_EQ(verify_token(token, twin, owner_key().public_key()).error().code, Errc::denied);
}

TEST(Capability, peeking_shows_it_without_a_key) {
  const auto seen = peek_token(token_of(full()));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->scopes, full().scopes);
  EXPECT_EQ(seen->holder, kFriend);
  IdentityHash prefix;
  std::copy_n(kOwner.bytes.begin(), 8, prefix.bytes.begin());
  EXPECT_EQ(seen->issuer, prefix);
  EXPECT_FALSE(peek_token(""));
}

TEST(Capability, has_one_spelling_only) {
  Capability one = capability({scope("storage:read:/private/a")});
  one.expires = at(5);
  const Bytes good = encode_capability(one);
  ASSERT_TRUE(decode_capability(good));
  ASSERT_EQ(good[17], 5);  // the expiry, in one byte
  Bytes long_number = good;
  long_number[17] = 0x85;
  long_number.insert(long_number.begin() + 18, 0x00);
  EXPECT_FALSE(decode_capability(long_number));
  // The same path under the kind for paths that begin in no category.
  Bytes other_kind(good.begin(), good.begin() + 18);
  base::append(other_kind, Bytes{4 << 1, 9});
  base::append(other_kind, base::as_bytes("private/a"));
  EXPECT_FALSE(decode_capability(other_kind));
  Bytes unknown_kind = good;
  unknown_kind[18] = 5 << 1;
  EXPECT_FALSE(decode_capability(unknown_kind));
  Bytes other_format = good;
  other_format[0] ^= 0xc0;
  EXPECT_FALSE(decode_capability(other_format));
  EXPECT_FALSE(decode_capability(base::concat({good, Bytes{0}})));
}

TEST(Capability, absurd_expiry_is_refused_when_read_and_cut_when_written) {
  Capability one = capability({scope("notes:r")});
  one.expires = WallTime::max();
  EXPECT_TRUE(verified(token_of(one)));
  one.expires = WallTime::min();
  EXPECT_EQ(verified(token_of(one))->expires, at(0));
  one.expires = at(0);
  Bytes body = encode_capability(one);
  ASSERT_EQ(body[17], 0);
  body.erase(body.begin() + 17);
  const Bytes huge{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
  body.insert(body.begin() + 17, huge.begin(), huge.end());
  EXPECT_FALSE(decode_capability(body));
}

TEST(Capability, a_text_beyond_the_limit_is_no_token) {
  Capability one = capability({scope("storage:read:/private/" + std::string(400, 'x'))});
  const std::string token = token_of(one);
  ASSERT_GT(token.size(), limits::kTokenText);
  EXPECT_EQ(verified(token).error().code, Errc::malformed);
}

}  // namespace
}  // namespace meshstow::access
