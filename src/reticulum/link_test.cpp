// Links between two endpoints in virtual time.
#include <gtest/gtest.h>

#include "base/mesh_limits.hpp"
#include "reticulum/link_handshake.hpp"
#include "reticulum/link_life.hpp"
#include "reticulum/link_table.hpp"
#include "reticulum/network_for_test.hpp"
#include "reticulum/packet.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

PacketContext context_of(const Bytes& packet) { return parse_packet(packet).value().context; }

}  // namespace

TEST(Link, comes_up_on_both_sides_with_the_mtu_of_the_interface) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  const auto ours = pair.client.last<LinkEstablished>();
  const auto theirs = pair.server.last<LinkEstablished>();
  EXPECT_EQ(ours.link, pair.link);
  EXPECT_EQ(theirs.link, pair.link);
  EXPECT_FALSE(ours.incoming);
  EXPECT_TRUE(theirs.incoming);
  EXPECT_EQ(ours.mtu, 8192U);
  EXPECT_EQ(theirs.mtu, 8192U);
  EXPECT_EQ(ours.destination, pair.server.destination);
  EXPECT_EQ(theirs.destination, pair.server.destination);
  EXPECT_EQ(ours.round_trip, milliseconds(2));
}

TEST(Link, stays_at_500_bytes_where_the_interface_cannot_do_more) {
  WireOptions options;
  options.interface.hardware_mtu = 1064;
  options.interface.raises_link_mtu = false;
  Pair pair(options);
  ASSERT_TRUE(pair.ready());
  EXPECT_EQ(pair.client.last<LinkEstablished>().mtu, 500U);
  EXPECT_EQ(pair.server.last<LinkEstablished>().mtu, 500U);
}

TEST(Link, takes_the_smaller_of_two_unequal_interfaces) {
  Pair pair;
  InterfaceInfo narrow;
  narrow.hardware_mtu = 1196;
  pair.server.endpoint.interface_up(pair.network.now(), pair.wire, narrow);
  ASSERT_TRUE(pair.ready());
  EXPECT_EQ(pair.client.last<LinkEstablished>().mtu, 1196U);
  EXPECT_EQ(pair.server.last<LinkEstablished>().mtu, 1196U);
}

TEST(Link, shows_the_clients_identity_once_it_identifies) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  EXPECT_FALSE(pair.server.endpoint.remote_identity(pair.link));
  ASSERT_TRUE(pair.client.endpoint.identify(pair.network.now(), pair.link, pair.client.identity));
  ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<LinkIdentified>() == 1; }));
  EXPECT_EQ(pair.server.endpoint.remote_identity(pair.link)->hash(), pair.client.identity.hash());

  // The first identity stays, whatever comes after it.
  ASSERT_TRUE(pair.client.endpoint.identify(pair.network.now(), pair.link, pair.server.identity));
  pair.network.run_for(seconds(1));
  EXPECT_EQ(pair.server.count<LinkIdentified>(), 1U);
  EXPECT_EQ(pair.server.endpoint.remote_identity(pair.link)->hash(), pair.client.identity.hash());
}

TEST(Link, does_not_let_the_server_identify_itself) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  EXPECT_EQ(pair.server.endpoint.identify(pair.network.now(), pair.link, pair.server.identity)
                .error()
                .code,
            Errc::denied);
}

TEST(Link, carries_data_both_ways_and_proves_what_the_server_got) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  int proofs = 0;
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    const auto parsed = parse_packet(packet).value();
    if (parsed.type == PacketType::proof && &from == &pair.server) {
      ++proofs;
      EXPECT_EQ(packet[0], 0x0F);
      EXPECT_EQ(parsed.data.size(), 96U);
      EXPECT_TRUE(pair.server.identity.public_identity().verify(
          parsed.data.first(32), Signature::prefix_of(parsed.data.subspan(32))));
    }
    return true;
  };
  const Bytes hello = base::to_bytes(base::as_bytes("hello"));
  ASSERT_TRUE(pair.client.endpoint.send_data(pair.network.now(), pair.link, hello));
  ASSERT_TRUE(pair.server.endpoint.send_data(pair.network.now(), pair.link, hello));
  ASSERT_TRUE(pair.network.run_until(
      [&] { return pair.server.count<LinkData>() == 1 && pair.client.count<LinkData>() == 1; }));
  EXPECT_EQ(pair.server.last<LinkData>().plaintext, hello);
  EXPECT_EQ(proofs, 1);
  EXPECT_EQ(pair.client.endpoint.send_data(pair.network.now(), pair.link, Bytes(8112)).error().code,
            Errc::limit);
}

