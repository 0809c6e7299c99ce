#include "access/access_control.hpp"

#include <gtest/gtest.h>

#include "access/access_for_test.hpp"

namespace meshstow::access {
namespace {

class AccessControlTest : public ::testing::Test {
 protected:
  AccessControlTest() {
    control.add_device(kDevice);
    control.acl().grant(kFriend, scope("storage:write:/shared/maps/"));
  }
  Decision decide(const std::optional<IdentityHash>& user, std::string_view token,
                  std::string_view where, Operation operation = Operation::read) {
    return control.decide(user, token, path(where), operation, at(kNoon));
  }
  AccessControl control{kOwner, owner_key().public_key()};
};

TEST_F(AccessControlTest, owner_and_devices_may_do_everything) {
  for (const IdentityHash& user : {kOwner, kDevice}) {
    for (const char* where : {"/", "/private/notes/a", "/shared/maps/", "/public/x/a"}) {
      EXPECT_TRUE(control.check_access(user, path(where), Operation::read)) << where;
      EXPECT_TRUE(control.check_access(user, path(where), Operation::write)) << where;
    }
  }
}

TEST_F(AccessControlTest, anybody_reads_public_documents_and_nothing_else) {
  for (const auto& user : {std::optional<IdentityHash>(), std::optional(kStranger)}) {
    EXPECT_TRUE(control.check_access(user, path("/public/notes/a"), Operation::read));
    EXPECT_FALSE(control.check_access(user, path("/public/notes/a"), Operation::write));
    for (const char* closed :
         {"/", "/public/", "/public/notes/", "/private/notes/a", "/shared/maps/a"}) {
      EXPECT_FALSE(control.check_access(user, path(closed), Operation::read)) << closed;
    }
  }
}

TEST_F(AccessControlTest, named_users_have_what_the_list_says) {
  EXPECT_TRUE(control.check_access(kFriend, path("/shared/maps/a"), Operation::write));
  EXPECT_TRUE(control.check_access(kFriend, path("/shared/maps/"), Operation::read));
  EXPECT_FALSE(control.check_access(kFriend, path("/shared/"), Operation::read));
  EXPECT_EQ(decide(kFriend, "", "/private/a").verdict, Verdict::forbidden);
  control.acl().withdraw(kFriend);
  EXPECT_FALSE(control.check_access(kFriend, path("/shared/maps/a"), Operation::read));
}

TEST_F(AccessControlTest, without_a_token_the_answer_is_401) {
  EXPECT_EQ(decide({}, "", "/private/a").verdict, Verdict::unauthenticated);
  EXPECT_EQ(decide(kStranger, "", "/private/a").verdict, Verdict::unauthenticated);
  EXPECT_EQ(decide(kStranger, "", "/public/notes/").verdict, Verdict::unauthenticated);
  EXPECT_TRUE(decide({}, "", "/public/notes/a").allowed());
}

TEST_F(AccessControlTest, a_token_opens_what_it_covers) {
  const std::string token = token_of(capability({scope("storage:write:/private/notes/")}));
  for (const auto& user : {std::optional<IdentityHash>(), std::optional(kStranger)}) {
    const Decision decision = decide(user, token, "/private/notes/a", Operation::write);
    EXPECT_TRUE(decision.allowed());
    EXPECT_EQ(decision.token, capability({}).id);
    EXPECT_EQ(decide(user, token, "/private/other/a").verdict, Verdict::forbidden);
  }
  EXPECT_EQ(
      decide({}, token_of(capability({scope("notes:r")})), "/private/notes/a", Operation::write)
          .verdict,
      Verdict::forbidden);
}

TEST_F(AccessControlTest, bad_tokens_are_told_apart) {
  std::set<std::string> reasons;
  const auto refused = [&](std::string_view token) {
    const Decision decision = decide(kStranger, token, "/private/notes/a");
    EXPECT_EQ(decision.verdict, Verdict::unauthenticated);
    reasons.insert(decision.reason);
    // ... and none of them breaks an open read.
    EXPECT_TRUE(decide(kStranger, token, "/public/notes/a").allowed());
  };
  Capability live = capability({scope("notes:r")});
  Capability expired = live;
  expired.expires = at(kNoon);
  Capability foreign = live;
  foreign.issuer = kStranger;
  std::string tampered = token_of(live);
  tampered.back() = tampered.back() == 'A' ? 'Q' : 'A';
  refused("nonsense");
  refused(token_of(expired));
  refused(token_of(foreign));
  refused(tampered);
  refused(mint(live, signer_of(stranger_key())));
  control.revoke(live.id);
  refused(token_of(live));
  EXPECT_EQ(reasons.size(), 5U);  // tampered and signed by a stranger cannot be told apart
}

TEST_F(AccessControlTest, a_token_holds_until_its_second_comes) {
  Capability live = capability({scope("notes:r")});
  live.expires = at(kNoon + 1);
  EXPECT_TRUE(decide({}, token_of(live), "/private/notes/a").allowed());
  const auto later = [&](WallTime now) {
    return control.decide({}, token_of(live), path("/private/notes/a"), Operation::read, now)
        .allowed();
  };
  EXPECT_FALSE(later(at(kNoon + 1)));
  EXPECT_FALSE(later(WallTime::max()));
  EXPECT_TRUE(later(WallTime::min()));
}

TEST_F(AccessControlTest, a_token_for_a_holder_works_for_the_holder_only) {
  Capability bound = capability({scope("notes:r")});
  bound.holder = kFriend;
  EXPECT_TRUE(decide(kFriend, token_of(bound), "/private/notes/a").allowed());
  EXPECT_EQ(decide(kStranger, token_of(bound), "/private/notes/a").verdict, Verdict::forbidden);
  EXPECT_EQ(decide({}, token_of(bound), "/private/notes/a").verdict, Verdict::forbidden);
  ASSERT_FALSE(control.check_token(token_of(bound), at(kNoon)));
  EXPECT_EQ(control.check_token(token_of(bound), at(kNoon)).error().code, Errc::denied);
}

TEST_F(AccessControlTest, check_token_takes_live_bearer_tokens) {
  Capability live = capability({scope("notes:r")});
  EXPECT_TRUE(control.check_token(token_of(live), at(kNoon)));
  EXPECT_FALSE(control.check_token("", at(kNoon)));
  control.revoke(live.id);
  EXPECT_TRUE(control.is_revoked(live.id));
  EXPECT_FALSE(control.check_token(token_of(live), at(kNoon)));
}

}  // namespace
}  // namespace meshstow::access
