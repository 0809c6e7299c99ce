// Announces, paths, single packets, between endpoints.
#include <gtest/gtest.h>

#include "reticulum/announce.hpp"
#include "reticulum/link_table.hpp"
#include "reticulum/network_for_test.hpp"
#include "reticulum/packet.hpp"
#include "reticulum/path_requests.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart = TimePoint{} + std::chrono::hours(1);
const DestinationHash kSomebody = plain_destination_hash("somebody");

// Everything an endpoint wants to send at present.
std::vector<Transmit> transmits(Endpoint& endpoint) {
  std::vector<Transmit> out;
  while (true) {
    Output output = endpoint.poll();
    if (std::holds_alternative<Deadline>(output)) return out;
    if (auto* transmit = std::get_if<Transmit>(&output)) out.push_back(std::move(*transmit));
  }
}

// An announce, and the turn in which it is checked.
void hear(Endpoint& endpoint, Now now, InterfaceId from, ByteView packet) {
  endpoint.handle_packet(now, from, packet);
  endpoint.handle_deadline(now);
}

TimePoint next_deadline(Endpoint& endpoint) {
  while (true) {
    const Output output = endpoint.poll();
    if (const auto* deadline = std::get_if<Deadline>(&output)) return deadline->when;
  }
}

Bytes announce_of(const Identity& identity, std::uint64_t at, std::uint64_t seed = 1) {
  base::SeededRng rng(seed);
  return make_announce(identity, {.name = name_hash("remotestorage.node"),
                                  .random = announce_random(rng, at)})
      .value();
}

// As a relay passes it on.
Bytes relayed(ByteView announce, const Hash16& relay, std::uint8_t hops) {
  Packet packet = parse_packet(announce).value();
  packet.transport_id = relay;
  packet.in_transport = true;
  packet.hops = hops;
  return pack_packet(packet);
}

}  // namespace

TEST(Announces, are_heard_with_or_without_application_data) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  EXPECT_FALSE(pair.client.last<AnnounceHeard>().app_data);
  pair.server.endpoint.set_app_data(pair.server.destination, Bytes{1, 2, 3});
  ASSERT_TRUE(pair.server.endpoint.announce(pair.network.now(), pair.server.destination));
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<AnnounceHeard>() == 2; }));
  const auto heard = pair.client.last<AnnounceHeard>();
  EXPECT_EQ(heard.app_data, (Bytes{1, 2, 3}));
  EXPECT_EQ(heard.hops, 1);
  EXPECT_EQ(heard.name, name_hash("remotestorage.node"));
  EXPECT_EQ(heard.identity, pair.server.identity.public_identity());
  EXPECT_FALSE(heard.path_response);
  EXPECT_EQ(pair.client.endpoint.known(heard.destination)->app_data, (Bytes{1, 2, 3}));
}

TEST(Announces, move_forward_while_the_clock_stands_still_or_goes_back) {
  Pair pair;
  std::vector<std::uint64_t> times;
  pair.network.on_packet = [&](TestNode&, Bytes& packet) {
    times.push_back(announce_seconds(read_announce(parse_packet(packet).value())->random));
    return true;
  };
  for (const std::int64_t clock :
       std::initializer_list<std::int64_t>{4'102'444'800, 4'102'444'800, 0, -5, 1'800'000'000}) {
    pair.network.set_wall(base::wall_from_unix_seconds(clock));
    ASSERT_TRUE(pair.server.endpoint.announce(pair.network.now(), pair.server.destination));
    pair.network.run_for(milliseconds(10));
  }
  ASSERT_EQ(times.size(), 5U);
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GT(times[i], times[i - 1]);
  EXPECT_EQ(pair.client.count<AnnounceHeard>(), 5U);
}

TEST(Announces, a_whole_life_in_1970_and_one_in_2100) {
  for (const std::int64_t clock : std::initializer_list<std::int64_t>{0, 4'102'444'800}) {
    Pair pair;
    pair.network.set_wall(base::wall_from_unix_seconds(clock));
    ASSERT_TRUE(pair.ready());
    const auto sent =
        pair.client.endpoint.send_request(pair.network.now(), pair.link, "/x", Bytes{0xC0});
    ASSERT_TRUE(sent);
    ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<ContentDone>() == 1; }));
  }
}

