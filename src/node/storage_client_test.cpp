// Our client against our node, and against a world that loses things.
#include "node/client_links.hpp"
#include "node/program_test_util.hpp"
#include "protocol/folder_description.hpp"
#include "reticulum/packet.hpp"

namespace meshstow::node {
namespace {

using protocol::Operation;
using protocol::StoreCode;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Followed;
using test::Home;
using test::World;

class StorageClient : public testing::Test {
 protected:
  void SetUp() override {
    node.start(world);
    mine.start(world);
  }
  Followed put(std::string_view path, Bytes body, std::string token = {}) {
    return mine.ask(world, Operation::put, node, path, std::move(body), std::move(token));
  }
  Followed get(std::string_view path, std::string token = {}) {
    return mine.ask(world, Operation::get, node, path, {}, std::move(token));
  }
  std::string token(std::string_view scope) { return node.issue(world, scope); }

  World world;
  Home node{1};
  Home mine{2};
};

TEST_F(StorageClient, puts_gets_lists_and_removes) {
  const std::string rw = token("n:rw");
  const Followed written = put("/public/n/a", test::bytes_of("hello"), rw);
  ASSERT_TRUE(written.done) << written.failed->error.message;
  EXPECT_EQ(written.status(), 200);
  EXPECT_EQ(written.bodies_wanted_from_0, 1U);
  EXPECT_TRUE(written.stages.contains(ClientStage::finding_path));
  EXPECT_TRUE(written.stages.contains(ClientStage::linking));
  EXPECT_TRUE(written.stages.contains(ClientStage::asking));

  const Followed read = get("/public/n/a");
  EXPECT_EQ(read.received, test::bytes_of("hello"));
  EXPECT_EQ(read.answer->headers.content_type, "text/x-test");
  EXPECT_EQ(read.answer->headers.etag, written.answer->headers.etag);

  const Followed listing = get("/public/n/", rw);
  const auto items = protocol::read_folder_description(base::as_text(listing.received));
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 1U);
  EXPECT_EQ(items->front().name, "a");

