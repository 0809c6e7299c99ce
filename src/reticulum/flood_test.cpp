// Whoever floods an endpoint: what it holds stays below its bound, and honest peers are answered
// within so many turns. A turn is one handle_deadline(), after which a driver sees to all others.
#include <gtest/gtest.h>

#include "base/mesh_limits.hpp"
#include "reticulum/announce.hpp"
#include "reticulum/link_handshake.hpp"
#include "reticulum/network_for_test.hpp"
#include "reticulum/packet.hpp"
#include "reticulum/path_requests.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr InterfaceId kFlooded = 1;
constexpr InterfaceId kHonest = 2;
const Now kStart{TimePoint{} + std::chrono::hours(1), base::wall_from_unix_seconds(1'800'000'000)};
// An honest peer on another connection, or of whom somebody here waits to hear, has its turn after
// at most one of each other interface.
constexpr int kTurnsUntilHeard = 2;

// An endpoint whose turns the test counts.
class Flooded {
 public:
  explicit Flooded(std::size_t interfaces = 2) {
    for (InterfaceId id = 1; id <= interfaces; ++id) endpoint.interface_up(now, id, {});
    destination = endpoint.add_destination(now, own, "remotestorage.node");
  }

  void turn() {
    endpoint.handle_deadline(now);
    drain();
  }
  void drain() {
    for (Output output = endpoint.poll(); !std::holds_alternative<Deadline>(output);
         output = endpoint.poll()) {
      if (auto* transmit = std::get_if<Transmit>(&output)) sent.push_back(std::move(*transmit));
      if (auto* event = std::get_if<Event>(&output)) events.push_back(std::move(*event));
    }
  }
  template <class Done>
  int turns_until(const Done& done) {
    for (int turns = 0; turns < 100'000; ++turns) {
      if (done()) return turns;
      turn();
    }
    return 100'000;
  }

  Bytes announce(const Identity& identity) {
    return make_announce(identity, {.name = name_hash("remotestorage.node"),
                                    .random = announce_random(rng, ++seconds_)})
        .value();
  }
  // Another one each time, and its signature is wrong.
  Bytes forged_announce() {
    Bytes out = announce(stranger_);
    rng.fill(base::MutableByteView(out).last(32));
    return out;
  }
  Bytes link_request(std::uint8_t hops = 0) {
    const auto key = crypto::X25519Key::generate(rng);
    const Bytes data = pack_link_request({key.public_key(), {}, {}});
    return pack_packet(
        {.type = PacketType::link_request, .destination = destination, .data = data, .hops = hops});
  }
  bool heard(const Identity& identity) const {
    return std::any_of(events.begin(), events.end(), [&](const Event& event) {
      const auto* announce = std::get_if<AnnounceHeard>(&event);
      return announce && announce->identity == identity.public_identity();
    });
  }
  bool proved(InterfaceId to, const Bytes& request) const {
    const LinkId link = link_id_of(parse_packet(request).value());
    return std::any_of(sent.begin(), sent.end(), [&](const Transmit& transmit) {
      const auto packet = parse_packet(transmit.packet);
      return transmit.interface == to && packet->destination == link &&
             packet->context == PacketContext::link_request_proof;
    });
  }
  InterfaceStatistics statistics_of(InterfaceId id) const {
    return endpoint.statistics().interfaces.at(id - 1);
  }

  Now now = kStart;
  base::SeededRng rng{1};
  Identity own = Identity::generate(rng);
  Endpoint endpoint{rng};
  DestinationHash destination;
  std::vector<Transmit> sent;
  std::vector<Event> events;

 private:
  Identity stranger_ = Identity::generate(rng);
  std::uint64_t seconds_ = 1'800'000'000;
};

}  // namespace

// ---- Announces.

TEST(Floods, of_forged_announces_do_not_keep_a_neighbour_from_being_heard) {
  Flooded node;
  const Identity honest = Identity::generate(node.rng);
  for (int i = 0; i < 3000; ++i) {
    node.endpoint.handle_packet(node.now, kFlooded, node.forged_announce());
  }
  EXPECT_EQ(node.statistics_of(kFlooded).waiting, limits::kUncheckedPerInterface);
  EXPECT_EQ(node.statistics_of(kFlooded).announces_dropped, 3000 - limits::kUncheckedPerInterface);
  node.endpoint.handle_packet(node.now, kHonest, node.announce(honest));
  EXPECT_LE(node.turns_until([&] { return node.heard(honest); }), kTurnsUntilHeard);
  EXPECT_LE(node.statistics_of(kFlooded).announces_refused,
            kTurnsUntilHeard * limits::kChecksPerTurn);
}

TEST(Floods, of_announces_do_not_hold_up_one_that_somebody_here_waits_for) {
  Flooded node;
  const Identity wanted = Identity::generate(node.rng);
  for (int i = 0; i < 3000; ++i) {
    node.endpoint.handle_packet(node.now, kFlooded, node.forged_announce());
  }
  node.endpoint.request_path(node.now, destination_hash("remotestorage.node", wanted.hash()));
  node.endpoint.handle_packet(node.now, kFlooded, node.announce(wanted));
  EXPECT_LE(node.turns_until([&] { return node.heard(wanted); }), kTurnsUntilHeard);
}

TEST(Floods, of_announces_from_everywhere_are_held_within_one_bound) {
  constexpr std::size_t kFlooding = 20;
  Flooded node(kFlooding + 1);
  const Identity honest = Identity::generate(node.rng);
  node.endpoint.handle_packet(node.now, kFlooding + 1, node.announce(honest));
  for (int i = 0; i < 1000; ++i) {
    const Bytes forged = node.forged_announce();
    for (InterfaceId from = 1; from <= kFlooding; ++from) {
      node.endpoint.handle_packet(node.now, from, forged);
    }
  }
  std::size_t waiting = 0;
  for (const auto& each : node.endpoint.statistics().interfaces) waiting += each.waiting;
  EXPECT_EQ(waiting, limits::kUnchecked);
  EXPECT_LE(node.endpoint.statistics().memory.unchecked, limits::kUnchecked * kMtu);
  EXPECT_EQ(node.statistics_of(kFlooding + 1).announces_dropped, 0U);
  EXPECT_LE(node.turns_until([&] { return node.heard(honest); }), static_cast<int>(kFlooding) + 1);
}

TEST(Floods, of_repeats_cost_nothing) {
  Flooded node;
  const Bytes forged = node.forged_announce();
  const Identity honest = Identity::generate(node.rng);
  const Bytes good = node.announce(honest);
  node.endpoint.handle_packet(node.now, kFlooded, forged);
  node.endpoint.handle_packet(node.now, kFlooded, good);
  node.turns_until([&] { return node.statistics_of(kFlooded).waiting == 0; });
  for (int i = 0; i < 1000; ++i) {
    node.endpoint.handle_packet(node.now, kFlooded, forged);
    node.endpoint.handle_packet(node.now, kHonest, good);
  }
  EXPECT_EQ(node.statistics_of(kFlooded).waiting, 0U);
  EXPECT_EQ(node.statistics_of(kHonest).waiting, 0U);
  EXPECT_EQ(node.statistics_of(kFlooded).announces_repeated, 1000U);
  EXPECT_EQ(node.statistics_of(kHonest).announces_repeated, 1000U);
}

TEST(Floods, that_wait_while_the_interface_goes_go_with_it) {
  Flooded node;
  for (int i = 0; i < 100; ++i) {
    node.endpoint.handle_packet(node.now, kFlooded, node.forged_announce());
    node.endpoint.handle_packet(node.now, kFlooded, node.link_request());
  }
  node.endpoint.interface_down(node.now, kFlooded);
  EXPECT_EQ(node.endpoint.statistics().memory.unchecked, 0U);
  node.turn();
  EXPECT_EQ(node.endpoint.statistics().links.half_open, 0U);
}

TEST(Floods, of_announces_do_not_hold_up_links_and_path_requests) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  Flooded forger;
  for (int i = 0; i < 1000; ++i) {
    pair.server.endpoint.handle_packet(pair.network.now(), pair.wire, forger.forged_announce());
  }
  const auto refused = [&] {
    return pair.server.endpoint.statistics().interfaces.at(0).announces_refused;
  };
  const Bytes question =
      base::concat({pair.server.destination.view(), pair.client.rng.bytes<16>().view()});
  pair.server.endpoint.handle_packet(pair.network.now(), pair.wire,
                                     pack_packet({.destination_type = DestinationType::plain,
                                                  .destination = path_request_destination(),
                                                  .data = question}));
  const Output answer = pair.server.endpoint.poll();
  ASSERT_TRUE(std::holds_alternative<Transmit>(answer));
  EXPECT_EQ(parse_packet(std::get<Transmit>(answer).packet)->context, PacketContext::path_response);

  std::optional<std::uint64_t> refused_at_request;
  pair.server.on_event = [&](const Event& event) {
    if (std::holds_alternative<ContentDone>(event)) refused_at_request = refused();
  };
  const std::uint64_t before = refused();
  Bytes request;
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    if (&from == &pair.client && request.empty()) request = packet;
    return false;
  };
  ASSERT_TRUE(pair.client.endpoint.send_request(pair.network.now(), pair.link, "/x", Bytes{1}));
  pair.client.endpoint.handle_deadline(pair.network.now());
  const Output sent = pair.client.endpoint.poll();
  ASSERT_TRUE(std::holds_alternative<Transmit>(sent));
  // In the turn in which it comes.
  pair.server.endpoint.handle_packet(pair.network.now(), pair.wire,
                                     std::get<Transmit>(sent).packet);
  EXPECT_TRUE(std::holds_alternative<Event>(pair.server.endpoint.poll()));
  EXPECT_EQ(refused(), before);
}

