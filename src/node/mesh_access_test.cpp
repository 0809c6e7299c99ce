// Who may do what on a link: identification, signatures, tokens, repeats, wrong clocks.
#include "node/program_test_util.hpp"

namespace meshstow::node {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using test::get;
using test::Home;
using test::Program;
using test::put;
using test::Question;
using test::remove;
using test::Reply;
using test::with_token;
using test::World;

class MeshAccess : public testing::Test {
 protected:
  void SetUp() override {
    home.start(world);
    world.join(program);
    home.put(world, "/public/n/a", test::bytes_of("open"));
    home.put(world, "/private/n/a", test::bytes_of("closed"));
    home.put(world, "/shared/n/a", test::bytes_of("between"));
  }
  void link_unidentified() { program.link_to(world, home, nullptr); }
  void link_as_stranger() { program.link_to(world, home, &program.identity); }
  void link_as_owner() {
    program.identity = home.identities().owner;
    program.link_to(world, home, &program.identity);
  }
  std::string verdict(const Question& question) {
    const Reply reply = program.ask(world, question);
    EXPECT_TRUE(reply.genuine);
    return reply.verdict();
  }
  std::string message(const Question& question) {
    const Reply reply = program.ask(world, question);
    return reply.error() == nullptr ? "" : reply.error()->message;
  }

