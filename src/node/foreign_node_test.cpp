// Our client against a storage node that somebody else wrote: what it sees, and what it may get
// away with.
#include "node/plain_node_test_util.hpp"

namespace meshstow::node {
namespace {

using protocol::Operation;
using protocol::StoreCode;
using test::Followed;
using test::Home;
using test::PlainNode;
using test::Seen;
using test::World;

class ForeignNode : public testing::Test {
 protected:
  void SetUp() override {
    mine.start(world);
    node.start(world);
    node.answers = [this](const Seen& seen) {
      return node.respond(seen, 200, std::nullopt, &node.identity);
    };
  }
  Followed ask(Operation operation, std::string_view path, Bytes body = {},
               std::string token = {}) {
    ClientRequest request;
    request.node = node.destination;
    request.path = test::path_of(path);
    request.token = std::move(token);
    const auto id = mine.begin(world, operation, std::move(request), std::move(body));
    world.run([&] { return mine.operations[id].ended(); });
    return mine.operations[id];
  }
  void serve(Bytes data) {
    node.answers = [this, data = std::move(data)](const Seen& seen) {
      return node.respond(seen, 200, data, &node.identity);
    };
  }

  World world;
  PlainNode node{1};
  Home mine{2};
};

TEST_F(ForeignNode, sees_no_secret_byte_of_what_we_put) {
  const std::string secret = "the treasure is under the old oak tree";
  std::string large;
  while (large.size() < 300'000) large += secret;
  for (const std::string& text : {secret, large}) {
    node.seen.clear();
    const Followed written =
        ask(Operation::put, "/private/notes/a", test::bytes_of(text), "some token");
    ASSERT_TRUE(written.done) << written.failed->error.message;
    ASSERT_EQ(node.seen.size(), 1U);
    const Seen& seen = node.seen[0];
    EXPECT_TRUE(seen.genuine);
    EXPECT_EQ(seen.sender->hash(), mine.identities().device.hash());
    EXPECT_EQ(seen.request.path, "/private/notes/a");
    EXPECT_EQ(seen.request.headers.bearer_token(), "some token");
    EXPECT_TRUE(access::looks_like_envelope(seen.data));
    EXPECT_EQ(base::to_string(seen.value).find("treasure"), std::string::npos);
    // What the node keeps is what we open again.
    serve(seen.data);
    const Followed read = ask(Operation::get, "/private/notes/a");
    ASSERT_TRUE(read.done) << read.failed->error.message;
    EXPECT_EQ(base::to_string(read.received), text);
  }
}

TEST_F(ForeignNode, learns_nobodys_name_from_a_public_read) {
  serve(test::bytes_of("x"));
  EXPECT_EQ(ask(Operation::get, "/public/a").received, test::bytes_of("x"));
  EXPECT_FALSE(node.seen.at(0).sender);
  EXPECT_FALSE(node.seen.at(0).request.headers.authorization);
}

TEST_F(ForeignNode, cannot_pass_a_text_in_clear_off_as_a_secret_document) {
  for (const auto* text :
       {"", "short", "long enough to be an envelope, if it only were one of ours"}) {
    serve(test::bytes_of(text));
    const Followed read = ask(Operation::get, "/private/a");
    ASSERT_TRUE(read.failed);
    EXPECT_FALSE(read.failed->answered);
    EXPECT_EQ(read.failed->why.code, Errc::corrupt);
  }
}

TEST_F(ForeignNode, is_not_heard_to_the_end_when_it_sends_more_than_it_told) {
  serve(Bytes(20'000'000, Byte{7}));
  node.told_length = "10";
  const Followed read = ask(Operation::get, "/public/a");
  ASSERT_TRUE(read.failed);
  EXPECT_EQ(read.failed->why.code, Errc::malformed);
  EXPECT_LT(read.received.size(), 4'000'000U) << "the rest was not waited for";
}

TEST_F(ForeignNode, may_list_secret_folders_unsealed) {
  const std::string listing = R"({"items":{"a":{"ETag":"x"}}})";
  serve(test::bytes_of(listing));
  const Followed read = ask(Operation::get, "/private/n/");
  ASSERT_TRUE(read.done) << read.failed->error.message;
  EXPECT_EQ(base::to_string(read.received), listing);
}

TEST_F(ForeignNode, cannot_pass_an_envelope_off_as_that_of_another_document) {
  base::SeededRng rng(4);
  const auto own = mine.identities();
  access::StorageEncryption encryption(own.keys, rng);
  serve(encryption.encrypt_data(test::bytes_of("x"), own.owner.hash(), test::path_of("/private/b"))
            .value());
  const Followed read = ask(Operation::get, "/private/a");
  ASSERT_TRUE(read.failed);
  EXPECT_FALSE(read.failed->answered);
  EXPECT_EQ(read.failed->why.code, Errc::corrupt);
}

TEST_F(ForeignNode, is_not_believed_without_a_signature_of_its_own) {
  const auto other = mine.identities().owner;
  for (const reticulum::Identity* signer :
       std::initializer_list<const reticulum::Identity*>{nullptr, &other}) {
    node.answers = [&](const Seen& seen) {
      return node.respond(seen, 200, test::bytes_of("x"), signer);
    };
    const Followed read = ask(Operation::get, "/public/a");
    ASSERT_TRUE(read.failed);
    EXPECT_FALSE(read.failed->answered);
    EXPECT_EQ(read.failed->why.code, Errc::denied);
  }
  node.answers = [&](const Seen& seen) {
    return PlainNode::refuse(seen, StoreCode::path_not_found, {}, &other);
  };
  EXPECT_FALSE(ask(Operation::get, "/public/a").failed->answered);
}

TEST_F(ForeignNode, may_refuse_without_a_signature_and_a_status) {
  node.answers = [&](const Seen& seen) {
    return PlainNode::refuse(seen, StoreCode::storage_full, {}, nullptr);
  };
  const Followed refused = ask(Operation::put, "/public/a", test::bytes_of("x"));
  ASSERT_TRUE(refused.failed);
  EXPECT_TRUE(refused.failed->answered);
  EXPECT_EQ(refused.failed->error.code, StoreCode::storage_full);
}

TEST_F(ForeignNode, that_says_nothing_is_asked_three_times_with_the_same_words) {
  node.answers = [](const Seen&) { return std::nullopt; };
  for (const std::size_t size : {std::size_t{5}, std::size_t{200'000}}) {
    node.seen.clear();
    const Followed silent = ask(Operation::put, "/public/a", test::random_bytes(size, 1));
    ASSERT_TRUE(silent.failed);
    EXPECT_EQ(silent.failed->why.code, Errc::timed_out);
    ASSERT_EQ(node.seen.size(), 3U);
    EXPECT_EQ(node.seen[0].value, node.seen[1].value);
    EXPECT_EQ(node.seen[0].value, node.seen[2].value);
  }
}

TEST_F(ForeignNode, that_does_not_know_us_is_told_who_we_are_once_more) {
  node.answers = [&](const Seen& seen) {
    if (node.seen.size() == 1) {
      return PlainNode::refuse(seen, StoreCode::access_denied, {}, &node.identity);
    }
    return node.respond(seen, 200, std::nullopt, &node.identity);
  };
  EXPECT_TRUE(ask(Operation::put, "/public/a", test::bytes_of("x")).done);
  EXPECT_EQ(node.seen.size(), 2U);

  node.answers = [&](const Seen& seen) {
    return PlainNode::refuse(seen, StoreCode::access_denied, 401, &node.identity);
  };
  node.seen.clear();
  EXPECT_TRUE(ask(Operation::put, "/public/a", test::bytes_of("x")).failed->answered);
  EXPECT_EQ(node.seen.size(), 2U);
  node.answers = [&](const Seen& seen) {
    return PlainNode::refuse(seen, StoreCode::access_denied, 403, &node.identity);
  };
  node.seen.clear();
  EXPECT_TRUE(ask(Operation::put, "/public/a", test::bytes_of("x")).failed->answered);
  EXPECT_EQ(node.seen.size(), 1U);
}

TEST_F(ForeignNode, that_denies_a_public_read_learns_our_device) {
  node.answers = [&](const Seen& seen) {
    if (!seen.sender) return PlainNode::refuse(seen, StoreCode::access_denied, 401, nullptr);
    return node.respond(seen, 200, test::bytes_of("x"), &node.identity);
  };
  EXPECT_TRUE(ask(Operation::get, "/public/a").done);
  EXPECT_TRUE(node.seen.back().genuine);
}

TEST_F(ForeignNode, that_talks_nonsense_makes_an_operation_fail_and_nothing_else) {
  codec::MsgpackWriter number;
  number.integer(5);
  codec::MsgpackWriter text;
  text.string("hello");
  for (const Bytes& nonsense : {number.bytes(), text.bytes(), test::random_bytes(20'000, 5)}) {
    node.answers = [&](const Seen&) { return nonsense; };
    const Followed read = ask(Operation::get, "/public/a");
    ASSERT_TRUE(read.failed);
    EXPECT_FALSE(read.failed->answered);
  }
  node.answers = [&](const Seen& seen) { return seen.value; };  // our own question
  EXPECT_TRUE(ask(Operation::get, "/private/a").failed);
  serve(test::bytes_of("fine"));
  EXPECT_TRUE(ask(Operation::get, "/public/a").done);
}

}  // namespace
}  // namespace meshstow::node