TEST(Link, tells_the_other_side_when_it_is_closed) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  pair.client.endpoint.close_link(pair.network.now(), pair.link);
  ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<LinkClosed>() == 1; }));
  EXPECT_EQ(pair.client.last<LinkClosed>().reason, CloseReason::local);
  EXPECT_EQ(pair.server.last<LinkClosed>().reason, CloseReason::remote);
  EXPECT_FALSE(pair.client.endpoint.link_info(pair.link));
  EXPECT_EQ(pair.server.endpoint.counters().links, 0U);
  EXPECT_EQ(pair.client.endpoint.send_data(pair.network.now(), pair.link, Bytes(1)).error().code,
            Errc::not_found);
}

TEST(Link, is_closed_with_all_others_before_the_end) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  pair.server.endpoint.close_all_links(pair.network.now());
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<LinkClosed>() == 1; }));
  EXPECT_EQ(pair.client.last<LinkClosed>().reason, CloseReason::remote);
  EXPECT_EQ(pair.server.endpoint.counters().links, 0U);
}

TEST(Link, lives_on_keepalives_alone) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  int asked = 0;
  int answered = 0;
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    if (context_of(packet) == PacketContext::keepalive) {
      (&from == &pair.client ? asked : answered)++;
      EXPECT_EQ(packet.back(), &from == &pair.client ? 0xFF : 0xFE);
    }
    return true;
  };
  pair.network.run_for(seconds(600));
  EXPECT_EQ(pair.client.count<LinkClosed>(), 0U);
  EXPECT_EQ(pair.server.count<LinkClosed>(), 0U);
  EXPECT_NEAR(asked, 120, 2);
  EXPECT_GE(answered, asked / 2);
}

TEST(Link, is_closed_by_both_sides_when_the_wire_goes_silent) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  pair.network.wire(pair.wire).loss = 1;
  pair.network.run_for(seconds(14));  // two intervals of 5 s, and most of the grace
  EXPECT_EQ(pair.client.count<LinkClosed>(), 0U);
  pair.network.run_for(seconds(6));
  EXPECT_EQ(pair.client.last<LinkClosed>().reason, CloseReason::timed_out);
  EXPECT_EQ(pair.server.last<LinkClosed>().reason, CloseReason::timed_out);
}

TEST(Link, recovers_from_a_silence_shorter_than_the_grace) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  pair.network.wire(pair.wire).loss = 1;
  pair.network.run_for(milliseconds(9'500));
  pair.network.wire(pair.wire).loss = 0;
  pair.network.run_for(seconds(60));
  EXPECT_EQ(pair.client.count<LinkClosed>(), 0U);
  EXPECT_EQ(pair.server.count<LinkClosed>(), 0U);
}

TEST(Link, refuses_a_proof_signed_by_another_identity) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  base::SeededRng rng(99);
  const Identity stranger = Identity::generate(rng);
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    const auto parsed = parse_packet(packet).value();
    if (&from == &pair.server && parsed.context == PacketContext::link_request_proof) {
      const Bytes forged = make_link_proof(stranger, parsed.destination,
                                           {crypto::X25519Key::generate(rng).public_key(), 8192});
      std::copy(forged.begin(), forged.end(), packet.begin() + kHeader1Size);
    }
    return true;
  };
  const auto link =
      pair.client.endpoint.open_link(pair.network.now(), pair.server.destination).value();
  pair.network.run_for(seconds(60));
  EXPECT_EQ(pair.client.count<LinkEstablished>(), 0U);
  EXPECT_EQ(pair.client.last<LinkClosed>().link, link);
  EXPECT_EQ(pair.client.last<LinkClosed>().reason, CloseReason::timed_out);
}

TEST(Link, forgets_the_path_when_nobody_answers_and_never_repeats_a_packet) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  std::vector<Bytes> requests;
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    const auto parsed = parse_packet(packet).value();
    if (&from != &pair.client || parsed.type != PacketType::link_request) return true;
    requests.push_back(packet);
    return requests.size() > 1;  // the first one is lost
  };
  pair.client.endpoint.open_link(pair.network.now(), pair.server.destination).value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<LinkClosed>() == 1; }));
  EXPECT_EQ(pair.client.last<LinkClosed>().reason, CloseReason::timed_out);
  EXPECT_FALSE(pair.client.endpoint.hops_to(pair.server.destination));
  EXPECT_TRUE(pair.link_up());  // asks for the path by itself
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_NE(requests[0], requests[1]);
}