TEST(Announces, a_repeated_one_is_one_event_and_our_own_is_none) {
  Pair pair;
  ASSERT_TRUE(pair.server.endpoint.announce(pair.network.now(), pair.server.destination));
  const auto sent = transmits(pair.server.endpoint);
  ASSERT_EQ(sent.size(), 1U);
  for (int i = 0; i < 3; ++i) {
    pair.client.endpoint.handle_packet(pair.network.now(), pair.wire, sent[0].packet);
    pair.server.endpoint.handle_packet(pair.network.now(), pair.wire, sent[0].packet);
  }
  pair.network.run_for(seconds(1));
  EXPECT_EQ(pair.client.count<AnnounceHeard>(), 1U);
  EXPECT_EQ(pair.server.count<AnnounceHeard>(), 0U);
}

TEST(Announces, that_are_tampered_with_leave_no_trace) {
  base::SeededRng rng(5);
  Endpoint endpoint(rng);
  const Now now{kStart, {}};
  endpoint.interface_up(now, 1, {});
  const Identity identity = Identity::generate(rng);
  const Bytes good = announce_of(identity, 100);
  for (std::size_t i = 2; i < good.size(); ++i) {
    if (i == 18) continue;  // the context byte is not signed
    Bytes bad = good;
    bad[i] ^= 0x10;
    hear(endpoint, now, 1, bad);
  }
  EXPECT_EQ(endpoint.counters().known_destinations, 0U);
  EXPECT_EQ(endpoint.counters().paths, 0U);
  hear(endpoint, now, 1, good);
  EXPECT_EQ(endpoint.counters().paths, 1U);
}

TEST(Paths, requests_are_answered_with_the_current_application_data) {
  Pair pair;
  pair.server.endpoint.set_app_data(pair.server.destination, Bytes{9});
  pair.client.endpoint.request_path(pair.network.now(), pair.server.destination);
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<PathFound>() == 1; }));
  EXPECT_EQ(pair.client.last<PathFound>().hops, 1);
  EXPECT_TRUE(pair.client.last<AnnounceHeard>().path_response);
  EXPECT_EQ(pair.client.last<AnnounceHeard>().app_data, Bytes{9});
  EXPECT_EQ(pair.client.endpoint.hops_to(pair.server.destination), 1);
}

TEST(Paths, a_request_nobody_answers_is_repeated_once_and_fails_after_fifteen_seconds) {
  Pair pair;
  pair.client.endpoint.request_path(pair.network.now(), kSomebody);
  pair.client.endpoint.request_path(pair.network.now(), kSomebody);  // not sent twice
  pair.network.run_for(milliseconds(14'900));
  EXPECT_EQ(pair.client.count<PathFailed>(), 0U);
  EXPECT_EQ(pair.network.packets_on_wire, 2U);
  pair.network.run_for(milliseconds(200));
  EXPECT_EQ(pair.network.packets_on_wire, 2U);
  EXPECT_EQ(pair.client.count<PathFailed>(), 1U);
  EXPECT_EQ(pair.client.last<PathFailed>().destination, kSomebody);
}

TEST(Paths, a_request_survives_the_loss_of_its_packet) {
  Pair pair;
  std::vector<Bytes> questions;
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    if (&from == &pair.client) questions.push_back(packet);
    return questions.size() > 1;
  };
  pair.client.endpoint.request_path(pair.network.now(), pair.server.destination);
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<PathFound>() == 1; }));
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_NE(questions[0], questions[1]);  // another tag, or it would be taken for a repeat
}

TEST(Paths, the_same_question_is_answered_once_and_only_where_it_was_asked) {
  Pair pair;
  pair.network.connect(pair.client, pair.server);
  Bytes question =
      base::concat({pair.server.destination.view(), pair.client.rng.bytes<16>().view()});
  const auto ask = [&](ByteView data, std::uint8_t hops = 0) {
    const Bytes packet = pack_packet({.destination_type = DestinationType::plain,
                                      .destination = path_request_destination(),
                                      .data = data,
                                      .hops = hops});
    pair.server.endpoint.handle_packet(pair.network.now(), pair.wire, packet);
    return transmits(pair.server.endpoint);
  };
  const auto answers = ask(question);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].interface, pair.wire);
  EXPECT_EQ(parse_packet(answers[0].packet)->context, PacketContext::path_response);
  EXPECT_TRUE(ask(question).empty());
  // With the transport id of a relay in the middle, it is another packet and the same question.
  const Bytes from_relay = base::concat(
      {ByteView(question).first(16), kSomebody.view(), ByteView(question).subspan(16)});
  EXPECT_TRUE(ask(from_relay).empty());
  EXPECT_TRUE(ask(ByteView(question).first(16)).empty());  // no tag
  question.back() ^= 1;
  EXPECT_TRUE(ask(question, 1).empty());  // came over a relay, which plain packets must not
  EXPECT_EQ(ask(question).size(), 1U);
}