  const Followed dropped = mine.ask(world, Operation::remove, node, "/public/n/a", {}, rw);
  EXPECT_EQ(dropped.status(), 200);
  const Followed gone = get("/public/n/a");
  ASSERT_TRUE(gone.failed);
  EXPECT_TRUE(gone.failed->answered);
  EXPECT_EQ(gone.failed->error.code, StoreCode::path_not_found);
}

TEST_F(StorageClient, shares_one_link_and_closes_it_when_it_is_idle) {
  const std::string rw = token("n:rw");
  put("/public/n/a", test::bytes_of("1"), rw);
  put("/public/n/b", test::bytes_of("2"), rw);
  get("/public/n/a");
  EXPECT_EQ(mine.node->endpoint().counters().links, 1U);
  EXPECT_EQ(node.node->endpoint().counters().links, 1U);
  world.run_for(minutes(2));
  EXPECT_EQ(mine.node->endpoint().counters().links, 0U);
  EXPECT_EQ(node.node->endpoint().counters().links, 0U);
  EXPECT_EQ(get("/public/n/a").received, test::bytes_of("1"));
}

TEST_F(StorageClient, stays_unidentified_where_anybody_may_read) {
  node.put(world, "/public/a", test::bytes_of("x"));
  mine.node->client().add_token(token("*:rw"));
  EXPECT_EQ(get("/public/a").received, test::bytes_of("x"));
  // A token from the wallet makes it identify, on the same link.
  EXPECT_EQ(get("/public/").status(), 200);
  EXPECT_EQ(mine.node->endpoint().counters().links, 1U);
}

TEST_F(StorageClient, says_when_it_is_let_in_and_cannot_open_what_it_gets) {
  node.put(world, "/private/n/a", test::random_bytes(100'000, 5));
  const Followed read = get("/private/n/a", token("n:r"));
  ASSERT_TRUE(read.failed);
  EXPECT_FALSE(read.failed->answered);
  EXPECT_EQ(read.failed->why.code, Errc::denied);
  EXPECT_NE(read.failed->error.message.find("key that this home does not hold"), std::string::npos);
}

TEST_F(StorageClient, seals_ten_megabytes_for_its_own_space_and_opens_what_comes_back) {
  // Equal seeds: the same owner, device and key, as a command beside a node of the same home has.
  World other;
  Home own_node(7);
  own_node.start(other);
  NodeOptions options;
  options.announces = false;
  Home client(7, {}, options);
  client.start(other);
  const Bytes large = test::random_bytes(10'000'000, 5);
  const Followed written = client.ask(other, Operation::put, own_node, "/private/n/big", large);
  ASSERT_TRUE(written.done) << written.failed->error.message;
  EXPECT_EQ(written.bodies_wanted_from_0, 2U);
  EXPECT_TRUE(written.stages.contains(ClientStage::sending));
  EXPECT_TRUE(own_node.get(other, "/private/n/big") == large);
  const Followed read = client.ask(other, Operation::get, own_node, "/private/n/big");
  ASSERT_TRUE(read.done) << read.failed->error.message;
  EXPECT_TRUE(read.received == large);
  EXPECT_TRUE(read.stages.contains(ClientStage::receiving));
  EXPECT_EQ(read.answer->headers.content_length, "10000000");
  const Followed listing = client.ask(other, Operation::get, own_node, "/private/n/");
  const auto items = protocol::read_folder_description(base::as_text(listing.received));
  ASSERT_TRUE(items);
  EXPECT_EQ(items->front().name, "big");
}

TEST_F(StorageClient, fetches_and_sends_large_public_documents) {
  const Bytes large = test::random_bytes(3'000'000, 6);
  const std::string rw = token("n:rw");
  const Followed written = put("/public/n/big", large, rw);
  ASSERT_TRUE(written.done) << written.failed->error.message;
  EXPECT_TRUE(node.get(world, "/public/n/big") == large);
  EXPECT_TRUE(get("/public/n/big").received == large);
}

TEST_F(StorageClient, says_what_is_wrong_when_there_is_no_way) {
  Home absent(9);
  absent.identities();
  const Followed lost = mine.ask(world, Operation::get, absent, "/public/a");
  ASSERT_TRUE(lost.failed);
  EXPECT_FALSE(lost.failed->answered);
  EXPECT_EQ(lost.failed->why.code, Errc::not_found);
  EXPECT_NE(lost.failed->error.message.find("no path to <"), std::string::npos);

  get("/public/none");
  world.disconnect(node);
  world.run_for(minutes(5));
  const Followed silent = get("/public/a");
  ASSERT_TRUE(silent.failed);
  EXPECT_FALSE(silent.failed->answered);
}

TEST_F(StorageClient, tries_a_link_that_nobody_answers_again_with_another_packet) {
  node.put(world, "/public/a", test::bytes_of("x"));
  std::vector<Bytes> requests;
  world.jams = [&](const test::Participant& sender, ByteView packet) {
    const auto parsed = reticulum::parse_packet(packet).value();
    if (&sender != &mine || parsed.type != reticulum::PacketType::link_request) return false;
    requests.emplace_back(packet.begin(), packet.end());
    return requests.size() < kLinkTries;
  };
  EXPECT_EQ(get("/public/a").received, test::bytes_of("x"));
  ASSERT_EQ(requests.size(), std::size_t{kLinkTries});
  EXPECT_NE(requests[0], requests[1]);  // a relay would drop what it has seen
  EXPECT_NE(requests[1], requests[2]);
}

TEST_F(StorageClient, gives_up_a_link_after_its_tries) {
  node.put(world, "/public/a", test::bytes_of("x"));
  int requests = 0;
  world.jams = [&](const test::Participant& sender, ByteView packet) {
    const bool asks = &sender == &mine && reticulum::parse_packet(packet).value().type ==
                                              reticulum::PacketType::link_request;
    requests += asks ? 1 : 0;
    return asks;
  };
  const Followed silent = get("/public/a");
  ASSERT_TRUE(silent.failed);
  EXPECT_EQ(silent.failed->why.code, Errc::timed_out);
  EXPECT_NE(silent.failed->error.message.find("does not answer"), std::string::npos);
  EXPECT_EQ(requests, kLinkTries);
}

TEST_F(StorageClient, waits_for_the_first_interface) {
  Home late(5);
  late.node->initialise(world.now(late));
  late.drain(world);
  ClientRequest request;
  request.node = node.node->destination();
  request.path = test::path_of("/public/none");
  const auto id = late.begin(world, Operation::get, request);
  world.run_for(seconds(5));
  EXPECT_FALSE(late.operations[id].ended());
  world.join(late);
  ASSERT_TRUE(world.run([&] { return late.operations[id].ended(); }));
  EXPECT_TRUE(late.operations[id].failed->answered);
}

TEST_F(StorageClient, asks_again_when_answers_are_lost_and_is_not_served_twice) {
  const std::string rw = token("n:rw");
  ASSERT_TRUE(put("/public/n/a", test::bytes_of("1"), rw).done);
  const std::size_t before = node.all<DocumentChanged>().size();
  int lost = 0;
  world.jams = [&](const test::Participant& sender, ByteView) {
    return &sender == &node && node.all<DocumentChanged>().size() > before && lost++ < 1;
  };
  const Followed written = put("/public/n/a", test::bytes_of("2"), rw);
  EXPECT_TRUE(written.done);
  EXPECT_GE(lost, 1);
  EXPECT_EQ(node.all<DocumentChanged>().size(), before + 1);
}

TEST_F(StorageClient, identifies_again_when_the_first_was_lost) {
  node.put(world, "/public/a", test::bytes_of("x"));
  get("/public/a");  // an open link, nobody identified
  const std::string r = token("*:r");
  bool lost = false;
  world.jams = [&](const test::Participant& sender, ByteView) {
    return &sender == &mine && !std::exchange(lost, true);
  };
  const Followed listing = get("/public/", r);
  EXPECT_TRUE(lost);
  EXPECT_TRUE(listing.done) << listing.failed->error.message;
}

TEST_F(StorageClient, opens_a_new_link_to_a_node_that_was_restarted) {
  node.put(world, "/public/a", test::bytes_of("x"));
  EXPECT_EQ(get("/public/a").received, test::bytes_of("x"));
  node.restart(world);
  const Followed read = get("/public/a");
  EXPECT_TRUE(read.done) << read.failed->error.message;
  EXPECT_EQ(read.received, test::bytes_of("x"));
}

TEST_F(StorageClient, passes_conditions_and_refusals_on) {
  const std::string rw = token("n:rw");
  const std::string first =
      put("/public/n/a", test::bytes_of("1"), rw).answer->headers.etag.value();
  const Followed refused =
      mine.ask(world, Operation::put, node, "/public/n/a", test::bytes_of("2"), rw, "\"another\"");
  ASSERT_TRUE(refused.failed);
  EXPECT_TRUE(refused.failed->answered);
  EXPECT_EQ(refused.failed->error.code, StoreCode::sync_conflict);
  EXPECT_EQ(refused.failed->error.status, 412);
  const Followed done =
      mine.ask(world, Operation::put, node, "/public/n/a", test::bytes_of("2"), rw, first);
  EXPECT_TRUE(done.done);
  const Followed denied = put("/public/other/a", test::bytes_of("2"), rw);
  ASSERT_TRUE(denied.failed);
  EXPECT_EQ(denied.failed->error.code, StoreCode::access_denied);
  EXPECT_EQ(denied.failed->error.status, 403);

  ClientRequest request;
  request.node = node.node->destination();
  request.path = test::path_of("/public/n/a");
  request.if_none_match = done.answer->headers.etag.value();
  const auto id = mine.begin(world, Operation::get, request);
  ASSERT_TRUE(world.run([&] { return mine.operations[id].ended(); }));
  EXPECT_EQ(mine.operations[id].status(), 304);
  EXPECT_TRUE(mine.operations[id].received.empty());
}

TEST_F(StorageClient, fails_when_the_body_is_not_what_was_announced) {
  ClientRequest request;
  request.node = node.node->destination();
  request.path = test::path_of("/public/n/a");
  request.token = token("n:rw");
  const auto id = mine.begin(world, Operation::put, request, test::bytes_of("1234"));
  mine.operations[id].body = test::bytes_of("");  // and it ends at once
  ASSERT_TRUE(world.run([&] { return mine.operations[id].ended(); }));
  EXPECT_EQ(mine.operations[id].failed->why.code, Errc::malformed);
  EXPECT_FALSE(node.get(world, "/public/n/a"));
}

TEST_F(StorageClient, says_no_more_of_what_was_cancelled) {
  node.put(world, "/public/big", test::random_bytes(5'000'000, 1));
  ClientRequest request;
  request.node = node.node->destination();
  request.path = test::path_of("/public/big");
  const auto id = mine.begin(world, Operation::get, request);
  ASSERT_TRUE(world.run([&] { return !mine.operations[id].received.empty(); }));
  mine.node->client().cancel(world.now(mine), id);
  mine.operations.erase(id);
  world.settle(mine);
  world.run_for(seconds(30));
  EXPECT_FALSE(mine.operations.contains(id));
  EXPECT_EQ(get("/public/big").received.size(), 5'000'000U);
}

TEST_F(StorageClient, runs_many_operations_at_once) {
  const std::string rw = token("n:rw");
  std::vector<OperationId> ids;
  for (int i = 0; i < 100; ++i) {
    ClientRequest request;
    request.node = node.node->destination();
    request.path = test::path_of("/public/n/" + std::to_string(i));
    request.token = rw;
    ids.push_back(mine.begin(world, Operation::put, request, test::random_bytes(1000, 1)));
  }
  for (const auto id : ids) {
    ASSERT_TRUE(world.run([&] { return mine.operations[id].ended(); }));
    EXPECT_TRUE(mine.operations[id].done);
  }
  EXPECT_EQ(node.all<DocumentChanged>().size(), 100U);
  EXPECT_EQ(mine.node->endpoint().counters().links, 1U);
}

TEST_F(StorageClient, gets_tokens_from_the_wallet_or_issues_its_own) {
  auto& client = mine.node->client();
  const auto now = world.now(mine);
  const std::string foreign = token("storage:write:/shared/maps/");
  client.add_token(foreign);
  client.add_token("no token at all");
  EXPECT_EQ(client.get_token(now, "storage:read:/shared/maps/a.txt").value(), foreign);
  EXPECT_EQ(client.get_token(now, "storage:write:/shared/maps/").value(), foreign);
  const std::string own = client.get_token(now, "storage:write:/shared/").value();
  EXPECT_NE(own, foreign);
  const auto says = access::peek_token(own).value();
  EXPECT_EQ(says.holder, mine.identities().device.hash());
  EXPECT_TRUE(says.expires.has_value());
  EXPECT_EQ(client.get_token(now, "storage:write:/shared/").value(), own);
  EXPECT_EQ(client.get_token(now, "no scope").error().code, Errc::malformed);
  world.settle(mine);
  EXPECT_EQ(mine.node->tokens().list().size(), 1U);  // and it can be revoked
}

TEST_F(StorageClient, identifies_as_the_owner_where_the_token_is_for_the_owner) {
  node.put(world, "/shared/n/a", test::bytes_of("x"));
  const std::string for_owner =
      node.issue(world, "storage:read:/shared/n/", mine.identities().owner.hash());
  const Followed listing = get("/shared/n/", for_owner);
  ASSERT_TRUE(listing.failed);
  EXPECT_EQ(listing.failed->why.code, Errc::denied);  // let in; sealed with a key of another home
  EXPECT_FALSE(listing.failed->answered);
  const std::string wrong =
      node.issue(world, "storage:read:/shared/n/", node.identities().owner.hash());
  const Followed refused = get("/shared/n/", wrong);
  EXPECT_TRUE(refused.failed->answered);
  EXPECT_EQ(refused.failed->error.status, 403);
}

TEST_F(StorageClient, works_where_packets_are_lost_all_the_time) {
  base::SeededRng dice(77);
  world.jams = [&](const test::Participant&, ByteView) { return dice.below(10) == 0; };
  const std::string rw = token("n:rw");
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    const Followed each = put("/public/n/" + std::to_string(i), test::random_bytes(3000, 1), rw);
    done += each.done ? 1 : 0;
    if (each.done) {
      EXPECT_TRUE(node.get(world, "/public/n/" + std::to_string(i)));
    }
  }
  EXPECT_GE(done, 18);
}

}  // namespace
}  // namespace meshstow::node
