// The node as a whole: its start, its announces, the peers it hears.
#include "node/program_test_util.hpp"
#include "reticulum/announce.hpp"

namespace meshstow::node {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Home;
using test::Program;
using test::World;

protocol::Announcement last_announcement(const Program& program) {
  EXPECT_FALSE(program.announces.empty());
  const auto& announce = program.announces.back();
  EXPECT_TRUE(announce.app_data.has_value());
  return protocol::read_announcement(announce.app_data.value()).value();
}

TEST(StorageNode, announces_itself_with_what_a_storage_node_offers) {
  World world;
  Program program(2);
  world.join(program);
  Home home(1, 1'000'000);
  home.put(world, "/public/a", test::bytes_of("x"));
  home.start(world);
  ASSERT_TRUE(world.run([&] { return !program.announces.empty(); }, seconds(5)));
  ASSERT_EQ(home.all<Initialised>().size(), 1U);
  EXPECT_EQ(home.all<Initialised>()[0].destination, home.node->destination());

  const auto& announce = program.announces.back();
  EXPECT_EQ(announce.destination, home.node->destination());
  EXPECT_EQ(announce.identity.hash(), home.identities().device.hash());
  EXPECT_EQ(announce.destination,
            reticulum::destination_hash("remotestorage.node", announce.identity.hash()));
  EXPECT_GE(announce.app_data->size(), 24U);
  EXPECT_LE(announce.app_data->size(), 32U);
  const auto announcement = last_announcement(program);
  EXPECT_EQ(announcement.capabilities, std::vector<std::string>{"store"});
  const auto usage = home.usage(world);
  EXPECT_EQ(announcement.space_available, usage.space_left);
  EXPECT_EQ(announcement.fingerprint, usage.fingerprint);
}

TEST(StorageNode, answers_path_requests_with_what_is_so_now) {
  World world;
  Home home(1);
  home.start(world);
  world.run_for(seconds(5));
  Program program(2);
  program.identity = home.identities().owner;
  world.join(program);
  program.link_to(world, home, &program.identity);
  const auto before = last_announcement(program);
  EXPECT_EQ(program.ask(world, test::put("/public/a", "x")).verdict(), "200");
  world.run_for(seconds(3));

  Program later(3);
  world.join(later);
  later.link_to(world, home, nullptr);
  const auto after = last_announcement(later);
  EXPECT_NE(after.fingerprint, before.fingerprint);
  EXPECT_EQ(after.fingerprint, home.usage(world).fingerprint);
}

TEST(StorageNode, announces_hourly_and_after_an_interface_came_up_but_not_too_often) {
  World world;
  Program program(2);
  world.join(program);
  Home home(1);
  home.start(world);
  world.run_for(minutes(59));
  const std::size_t at_start = program.announces.size();
  EXPECT_GE(at_start, 1U);
  EXPECT_LE(at_start, 2U);
  world.run_for(hours(5));
  EXPECT_GE(program.announces.size(), at_start + 4);
  EXPECT_LE(program.announces.size(), at_start + 5);

  const std::size_t before = program.announces.size();
  world.disconnect(home);
  world.connect(home);
  world.run_for(seconds(30));
  EXPECT_EQ(program.announces.size(), before + 1);
  for (int i = 0; i < 200; ++i) {
    world.disconnect(home);
    world.connect(home);
    world.run_for(seconds(10));
  }
  EXPECT_LE(program.announces.size(), before + 10);
}

TEST(StorageNode, announces_at_once_when_the_first_interface_comes_up) {
  World world;
  Program program(2);
  world.join(program);
  Home home(1);
  home.node->initialise(world.now(home));
  world.settle(home);
  world.run_for(seconds(1));
  EXPECT_EQ(home.all<Initialised>().size(), 1U);
  world.join(home);
  EXPECT_TRUE(world.run([&] { return !program.announces.empty(); }, seconds(1)));
}

// RNS ignores for good a destination whose announces went back in time.
TEST(StorageNode, its_announces_never_go_back_in_time_whatever_the_clock_says_at_a_start) {
  World world;
  std::vector<std::uint64_t> times;
  world.jams = [&](const test::Participant&, ByteView raw) {
    const auto packet = reticulum::parse_packet(raw);
    if (!packet || packet->type != reticulum::PacketType::announce) return false;
    times.push_back(reticulum::announce_seconds(reticulum::read_announce(*packet)->random));
    return false;
  };
  Program program(2);
  world.join(program);
  Home home(1);
  home.start(world);
  const auto clock = [&] {
    return static_cast<std::uint64_t>(base::unix_seconds(world.now(home).wall));
  };
  const auto start_again = [&](Duration error) {
    home.wall_error = error;
    home.restart(world);
    for (int i = 0; i < 30; ++i) {  // answers count too
      program.endpoint.request_path(world.now(program), home.node->destination());
      world.settle(program);
      world.run_for(seconds(3));
    }
  };
  for (int i = 0; i < 5; ++i) start_again({});
  EXPECT_LE(times.back(), clock() + 15) << "restarts push it ahead of a clock that is right";
  for (int i = 0; i < 1000; ++i) {  // a crash loop
    home.restart(world);
    world.run_for(seconds(10));
  }
  EXPECT_LE(times.back(), clock() + 15);
  const Duration years = hours(24 * 365);
  for (const Duration error : {-50 * years, -50 * years, 20 * years, Duration{}, Duration{}}) {
    start_again(error);
    EXPECT_GE(base::unix_seconds(last_announcement(program).timestamp),
              static_cast<std::int64_t>(times.back()) - 120);
  }
  EXPECT_GT(times.size(), 100U);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end(), std::less_equal<>()));
}

