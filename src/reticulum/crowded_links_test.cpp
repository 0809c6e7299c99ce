// What links hold, when many want it: segments coming in, answers that are not taken.
#include <gtest/gtest.h>

#include "base/mesh_limits.hpp"
#include "reticulum/fair_queue.hpp"
#include "reticulum/network_for_test.hpp"
#include "reticulum/packet.hpp"
#include "reticulum/shared_places.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMiB = 1024UL * 1024;

struct Item {
  int number = 0;
  [[nodiscard]] static std::size_t size() { return 10; }
};

// A server and two who are on connections of their own. The first takes part in links, and drops
// what it sends in one context but on the links that are spared.
struct Crowd {
  Crowd() {
    network.connect(crowd, server);
    network.connect(other, server);
    server.destination = server.endpoint.add_destination(
        network.now(), server.identity, "remotestorage.node", {.accepts_resources = true});
    EXPECT_TRUE(server.endpoint.announce(network.now(), server.destination));
    EXPECT_TRUE(network.run_until(
        [&] { return crowd.count<AnnounceHeard>() > 0 && other.count<AnnounceHeard>() > 0; }));
  }
  LinkId open(TestNode& from) {
    const auto link = from.endpoint.open_link(network.now(), server.destination).value();
    EXPECT_TRUE(network.run_until([&] { return server.endpoint.link_info(link).has_value(); }));
    return link;
  }
  void crowd_withholds(PacketContext context, std::optional<LinkId> spared = {}) {
    network.on_packet = [this, context, spared](TestNode& from, const Bytes& raw) {
      const auto packet = parse_packet(raw);
      return &from != &crowd || packet->context != context || packet->destination == spared;
    };
  }
  // Whatever is asked is answered with so many bytes.
  void answer_with(std::size_t size) {
    server.on_event = [this, size](const Event& event) {
      const auto* done = std::get_if<ContentDone>(&event);
      if (!done) return;
      const Content& content = server.contents.at(done->transfer);
      const auto sent =
          server.endpoint.respond(network.now(), content.started.link, content.started.request,
                                  packed_value(random_bytes(size)), false);
      sent ? ++answered : ++refused;
      last = sent ? Errc::internal : sent.error().code;
    };
  }
  void ask(TestNode& from, const LinkId& link, int times) {
    for (int i = 0; i < times; ++i) {
      EXPECT_TRUE(from.endpoint.send_request(network.now(), link, "/x",
                                             packed_value(random_bytes(8, ++asked))));
    }
    network.run_until([&] { return answered + refused >= static_cast<int>(asked); }, seconds(1));
  }

  TestNetwork network;
  TestNode& server = network.add();
  TestNode& crowd = network.add();
  TestNode& other = network.add();
  std::uint64_t asked = 0;
  int answered = 0, refused = 0;
  Errc last = Errc::internal;
};

}  // namespace