TEST(Link, needs_a_known_identity) {
  Pair pair;
  EXPECT_EQ(
      pair.client.endpoint.open_link(pair.network.now(), pair.server.destination).error().code,
      Errc::not_found);
}

TEST(Link, finds_the_path_by_itself_when_only_the_identity_is_known) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  TestNode& restarted = pair.network.add();
  ASSERT_TRUE(restarted.endpoint.import_known(pair.client.endpoint.take_known_changes(1)));
  const InterfaceId wire = pair.network.connect(restarted, pair.server);
  (void)wire;
  EXPECT_FALSE(restarted.endpoint.hops_to(pair.server.destination));
  const auto link =
      restarted.endpoint.open_link(pair.network.now(), pair.server.destination).value();
  ASSERT_TRUE(pair.network.run_until([&] { return restarted.count<LinkEstablished>() == 1; }));
  EXPECT_EQ(restarted.last<LinkEstablished>().link, link);
  EXPECT_EQ(restarted.count<PathFound>(), 0U);  // nobody asked for that
}

TEST(Link, says_that_there_is_no_path) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  pair.network.cut(pair.wire);
  const auto link =
      pair.client.endpoint.open_link(pair.network.now(), pair.server.destination).value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<LinkClosed>() == 1; }));
  EXPECT_EQ(pair.client.last<LinkClosed>().link, link);
  EXPECT_EQ(pair.client.last<LinkClosed>().reason, CloseReason::no_path);
}

TEST(Link, serves_nothing_before_the_round_trip_packet_and_loses_nothing_by_it) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  Bytes held;
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    if (&from == &pair.client && context_of(packet) == PacketContext::link_rtt) {
      held = packet;
      return false;
    }
    return true;
  };
  const auto link =
      pair.client.endpoint.open_link(pair.network.now(), pair.server.destination).value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<LinkEstablished>() == 1; }));
  ASSERT_TRUE(pair.client.endpoint.send_request(pair.network.now(), link, "/x", Bytes{0xC0}));
  pair.network.run_for(seconds(1));
  EXPECT_TRUE(pair.server.contents.empty());
  pair.server.endpoint.handle_packet(pair.network.now(), pair.wire, held);
  pair.network.run_for(milliseconds(1));
  ASSERT_EQ(pair.server.contents.size(), 1U);
  const auto& events = pair.server.events;
  const auto established = std::find_if(events.begin(), events.end(), [](const Event& event) {
    return std::holds_alternative<LinkEstablished>(event);
  });
  const auto started = std::find_if(events.begin(), events.end(), [](const Event& event) {
    return std::holds_alternative<ContentStarted>(event);
  });
  EXPECT_LT(established, started);
}

TEST(Link, forgets_a_set_up_that_was_never_finished) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    return &from != &pair.client || context_of(packet) != PacketContext::link_rtt;
  };
  pair.client.endpoint.open_link(pair.network.now(), pair.server.destination).value();
  pair.network.run_for(seconds(5));
  EXPECT_EQ(pair.server.endpoint.counters().links, 1U);
  pair.network.run_for(seconds(370));
  EXPECT_EQ(pair.server.endpoint.counters().links, 0U);
  EXPECT_EQ(pair.server.count<LinkClosed>(), 0U);  // it had never been announced
}

TEST(Link, belongs_to_the_interface_it_came_up_on) {
  Pair pair;
  const InterfaceId other = pair.network.connect(pair.client, pair.server);
  ASSERT_TRUE(pair.ready());
  Bytes stolen;
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    if (&from == &pair.client) stolen = packet;
    return &from != &pair.client;
  };
  ASSERT_TRUE(pair.client.endpoint.send_data(pair.network.now(), pair.link, Bytes{1}));
  pair.network.run_for(milliseconds(10));
  pair.server.endpoint.handle_packet(pair.network.now(), other, stolen);
  pair.network.run_for(milliseconds(10));
  EXPECT_EQ(pair.server.count<LinkData>(), 0U);
  // And the copy from the wrong side does not make a duplicate of the right one.
  pair.server.endpoint.handle_packet(pair.network.now(), pair.wire, stolen);
  pair.network.run_for(milliseconds(10));
  EXPECT_EQ(pair.server.count<LinkData>(), 1U);
}