TEST(Paths, beyond_the_first_hop_lead_through_a_relay) {
  base::SeededRng rng(5);
  Endpoint endpoint(rng);
  const Now now{kStart, {}};
  endpoint.interface_up(now, 1, {});
  endpoint.interface_up(now, 2, {});
  const Identity identity = Identity::generate(rng);
  const Hash16 relay = rng.bytes<16>();
  hear(endpoint, now, 2, relayed(announce_of(identity, 100), relay, 2));
  const auto destination = destination_hash("remotestorage.node", identity.hash());
  EXPECT_EQ(endpoint.hops_to(destination), 3);

  transmits(endpoint);
  const Now later{kStart + kRelaySettles, {}};
  ASSERT_TRUE(endpoint.open_link(later, destination));
  const auto sent = transmits(endpoint);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].interface, 2U);
  EXPECT_EQ(sent[0].packet[0], 0x52);
  EXPECT_EQ(sent[0].packet[1], 0);
  EXPECT_EQ(parse_packet(sent[0].packet)->transport_id, relay);
  EXPECT_EQ(parse_packet(sent[0].packet)->destination, destination);

  ASSERT_TRUE(endpoint.send_packet(now, destination, "remotestorage.node", Bytes{1}));
  EXPECT_EQ(transmits(endpoint).at(0).packet[0], 0x50);
}

TEST(Paths, are_used_once_the_relay_that_told_of_them_has_taken_them_itself) {
  base::SeededRng rng(5);
  Endpoint endpoint(rng);
  Now now{kStart, {}};
  endpoint.interface_up(now, 1, {});
  const Identity far = Identity::generate(rng);
  const Identity near = Identity::generate(rng);
  hear(endpoint, now, 1, relayed(announce_of(far, 100), rng.bytes<16>(), 0));
  hear(endpoint, now, 1, announce_of(near, 100));
  transmits(endpoint);

  ASSERT_TRUE(endpoint.open_link(now, destination_hash("remotestorage.node", near.hash())));
  EXPECT_EQ(transmits(endpoint).size(), 1U);  // nobody stands between
  ASSERT_TRUE(endpoint.open_link(now, destination_hash("remotestorage.node", far.hash())));
  EXPECT_TRUE(transmits(endpoint).empty());
  EXPECT_EQ(next_deadline(endpoint), kStart + kRelaySettles);
  now.mono += kRelaySettles;
  endpoint.handle_deadline(now);
  const auto sent = transmits(endpoint);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(parse_packet(sent[0].packet)->type, PacketType::link_request);
}

TEST(SharedInstance, relays_even_to_its_direct_neighbours_and_counts_no_hop_to_us) {
  base::SeededRng rng(5);
  Endpoint endpoint(rng);
  const Now now{kStart, {}};
  endpoint.interface_up(now, 1, {.shared_instance = true});
  const Hash16 server = rng.bytes<16>();
  const Identity neighbour = Identity::generate(rng);
  const Identity local = Identity::generate(rng);
  hear(endpoint, now, 1, relayed(announce_of(neighbour, 100), server, 1));
  hear(endpoint, now, 1, relayed(announce_of(local, 100), server, 0));
  const auto to_neighbour = destination_hash("remotestorage.node", neighbour.hash());
  const auto to_local = destination_hash("remotestorage.node", local.hash());
  EXPECT_EQ(endpoint.hops_to(to_neighbour), 1);
  EXPECT_EQ(endpoint.hops_to(to_local), 0);

  transmits(endpoint);
  const Now later{kStart + kRelaySettles, {}};
  ASSERT_TRUE(endpoint.open_link(later, to_neighbour));
  const auto first = transmits(endpoint);
  EXPECT_EQ(first.at(0).packet[0], 0x52);
  EXPECT_EQ(parse_packet(first.at(0).packet)->transport_id, server);
  ASSERT_TRUE(endpoint.open_link(later, to_local));
  EXPECT_EQ(transmits(endpoint).at(0).packet[0], 0x02);
}