TEST(StorageNode, does_not_announce_or_serve_as_a_mere_client) {
  World world;
  Program program(2);
  world.join(program);
  NodeOptions options;
  options.announces = false;
  Home home(1, {}, options);
  home.start(world);
  program.endpoint.request_path(world.now(program), home.node->destination());
  world.settle(program);
  world.run_for(hours(3));
  EXPECT_TRUE(program.announces.empty());
  EXPECT_FALSE(program.endpoint.known(home.node->destination()));
  EXPECT_EQ(home.all<Initialised>().size(), 1U);
}

TEST(StorageNode, lists_the_storage_nodes_it_hears_and_nothing_else) {
  World world;
  Home home(1);
  home.start(world);
  Home other(3);
  other.start(world);
  Program program(2);
  world.join(program);
  const auto chat =
      program.endpoint.add_destination(world.now(program), program.identity, "chat.room");
  const auto plain =
      program.endpoint.add_destination(world.now(program), program.identity, kDestinationName);
  program.endpoint.set_app_data(
      plain, test::bytes_of(R"({"type": "storage_node", "capabilities": ["store"],)"
                            R"( "space_available": 5, "timestamp": "2026-03-01T12:00:00"})"));
  ASSERT_TRUE(program.endpoint.announce(world.now(program), chat));
  world.settle(program);
  world.run_for(seconds(20));
  ASSERT_TRUE(program.endpoint.announce(world.now(program), plain));
  world.settle(program);
  world.run_for(seconds(1));

  const auto peers = home.node->peers();
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_EQ(peers[0].destination, plain);  // last heard first
  EXPECT_EQ(peers[0].identity, program.identity.hash());
  EXPECT_EQ(peers[0].hops, 1);
  ASSERT_TRUE(peers[0].announcement);
  EXPECT_EQ(peers[0].announcement->space_available, 5U);
  EXPECT_EQ(peers[0].announcement->capabilities, std::vector<std::string>{"store"});
  EXPECT_EQ(peers[1].destination, other.node->destination());
  EXPECT_GE(home.all<PeerHeard>().size(), 2U);
}

TEST(StorageNode, knows_a_peer_whose_announce_data_are_nonsense) {
  World world;
  Home home(1);
  home.start(world);
  Program program(2);
  world.join(program);
  const auto node =
      program.endpoint.add_destination(world.now(program), program.identity, kDestinationName);
  program.endpoint.set_app_data(node, test::bytes_of("\x93\xff\xff"));
  ASSERT_TRUE(program.endpoint.announce(world.now(program), node));
  world.settle(program);
  world.run_for(seconds(1));
  ASSERT_EQ(home.node->peers().size(), 1U);
  EXPECT_FALSE(home.node->peers()[0].announcement);
}

TEST(StorageNode, says_so_when_a_token_record_is_damaged) {
  World world;
  Home home(1);
  home.run(world, storage::PutRecord{test::bytes_of("token/12345678"), test::bytes_of("garbage")})
      .value();
  home.start(world);
  EXPECT_EQ(home.all<Initialised>().size(), 1U);
  ASSERT_EQ(home.all<TokenDamaged>().size(), 1U);
  const Bytes id = test::bytes_of("12345678");
  EXPECT_EQ(home.all<TokenDamaged>()[0].id, *access::TokenId::from(id));
}

TEST(StorageNode, does_not_start_when_nobody_knows_which_token_is_damaged) {
  World world;
  Home home(1);
  home.run(world, storage::PutRecord{test::bytes_of("token/123"), test::bytes_of("garbage")})
      .value();
  home.start(world);
  ASSERT_EQ(home.all<InitialiseFailed>().size(), 1U);
  EXPECT_EQ(home.all<InitialiseFailed>()[0].why.code, Errc::corrupt);
  EXPECT_TRUE(home.all<Initialised>().empty());
}

}  // namespace
}  // namespace meshstow::node