  World world;
  Home home{1};
  Program program{2};
};

TEST_F(MeshAccess, lets_an_unidentified_sender_read_public_documents_and_nothing_else) {
  link_unidentified();
  Question question = get("/public/n/a");
  EXPECT_EQ(verdict(question), "200");
  question.is_signed = false;
  EXPECT_EQ(verdict(question), "200");
  const std::string token = home.issue(world, "*:rw");
  for (const Question& each :
       {get("/public/n/"), get("/public/"), get("/"), get("/private/n/a"), get("/shared/n/a"),
        put("/public/n/b", "x"), remove("/public/n/a")}) {
    EXPECT_EQ(verdict(each), "STORE002 401") << each.path;
    EXPECT_EQ(verdict(with_token(each, token)), "STORE002 401") << each.path;
    EXPECT_NE(message(each).find("identify"), std::string::npos);
  }
  EXPECT_EQ(verdict(with_token(get("/public/n/a"), "nonsense")), "200");
  EXPECT_EQ(home.get(world, "/public/n/a"), test::bytes_of("open"));
}

TEST_F(MeshAccess, gives_a_stranger_without_a_token_no_more) {
  link_as_stranger();
  EXPECT_EQ(verdict(get("/public/n/a")), "200");
  EXPECT_EQ(verdict(get("/public/n/")), "STORE002 401");
  EXPECT_EQ(verdict(get("/private/n/a")), "STORE002 401");
  EXPECT_EQ(verdict(get("/private/n/none")), "STORE002 401");  // not even whether it is there
  EXPECT_EQ(verdict(put("/public/n/b", "x")), "STORE002 401");
}

TEST_F(MeshAccess, gives_owner_and_devices_everything) {
  link_as_owner();
  EXPECT_EQ(verdict(get("/")), "200");
  EXPECT_EQ(verdict(get("/private/n/a")), "200");
  program.identity = home.identities().device;
  program.link_to(world, home, &program.identity);
  EXPECT_EQ(verdict(get("/private/n/")), "200");
}

TEST_F(MeshAccess, demands_a_signature_of_whoever_is_identified) {
  link_as_owner();
  Question question = get("/public/n/a");
  question.is_signed = false;
  EXPECT_EQ(verdict(question), "STORE002 401");
  const auto other = home.identities().device;
  question = put("/public/n/b", "x");
  question.signer = &other;
  EXPECT_EQ(verdict(question), "STORE002 401");
  EXPECT_FALSE(home.get(world, "/public/n/b"));
}

TEST_F(MeshAccess, takes_a_request_signed_for_another_link_for_worthless) {
  link_as_owner();
  const Bytes captured = program.pack(put("/public/n/b", "x"));
  EXPECT_EQ(program.ask_packed(world, captured).verdict(), "200");
  program.link_to(world, home, &program.identity);
  EXPECT_EQ(program.ask_packed(world, captured).verdict(), "STORE002 401");
  EXPECT_EQ(home.all<DocumentChanged>().size(), 1U);
}

TEST_F(MeshAccess, answers_the_same_signed_write_once_and_for_all) {
  link_as_owner();
  Question question = put("/public/n/new", "x");
  question.headers.if_none_match = "*";
  const Bytes packed = program.pack(question);
  const Reply first = program.ask_packed(world, packed);
  EXPECT_EQ(first.verdict(), "200");
  EXPECT_EQ(program.ask_packed(world, packed).raw, first.raw);
  const Reply gone = program.ask(world, remove("/public/n/new"));
  EXPECT_EQ(gone.verdict(), "200");
  EXPECT_EQ(program.ask(world, remove("/public/n/new")).raw, gone.raw);
  EXPECT_EQ(program.ask_packed(world, packed).raw, first.raw);  // it is not stored again
  EXPECT_FALSE(home.get(world, "/public/n/new"));
  EXPECT_EQ(home.all<DocumentChanged>().size(), 2U);
}

TEST_F(MeshAccess, takes_the_same_signed_write_in_another_form_for_the_same) {
  link_as_owner();
  Question question = put("/public/n/new", "x");
  const Reply first = program.ask(world, question);
  EXPECT_EQ(first.verdict(), "200");
  EXPECT_EQ(program.ask(world, put("/public/n/new", "later")).verdict(), "200");
  for (const auto form : {protocol::Form::json_string, protocol::Form::json_binary}) {
    question.form = form;
    const Reply again = program.ask(world, question);
    EXPECT_EQ(again.verdict(), "200");
    EXPECT_EQ(again.etag(), first.etag());
    EXPECT_EQ(again.response()->timestamp, first.response()->timestamp);
    EXPECT_EQ(again.form, form);
    EXPECT_TRUE(again.genuine);
  }
  EXPECT_EQ(home.get(world, "/public/n/new"), test::bytes_of("later"));
  EXPECT_EQ(home.all<DocumentChanged>().size(), 2U);

  // Refusals too, and the other way round.
  question = remove("/public/n/none");
  question.form = protocol::Form::json_string;
  EXPECT_EQ(program.ask(world, question).verdict(), "STORE001 404");
  home.put(world, "/public/n/none", test::bytes_of("now there"));
  question.form = protocol::Form::msgpack;
  const Reply refused = program.ask(world, question);
  EXPECT_EQ(refused.verdict(), "STORE001 404");
  EXPECT_EQ(refused.form, protocol::Form::msgpack);
  EXPECT_TRUE(refused.genuine);
}

TEST_F(MeshAccess, lets_a_repeat_in_another_form_wait_and_answers_it_in_its_own) {
  link_as_owner();
  Question question = put("/public/n/new", "x");
  home.holds_store = true;
  const auto first = program.send(world, program.pack(question));
  world.run_for(seconds(1));
  question.form = protocol::Form::json_string;
  const auto second = program.send(world, program.pack(question));
  world.run_for(seconds(1));
  home.release_store(world);
  const Reply one = program.read(program.wait(world, first).value());
  const Reply two = program.read(program.wait(world, second).value());
  EXPECT_EQ(one.form, protocol::Form::msgpack);
  EXPECT_EQ(two.form, protocol::Form::json_string);
  EXPECT_EQ(one.etag(), two.etag());
  EXPECT_TRUE(two.genuine);
  EXPECT_EQ(home.all<DocumentChanged>().size(), 1U);
}

TEST_F(MeshAccess, lets_the_repeat_of_a_write_wait_for_the_answer_of_the_first) {
  link_as_owner();
  const Bytes packed = program.pack(put("/public/n/new", "x"));
  home.holds_store = true;
  const auto first = program.send(world, packed);
  world.run_for(seconds(1));
  const auto second = program.send(world, packed);
  world.run_for(seconds(1));
  EXPECT_EQ(home.held.size(), 1U);
  home.release_store(world);
  EXPECT_EQ(program.wait(world, first), program.wait(world, second));
  EXPECT_EQ(home.all<DocumentChanged>().size(), 1U);
}

TEST_F(MeshAccess, repeats_the_upload_of_a_large_write_without_storing_it_twice) {
  link_as_owner();
  Question question = put("/public/n/big", "");
  question.data = test::random_bytes(200'000, 4);
  const Bytes packed = program.pack(question);
  const Reply first = program.ask_packed(world, packed);
  EXPECT_EQ(first.verdict(), "200");
  EXPECT_EQ(program.ask_packed(world, packed).raw, first.raw);
  EXPECT_EQ(home.all<DocumentChanged>().size(), 1U);
  EXPECT_EQ(home.uploads_begun, 2U);
  EXPECT_EQ(home.uploads_aborted, 1U);
}

TEST_F(MeshAccess, does_not_remember_a_refusal_that_identification_lifts) {
  program.identity = home.identities().owner;
  link_unidentified();
  const Bytes packed = program.pack(get("/private/n/a"));
  EXPECT_EQ(program.ask_packed(world, packed).verdict(), "STORE002 401");
  program.identify(world, program.identity);
  EXPECT_EQ(program.ask_packed(world, packed).verdict(), "200");
}

TEST_F(MeshAccess, holds_tokens_to_their_scope) {
  const std::string token =
      home.issue(world, "storage:read:/shared/n/ storage:write:/public/n/mine");
  link_as_stranger();
  const auto with = [&](const Question& question) { return verdict(with_token(question, token)); };
  EXPECT_EQ(with(get("/shared/n/a")), "200");
  EXPECT_EQ(with(get("/shared/n/")), "200");
  EXPECT_EQ(with(put("/public/n/mine", "x")), "200");
  EXPECT_EQ(with(get("/public/n/mine")), "200");
  EXPECT_EQ(with(put("/shared/n/a", "x")), "STORE002 403");
  EXPECT_EQ(with(get("/shared/")), "STORE002 403");
  EXPECT_EQ(with(get("/private/n/a")), "STORE002 403");
  EXPECT_EQ(with(put("/public/n/mine2", "x")), "STORE002 403");
  EXPECT_EQ(with(get("/public/n/")), "STORE002 403");
}

TEST_F(MeshAccess, refuses_tokens_that_are_expired_foreign_tampered_or_revoked) {
  link_as_stranger();
  const auto with = [&](const std::string& token) {
    return verdict(with_token(get("/private/n/a"), token));
  };
  const std::string brief = home.issue(world, "n:r", {}, seconds(90));
  EXPECT_EQ(with(brief), "200");
  world.run_for(seconds(100));
  EXPECT_EQ(with(brief), "STORE002 401");

  Home other(9);
  other.start(world);
  EXPECT_EQ(with(other.issue(world, "*:rw")), "STORE002 401");

  std::string tampered = home.issue(world, "n:r");
  tampered[tampered.size() / 2] = tampered[tampered.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(with(tampered), "STORE002 401");
  EXPECT_EQ(with("not a token"), "STORE002 401");
  EXPECT_EQ(with(std::string(limits::kTokenText + 1, 'A')), "STORE002 401");

  const std::string revoked = home.issue(world, "n:r");
  EXPECT_EQ(with(revoked), "200");
  const auto id = access::peek_token(revoked)->id;
  home.revoke(world, id);
  EXPECT_EQ(verdict(with_token(put("/public/n/x", "x"), revoked)), "STORE002 401");

  home.restart(world);  // and after a restart it is still revoked
  program.link_to(world, home, &program.identity);
  EXPECT_EQ(with(revoked), "STORE002 401");
  EXPECT_EQ(with(home.issue(world, "n:r")), "200");
}

// A right that ends while a request is under way.
class MeshAccessInMidTransfer : public MeshAccess, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    MeshAccess::SetUp();
    link_as_stranger();
    token_ = home.issue(world, "n:rw", {}, seconds(3600));
  }
  void end_token() {
    if (GetParam()) {
      home.revoke(world, access::peek_token(token_)->id);
    } else {
      home.wall_error += hours(2);
    }
  }
  std::string token_;
};
INSTANTIATE_TEST_SUITE_P(Ends, MeshAccessInMidTransfer, testing::Bool(),
                         [](const auto& ends) { return ends.param ? "revoked" : "expired"; });

TEST_P(MeshAccessInMidTransfer, nothing_is_written_when_it_ends_between_segments) {
  Question write = with_token(put("/public/n/big", ""), token_);
  write.data = test::random_bytes(5'000'000, 3);
  const auto id = program.send(world, program.pack(write));
  ASSERT_TRUE(world.run([&] { return home.uploads_begun > 0; }));
  end_token();
  const auto answer = program.wait(world, id);
  ASSERT_TRUE(answer);
  EXPECT_EQ(program.read(*answer).verdict(), "STORE002 401");
  EXPECT_FALSE(home.get(world, "/public/n/big"));
  EXPECT_EQ(home.uploads_aborted, home.uploads_begun);
}

TEST_P(MeshAccessInMidTransfer, nothing_is_written_when_it_ends_before_the_commit) {
  Question write = with_token(put("/public/n/big", ""), token_);
  write.data = test::random_bytes(300'000, 3);
  home.holds_store = true;
  const auto id = program.send(world, program.pack(write));
  ASSERT_TRUE(world.run([&] { return home.held.size() >= 2; }));
  world.run_for(seconds(1));  // all of it has come
  end_token();
  home.release_store(world);
  const auto answer = program.wait(world, id);
  ASSERT_TRUE(answer);
  EXPECT_EQ(program.read(*answer).verdict(), "STORE002 401");
  EXPECT_FALSE(home.get(world, "/public/n/big"));
  EXPECT_EQ(home.uploads_aborted, 1U);
}

TEST_P(MeshAccessInMidTransfer, no_more_is_read) {
  home.put(world, "/private/n/big", test::random_bytes(5'000'000, 3));
  const auto id = program.send(world, program.pack(with_token(get("/private/n/big"), token_)));
  ASSERT_TRUE(world.run([&] { return program.received > 0; }));
  end_token();
  world.run_for(seconds(60));
  EXPECT_FALSE(program.answers.contains(id));
  EXPECT_LT(program.received, 4'000'000U);
}

TEST_P(MeshAccessInMidTransfer, nothing_is_read_when_it_ends_before_the_answer) {
  home.holds_store = true;
  const auto id = program.send(world, program.pack(with_token(get("/private/n/a"), token_)));
  ASSERT_TRUE(world.run([&] { return !home.held.empty(); }));
  end_token();
  home.release_store(world);
  const auto answer = program.wait(world, id);
  ASSERT_TRUE(answer);
  EXPECT_EQ(program.read(*answer).verdict(), "STORE002 401");
}

TEST_F(MeshAccess, binds_a_token_to_its_holder) {
  const std::string token = home.issue(world, "n:rw", program.identity.hash());
  link_as_stranger();
  EXPECT_EQ(verdict(with_token(get("/private/n/a"), token)), "200");
  Program thief(7);
  world.join(thief);
  thief.link_to(world, home, &thief.identity);
  EXPECT_EQ(thief.ask(world, with_token(get("/private/n/a"), token)).verdict(), "STORE002 403");
}

TEST_F(MeshAccess, grants_what_the_list_of_named_users_says) {
  home.node->access().acl().grant(program.identity.hash(),
                                  access::Scope::parse("storage:read:/shared/n/").value());
  link_as_stranger();
  EXPECT_EQ(verdict(get("/shared/n/a")), "200");
  EXPECT_EQ(verdict(put("/shared/n/a", "x")), "STORE002 403");
}

TEST_F(MeshAccess, does_not_care_for_clocks_that_are_years_wrong) {
  for (const auto error : {-hours(24 * 365 * 40), hours(24 * 365 * 40)}) {
    Program lost(20 + static_cast<std::uint64_t>(error.count() > 0));
    lost.wall_error = error;
    lost.identity = home.identities().owner;
    world.join(lost);
    lost.link_to(world, home, &lost.identity);
    Question question = put("/public/n/clock", "tick");
    question.timestamp = codec::format_iso8601(world.now(lost).wall);
    EXPECT_EQ(lost.ask(world, question).verdict(), "200") << question.timestamp;
    EXPECT_TRUE(lost.ask(world, get("/public/n/clock")).genuine);
  }
}

TEST_F(MeshAccess, decides_before_it_stores) {
  link_as_stranger();
  Question write = put("/public/n/big", "");
  write.data = test::random_bytes(2'000'000, 3);
  EXPECT_EQ(verdict(write), "STORE002 401");
  EXPECT_EQ(home.uploads_begun, 0U);
}

}  // namespace
}  // namespace meshstow::node