TEST(Link, is_closed_when_its_interface_is_lost) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  pair.network.cut(pair.wire);
  pair.network.run_for(seconds(1));
  EXPECT_EQ(pair.client.last<LinkClosed>().reason, CloseReason::interface_lost);
  EXPECT_EQ(pair.server.last<LinkClosed>().reason, CloseReason::interface_lost);
  EXPECT_FALSE(pair.client.endpoint.hops_to(pair.server.destination));
}

TEST(Link, is_refused_where_the_destination_takes_none) {
  DestinationOptions closed;
  closed.accepts_links = false;
  Pair pair({}, closed);
  ASSERT_TRUE(pair.meet());
  pair.client.endpoint.open_link(pair.network.now(), pair.server.destination).value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<LinkClosed>() == 1; }));
  EXPECT_EQ(pair.server.endpoint.counters().links, 0U);
}

TEST(Link, requests_that_come_together_are_all_answered_in_their_turn) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(pair.client.endpoint.open_link(pair.network.now(), pair.server.destination));
  }
  pair.network.run_for(milliseconds(500));
  EXPECT_EQ(pair.server.endpoint.counters().links, 300U);
  EXPECT_EQ(pair.client.count<LinkEstablished>(), 300U);
}

TEST(Link, set_ups_that_are_never_finished_do_not_keep_others_out) {
  Pair pair;
  ASSERT_TRUE(pair.meet());
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    const PacketContext context = context_of(packet);
    return &from != &pair.client ||
           (context != PacketContext::link_rtt && context != PacketContext::link_close);
  };
  for (std::size_t opened = 0; opened < 2 * limits::kHalfOpenLinks; opened += 100) {
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(pair.client.endpoint.open_link(pair.network.now(), pair.server.destination));
    }
    pair.network.run_for(seconds(1));
    pair.client.endpoint.close_all_links(pair.network.now());
  }
  EXPECT_LE(pair.server.endpoint.counters().links, limits::kHalfOpenLinks);
  pair.network.on_packet = nullptr;
  EXPECT_TRUE(pair.link_up());
}

TEST(Link, is_not_closed_by_a_close_packet_that_names_another_link) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  // A close packet is sealed: only the peer can make one, and it must say this link's id.
  Bytes forged = pack_packet({.destination_type = DestinationType::link,
                              .context = PacketContext::link_close,
                              .destination = pair.link,
                              .data = pair.link.view()});
  pair.server.endpoint.handle_packet(pair.network.now(), pair.wire, forged);
  pair.network.run_for(seconds(1));
  EXPECT_EQ(pair.server.count<LinkClosed>(), 0U);
}

TEST(LinkLife, interval_follows_the_round_trip) {
  const TimePoint start = TimePoint{} + seconds(100);
  LinkLife life;
  life.start(start, true, milliseconds(1));
  EXPECT_EQ(life.interval(), seconds(5));
  life.start(start, true, milliseconds(350));
  EXPECT_EQ(life.interval(), seconds(72));
  life.start(start, true, seconds(60));
  EXPECT_EQ(life.interval(), seconds(360));
}

TEST(LinkLife, the_responder_answers_only_when_it_was_silent_itself) {
  const TimePoint start = TimePoint{} + seconds(100);
  LinkLife life;
  life.start(start, false, milliseconds(1));
  EXPECT_FALSE(life.answers_keepalive(start + seconds(5), start + seconds(1)));
  EXPECT_TRUE(life.answers_keepalive(start + seconds(6), start + seconds(1)));
  EXPECT_EQ(life.deadline(start), start + seconds(10));
}

TEST(LinkLife, other_traffic_in_both_directions_makes_keepalives_needless) {
  const TimePoint start = TimePoint{} + seconds(100);
  LinkLife life;
  life.start(start, true, milliseconds(1));
  TimePoint now = start;
  for (int i = 0; i < 100; ++i) {
    now += seconds(1);
    life.inbound(now);
    EXPECT_EQ(life.check(now, now), LinkLife::Due::nothing);
  }
  EXPECT_EQ(life.check(now + seconds(5), now), LinkLife::Due::keepalive);
}

}  // namespace meshstow::reticulum
