// How long our client waits for the network when it is told how long: `-w`.
#include "node/plain_node_test_util.hpp"
#include "reticulum/packet.hpp"

namespace meshstow::node {
namespace {

using protocol::Operation;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Followed;
using test::Home;
using test::Participant;
using test::PlainNode;
using test::Seen;
using test::World;

class Patience : public testing::Test {
 protected:
  void SetUp() override {
    mine.start(world);
    node.answers = [this](const Seen& seen) {
      return node.respond(seen, 200, body, &node.identity);
    };
  }
  OperationId begin(Duration patience, Operation operation = Operation::get) {
    ClientRequest request;
    request.node = node.destination;
    request.path = test::path_of("/public/notes/a");
    request.patience = patience;
    return mine.begin(world, operation, std::move(request), upload);
  }
  // How long it took.
  Duration end(OperationId id) {
    const TimePoint began = world.now(mine).mono;
    EXPECT_TRUE(world.run([&] { return mine.operations[id].ended(); }));
    return world.now(mine).mono - began;
  }
  [[nodiscard]] std::string failure(OperationId id) {
    const auto& failed = mine.operations[id].failed;
    if (!failed) return "it did not fail";
    EXPECT_FALSE(failed->answered);
    return failed->error.message;
  }

  World world;
  PlainNode node{1};
  Home mine{2};
  Bytes body = test::bytes_of("hello");
  Bytes upload;
};

TEST_F(Patience, bounds_the_search_for_a_path) {
  const auto id = begin(seconds(3));
  EXPECT_EQ(end(id), seconds(3));
  EXPECT_TRUE(failure(id).starts_with("no path to <")) << failure(id);
  EXPECT_NE(failure(id).find("within 3 s"), std::string::npos);
}

TEST_F(Patience, looks_for_a_path_for_longer_than_usual) {
  node.start(world);
  world.disconnect(node);
  const auto id = begin(minutes(2));
  world.run_for(seconds(50));
  EXPECT_FALSE(mine.operations[id].ended());
  world.connect(node);
  end(id);
  EXPECT_EQ(mine.operations[id].received, body);
}

TEST_F(Patience, bounds_the_opening_of_a_link_and_tries_until_then) {
  node.start(world);
  int tries = 0;
  world.jams = [&](const Participant& sender, ByteView packet) {
    const bool asks = &sender == &mine && reticulum::parse_packet(packet).value().type ==
                                              reticulum::PacketType::link_request;
    tries += asks ? 1 : 0;
    return asks;
  };
  const auto brief = begin(milliseconds(2500));
  EXPECT_EQ(end(brief), milliseconds(2500));
  EXPECT_NE(failure(brief).find("did not open a link within 2.5 s"), std::string::npos);
  tries = 0;
  const auto patient = begin(minutes(3));
  EXPECT_EQ(end(patient), minutes(3));
  EXPECT_GT(tries, 3);
}

TEST_F(Patience, bounds_the_first_answer_and_says_when_a_write_may_be_done) {
  node.start(world);
  node.answers = [](const Seen&) { return std::nullopt; };
  const auto read = begin(seconds(4));
  EXPECT_LE(end(read), seconds(5));
  EXPECT_NE(failure(read).find("did not answer within 4 s"), std::string::npos) << failure(read);
  EXPECT_EQ(failure(read).find("may have been done"), std::string::npos);
  upload = test::bytes_of("x");
  const auto write = begin(seconds(4), Operation::put);
  end(write);
  EXPECT_NE(failure(write).find("may have been done or not"), std::string::npos);
}

TEST_F(Patience, never_ends_a_transfer_that_moves) {
  node.start(world);
  world.latency = seconds(1);
  body = test::random_bytes(1'000'000, 1);
  const auto read = begin(seconds(10));
  EXPECT_GT(end(read), seconds(10));
  EXPECT_TRUE(mine.operations[read].received == body) << failure(read);
  upload = body;
  body = {};
  const auto write = begin(seconds(10), Operation::put);
  EXPECT_GT(end(write), seconds(10));
  EXPECT_TRUE(mine.operations[write].done) << failure(write);
}

// A sent body is only seen to move when the peer asks for more, which takes a round trip.
TEST_F(Patience, never_ends_a_transfer_whose_signs_of_movement_are_seldom) {
  node.start(world);
  world.latency = seconds(1);
  upload = test::random_bytes(300'000, 1);
  body = {};
  const auto write = begin(seconds(6), Operation::put);
  ASSERT_TRUE(
      world.run([&] { return mine.operations[write].stages.contains(ClientStage::sending); }));
  world.latency = milliseconds(3300);
  end(write);
  EXPECT_TRUE(mine.operations[write].done) << failure(write);
}

TEST_F(Patience, ends_a_transfer_that_stands_still) {
  node.start(world);
  body = test::random_bytes(3'000'000, 1);
  world.latency = milliseconds(100);
  const auto id = begin(seconds(5));
  ASSERT_TRUE(world.run([&] { return !mine.operations[id].received.empty(); }));
  world.jams = [](const Participant&, ByteView) { return true; };
  EXPECT_LE(end(id), seconds(6));
  EXPECT_NE(failure(id).find("stood still: nothing moved within 5 s"), std::string::npos);
}

TEST_F(Patience, of_one_command_does_not_shorten_the_next) {
  const auto brief = begin(seconds(10));
  end(brief);
  ClientRequest usual;
  usual.node = node.destination;
  usual.path = test::path_of("/public/notes/a");
  const auto id = mine.begin(world, Operation::get, usual);
  EXPECT_EQ(end(id), seconds(15));
}

TEST_F(Patience, shows_that_it_waits_for_the_answer_once_all_is_sent) {
  node.start(world);
  upload = test::random_bytes(300'000, 1);
  std::size_t asked = 0;
  node.answers = [&](const Seen&) {
    ++asked;
    return std::nullopt;
  };
  const auto id = begin(seconds(5), Operation::put);
  end(id);
  EXPECT_EQ(asked, 1U);
  EXPECT_NE(failure(id).find("did not answer within 5 s"), std::string::npos) << failure(id);
}

}  // namespace
}  // namespace meshstow::node