TEST(SharedInstance, is_told_of_our_destinations_without_flooding_the_network) {
  base::SeededRng rng(5);
  Endpoint endpoint(rng);
  Now now{kStart, {}};
  endpoint.interface_up(now, 1, {.shared_instance = true});
  const Identity identity = Identity::generate(rng);
  endpoint.add_destination(now, identity, "remotestorage.node");
  EXPECT_TRUE(transmits(endpoint).empty());
  EXPECT_EQ(next_deadline(endpoint), kStart + milliseconds(250));
  now.mono += milliseconds(250);
  endpoint.handle_deadline(now);
  const auto told = transmits(endpoint);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(parse_packet(told[0].packet)->context, PacketContext::path_response);

  endpoint.interface_down(now, 1);
  endpoint.interface_up(now, 1, {.shared_instance = true});
  EXPECT_EQ(next_deadline(endpoint), now.mono + seconds(10));
}

TEST(SharedInstance, filters_duplicates_for_us) {
  Pair pair;
  pair.server.endpoint.interface_up(pair.network.now(), pair.wire, {.shared_instance = true});
  pair.network.run_for(seconds(1));
  ASSERT_TRUE(pair.client.endpoint.send_packet(pair.network.now(), pair.server.destination,
                                               "remotestorage.node", Bytes{1}));
  Bytes packet;
  pair.network.on_packet = [&](TestNode& from, Bytes& sent) {
    if (&from == &pair.client) packet = sent;
    return true;
  };
  pair.network.run_for(seconds(1));
  pair.server.endpoint.handle_packet(pair.network.now(), pair.wire, packet);
  pair.network.run_for(seconds(1));
  EXPECT_EQ(pair.server.count<PacketReceived>(), 2U);
  EXPECT_EQ(pair.server.endpoint.counters().dropped_duplicate, 0U);
}

TEST(SinglePackets, arrive_and_are_proved) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  const auto packet = pair.client.endpoint.send_packet(pair.network.now(), pair.server.destination,
                                                       "remotestorage.node", Bytes(383, 5));
  ASSERT_TRUE(packet);
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<PacketProved>() == 1; }));
  EXPECT_EQ(pair.server.last<PacketReceived>().plaintext, Bytes(383, 5));
  EXPECT_EQ(pair.client.last<PacketProved>().packet, *packet);
  EXPECT_EQ(pair.client.last<PacketProved>().round_trip, milliseconds(2));
  pair.network.run_for(seconds(60));
  EXPECT_EQ(pair.client.count<PacketUnproved>(), 0U);
}

TEST(SinglePackets, go_to_the_ratchet_that_was_announced) {
  base::SeededRng rng(3);
  DestinationOptions options;
  options.ratchets = {crypto::X25519Key::generate(rng), crypto::X25519Key::generate(rng)};
  Pair pair({}, options);
  ASSERT_TRUE(pair.meet());
  Bytes sealed;
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    if (&from == &pair.client) sealed = base::to_bytes(parse_packet(packet)->data);
    return true;
  };
  ASSERT_TRUE(pair.client.endpoint.send_packet(pair.network.now(), pair.server.destination,
                                               "remotestorage.node", Bytes{7}));
  ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<PacketReceived>() == 1; }));
  EXPECT_FALSE(pair.server.identity.decrypt(sealed));
  EXPECT_TRUE(pair.server.identity.decrypt(sealed, options.ratchets));
}

TEST(SinglePackets, that_are_too_long_misnamed_or_to_strangers_are_refused) {
  Pair pair;
  const Now now = pair.network.now();
  const auto send = [&](std::string_view name, std::size_t size) {
    return pair.client.endpoint.send_packet(now, pair.server.destination, name, Bytes(size))
        .error()
        .code;
  };
  EXPECT_EQ(send("remotestorage.node", 1), Errc::not_found);
  ASSERT_TRUE(pair.meet());
  EXPECT_EQ(send("remotestorage.node", 384), Errc::limit);
  EXPECT_EQ(send("remotestorage.nobody", 1), Errc::malformed);
}

TEST(SinglePackets, unproved_ones_are_reported_and_bounded) {
  DestinationOptions silent;
  silent.proves_packets = false;
  Pair pair({}, silent);
  ASSERT_TRUE(pair.meet());
  for (std::size_t i = 0; i < limits::kReceipts + 5; ++i) {
    ASSERT_TRUE(pair.client.endpoint.send_packet(pair.network.now(), pair.server.destination,
                                                 "remotestorage.node", Bytes{1}));
  }
  pair.network.run_for(seconds(1));
  EXPECT_EQ(pair.server.count<PacketReceived>(), limits::kReceipts + 5);
  EXPECT_EQ(pair.client.count<PacketUnproved>(), 5U);
  pair.network.run_for(seconds(20));
  EXPECT_EQ(pair.client.count<PacketUnproved>(), limits::kReceipts + 5);
}

}  // namespace meshstow::reticulum