// ---- Links.

TEST(Floods, of_link_requests_do_not_hold_up_those_of_others) {
  Flooded node;
  for (std::size_t i = 0; i < 2 * limits::kUncheckedPerInterface; ++i) {
    node.endpoint.handle_packet(node.now, kFlooded, node.link_request());
  }
  EXPECT_EQ(node.statistics_of(kFlooded).link_requests_dropped, limits::kUncheckedPerInterface);
  const Bytes elsewhere = node.link_request();
  const Bytes farther = node.link_request(3);
  node.endpoint.handle_packet(node.now, kHonest, elsewhere);
  node.endpoint.handle_packet(node.now, kFlooded, farther);
  EXPECT_LE(node.turns_until(
                [&] { return node.proved(kHonest, elsewhere) && node.proved(kFlooded, farther); }),
            2 * kTurnsUntilHeard);
}

TEST(Floods, of_half_open_links_push_out_only_one_another) {
  Flooded node;
  const Bytes first = node.link_request();
  node.endpoint.handle_packet(node.now, kHonest, first);
  node.turn();
  ASSERT_TRUE(node.proved(kHonest, first));
  for (std::size_t i = 0; i < 2 * limits::kHalfOpenLinks; ++i) {
    node.endpoint.handle_packet(node.now, kFlooded, node.link_request());
    node.turn();
  }
  const LinkStatistics links = node.endpoint.statistics().links;
  EXPECT_EQ(links.half_open, limits::kHalfOpenLinks);
  EXPECT_EQ(links.half_open_evicted, limits::kHalfOpenLinks + 1);
  const LinkId honest = link_id_of(parse_packet(first).value());
  const bool closed = std::any_of(node.sent.begin(), node.sent.end(), [&](const Transmit& sent) {
    const auto packet = parse_packet(sent.packet);
    return packet->destination == honest && packet->context == PacketContext::link_close;
  });
  EXPECT_FALSE(closed);
  // Our own part is not taken.
  const Identity other = Identity::generate(node.rng);
  node.endpoint.handle_packet(node.now, kHonest, node.announce(other));
  node.turns_until([&] { return node.heard(other); });
  EXPECT_TRUE(
      node.endpoint.open_link(node.now, destination_hash("remotestorage.node", other.hash())));
}