TEST(FairQueue, takes_one_of_each_interface_and_lane_in_turn) {
  FairQueue<Item> queue(100, 100);
  for (int i = 0; i < 3; ++i) queue.push(1, 0, {10 + i});
  queue.push(1, 5, {20});
  queue.push(2, 0, {30});
  std::vector<int> order;
  while (const auto turn = queue.pop()) order.push_back(turn->item.number);
  EXPECT_EQ(order, (std::vector<int>{20, 30, 10, 11, 12}));
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(FairQueue, the_longest_lane_loses_its_newest) {
  FairQueue<Item> queue(4, 6);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(queue.push(1, 0, {i}));
  EXPECT_FALSE(queue.push(1, 7, {3}));
  EXPECT_EQ(queue.push(1, 7, {4}), 1U);
  EXPECT_EQ(queue.size_of(1), 4U);
  EXPECT_FALSE(queue.push(2, 0, {5}));
  EXPECT_FALSE(queue.push(2, 0, {6}));
  EXPECT_EQ(queue.push(3, 0, {7}), 1U);
  EXPECT_EQ(queue.size(), 6U);
  EXPECT_EQ(queue.bytes(), 60U);
  queue.forget(2);
  EXPECT_EQ(queue.size(), 4U);
  EXPECT_EQ(queue.bytes(), 40U);
}

TEST(SharedPlaces, whoever_holds_most_gives_up_the_longest_untouched) {
  SharedPlaces<TransferId, std::hash<TransferId>> places;
  const TimePoint now = TimePoint{} + seconds(10);
  const Sharer many{.interface = 1};
  const Sharer few{.interface = 2};
  EXPECT_FALSE(places.first_to_go());
  for (TransferId i = 1; i <= 3; ++i) places.take(now, i, many);
  places.take(now, 9, few);
  EXPECT_EQ(places.first_to_go(), 1U);
  places.touch(now, 1);
  EXPECT_EQ(places.first_to_go(), 2U);
  EXPECT_EQ(places.to_go_for(now, few, 1, seconds(2)), 2U);
  // Of its own only what stands still.
  EXPECT_FALSE(places.to_go_for(now, many, 1, seconds(2)));
  EXPECT_EQ(places.to_go_for(now + seconds(2), many, 1, seconds(2)), 2U);
  places.set_weight(now, 9, few, 7);
  EXPECT_EQ(places.weight(), 10U);
  EXPECT_EQ(places.first_to_go(), 9U);
  for (TransferId i : {1, 2, 3, 9}) places.release(i);
  EXPECT_EQ(places.weight(), 0U);
  EXPECT_EQ(places.size(), 0U);
}

TEST(SharedPlaces, hops_decide_only_within_one_connection) {
  SharedPlaces<TransferId, std::hash<TransferId>> places;
  const TimePoint now{};
  TransferId next = 1;
  for (std::uint8_t hops = 1; hops <= 50; ++hops) {
    places.take(now, next++, {.interface = 1, .hops = hops});
  }
  const TransferId of_two = next;
  for (int i = 0; i < 2; ++i) places.take(now, next++, {.interface = 2, .hops = 1});
  places.take(now, next++, {.interface = 1, .hops = 7});
  EXPECT_EQ(places.first_to_go(), 7U);  // the first of the two at 7 hops
  EXPECT_NE(places.first_to_go(), of_two);
}

TEST(Crowd, of_segments_that_stand_still_leaves_room_for_others_and_for_tokens) {
  Crowd here;
  const LinkId with_token = here.open(here.crowd);
  ASSERT_TRUE(here.server.endpoint.favour(here.network.now(), with_token, Hash16{{7}}));
  here.crowd_withholds(PacketContext::resource_part, with_token);
  for (std::size_t i = 0; i < limits::kIncomingSegments + 8; ++i) {
    const LinkId link = here.open(here.crowd);
    ASSERT_TRUE(here.crowd.endpoint.send_resource(here.network.now(), link, random_bytes(100'000),
                                                  {}, false));
  }
  here.network.run_for(std::chrono::milliseconds(100));
  const auto counts = here.server.endpoint.statistics().transfers;
  EXPECT_EQ(counts.incoming, limits::kIncomingSegments);
  EXPECT_GE(counts.incoming_postponed, 8U);

  const Bytes data = random_bytes(100'000, 3);
  for (TestNode* from : {&here.other, &here.crowd}) {
    const LinkId link = from == &here.other ? here.open(here.other) : with_token;
    const std::size_t done = here.server.count<ContentDone>();
    ASSERT_TRUE(from->endpoint.send_resource(here.network.now(), link, data, {}, false));
    // No second try: it is taken as soon as it is offered.
    EXPECT_TRUE(here.network.run_until([&] { return here.server.count<ContentDone>() == done + 1; },
                                       std::chrono::milliseconds(500)));
  }
  EXPECT_EQ(here.server.endpoint.statistics().transfers.incoming_evicted, 1U);
  EXPECT_LE(here.server.endpoint.statistics().transfers.incoming, limits::kIncomingSegments + 1);
}

TEST(Crowd, of_answers_that_are_not_taken_is_bounded_on_one_link) {
  Crowd here;
  here.crowd_withholds(PacketContext::resource_part_request);
  here.answer_with(kMiB);
  const LinkId link = here.open(here.crowd);
  here.ask(here.crowd, link, 40);
  EXPECT_EQ(here.answered, static_cast<int>(limits::kOutgoingBytesPerLink / kMiB) - 1);
  EXPECT_EQ(here.last, Errc::limit);
  EXPECT_LE(here.server.endpoint.statistics().memory.outgoing, limits::kOutgoingBytesPerLink);
  // What fits a packet can still be said.
  here.answer_with(100);
  const int refused = here.refused;
  here.ask(here.crowd, link, 3);
  EXPECT_EQ(here.refused, refused);
  here.crowd.endpoint.close_link(here.network.now(), link);
  here.network.run_for(seconds(1));
  EXPECT_EQ(here.server.endpoint.statistics().memory.outgoing, 0U);
}

TEST(Crowd, of_answers_that_are_not_taken_gives_way_to_others) {
  Crowd here;
  here.crowd_withholds(PacketContext::resource_part_request);
  here.answer_with(kMiB);
  std::vector<LinkId> links;
  for (int i = 0; i < 6; ++i) {
    links.push_back(here.open(here.crowd));
    here.ask(here.crowd, links.back(), 15);
  }
  EXPECT_LE(here.server.endpoint.statistics().memory.outgoing, limits::kOutgoingBytes);
  EXPECT_GT(here.server.endpoint.statistics().memory.outgoing, limits::kOutgoingBytes - 2 * kMiB);
  EXPECT_GT(here.refused, 0);
  const LinkId honest = here.open(here.other);
  here.ask(here.other, honest, 1);
  EXPECT_TRUE(here.network.run_until([&] { return here.other.count<ContentDone>() == 1; }));
  EXPECT_EQ(here.server.endpoint.statistics().links.idlers_closed, 1U);
  EXPECT_FALSE(here.server.endpoint.link_info(links[0]));  // the longest idle
  EXPECT_LE(here.server.endpoint.statistics().memory.outgoing, limits::kOutgoingBytes);
}

}  // namespace meshstow::reticulum