// A server, one who opens as many links as the table of strangers holds, and one who opens a few.
struct FullTable {
  FullTable() {
    wire = network.connect(flooder, server);
    network.connect(honest, server);
    server.destination =
        server.endpoint.add_destination(network.now(), server.identity, "remotestorage.node");
    EXPECT_TRUE(server.endpoint.announce(network.now(), server.destination));
    EXPECT_TRUE(network.run_until(
        [&] { return flooder.count<AnnounceHeard>() > 0 && honest.count<AnnounceHeard>() > 0; }));
  }
  LinkId open(TestNode& from) {
    const auto link = from.endpoint.open_link(network.now(), server.destination).value();
    EXPECT_TRUE(network.run_until([&] { return server.endpoint.link_info(link).has_value(); }));
    return link;
  }

  TestNetwork network;
  TestNode& server = network.add();
  TestNode& flooder = network.add();
  TestNode& honest = network.add();
  InterfaceId wire = 0;
};

TEST(Floods, of_links_push_out_neither_links_of_others_nor_those_with_a_token) {
  FullTable table;
  auto& server = table.server.endpoint;
  const LinkId with_token = table.open(table.flooder);
  ASSERT_TRUE(server.favour(table.network.now(), with_token, Hash16{{7}}));
  const LinkId early = table.open(table.honest);
  std::vector<LinkId> flood;
  for (std::size_t i = 1; i < limits::kAnonymousLinks; ++i) {
    flood.push_back(table.open(table.flooder));
  }
  EXPECT_EQ(server.statistics().links.anonymous, limits::kAnonymousLinks);
  std::vector<LinkId> others{early};
  for (int i = 0; i < 20; ++i) others.push_back(table.open(table.honest));
  const LinkStatistics links = server.statistics().links;
  EXPECT_EQ(links.anonymous, limits::kAnonymousLinks);
  EXPECT_EQ(links.favoured, 1U);
  EXPECT_EQ(links.anonymous_evicted, 20U);
  EXPECT_TRUE(server.link_info(with_token));
  for (const LinkId& link : others) EXPECT_TRUE(server.link_info(link));
  // The longest unused went first.
  for (std::size_t i = 0; i < flood.size(); ++i) {
    EXPECT_EQ(server.link_info(flood[i]).has_value(), i >= 20) << i;
  }
}

TEST(Floods, of_links_with_one_token_push_out_only_their_own) {
  FullTable table;
  auto& server = table.server.endpoint;
  const LinkId other_token = table.open(table.flooder);
  ASSERT_TRUE(server.favour(table.network.now(), other_token, Hash16{{7}}));
  const Hash16 narrow{{8}};
  for (TestNode* node : {&table.flooder, &table.honest}) {
    for (std::size_t i = 0; i < limits::kFavouredLinks / 2 + 10; ++i) {
      ASSERT_TRUE(server.favour(table.network.now(), table.open(*node), narrow));
    }
  }
  const LinkStatistics links = server.statistics().links;
  EXPECT_EQ(links.favoured, limits::kFavouredLinks);
  EXPECT_EQ(links.favoured_evicted, 21U);
  EXPECT_TRUE(server.link_info(other_token));
}

TEST(Floods, of_keepalives_do_not_make_a_link_used) {
  FullTable table;
  auto& server = table.server.endpoint;
  const LinkId idle = table.open(table.flooder);
  const LinkId busy = table.open(table.flooder);
  table.network.run_for(seconds(30));  // keepalives every few seconds on both
  ASSERT_TRUE(table.flooder.endpoint.send_data(table.network.now(), busy, Bytes{1}));
  table.network.run_for(seconds(30));
  for (std::size_t i = 2; i < limits::kAnonymousLinks; ++i) table.open(table.flooder);
  table.open(table.honest);
  EXPECT_FALSE(server.link_info(idle));
  EXPECT_TRUE(server.link_info(busy));
}

}  // namespace meshstow::reticulum
