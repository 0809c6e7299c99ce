// Two endpoints on a wire that loses, repeats, reorders and corrupts.
#include <gtest/gtest.h>

#include "reticulum/network_for_test.hpp"
#include "reticulum/packet.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Weather {
  const char* name;
  WireOptions wire;
};

Weather losing(const char* name, double loss) {
  WireOptions wire;
  wire.delay = milliseconds(20);
  wire.loss = loss;
  return {name, wire};
}

std::vector<Weather> all_weathers() {
  std::vector<Weather> out{losing("loses_5_percent", 0.05), losing("loses_20_percent", 0.2)};
  WireOptions wire;
  wire.delay = milliseconds(20);
  wire.repeat = 0.3;
  out.push_back({"repeats", wire});
  wire = {};
  wire.jitter = milliseconds(30);
  out.push_back({"reorders", wire});
  wire = {};
  wire.delay = milliseconds(20);
  wire.corrupt = 0.03;
  out.push_back({"corrupts", wire});
  wire = {};
  wire.delay = milliseconds(20);
  wire.jitter = milliseconds(20);
  wire.loss = 0.05;
  wire.repeat = 0.05;
  wire.corrupt = 0.01;
  out.push_back({"does_everything_at_once", wire});
  return out;
}

// Opens links until one is up on both sides: the packet that makes it active has no answer of its
// own.
bool link_up_somehow(Pair& pair) {
  for (int i = 0; i < 20; ++i) {
    pair.link = pair.client.endpoint.open_link(pair.network.now(), pair.server.destination).value();
    const bool up = pair.network.run_until(
        [&] {
          return pair.client.endpoint.link_info(pair.link) &&
                 pair.server.endpoint.link_info(pair.link);
        },
        seconds(60));
    if (up) return true;
    pair.client.endpoint.close_link(pair.network.now(), pair.link);
  }
  return false;
}

}  // namespace

class Adversity : public testing::TestWithParam<std::tuple<Weather, int>> {};

TEST_P(Adversity, lets_a_resource_of_several_segments_arrive_whole) {
  const auto& [weather, mtu] = GetParam();
  WireOptions wire = weather.wire;
  wire.interface.hardware_mtu = static_cast<std::uint32_t>(mtu);
  Pair pair(wire);
  pair.network.wire(pair.wire).loss = 0;
  pair.network.wire(pair.wire).corrupt = 0;
  ASSERT_TRUE(pair.meet());
  pair.network.wire(pair.wire) = wire;
  ASSERT_TRUE(link_up_somehow(pair));
  const Bytes data = random_bytes(2'500'000);
  ASSERT_TRUE(pair.client.endpoint.send_resource(pair.network.now(), pair.link, data, {}, false));
  ASSERT_TRUE(pair.network.run_until(
      [&] { return pair.client.count<ContentSent>() + pair.client.count<ContentUnsent>() > 0; },
      std::chrono::hours(10)));
  EXPECT_EQ(pair.client.count<ContentSent>(), 1U);
  const Content* content = pair.server.content(ContentKind::resource);
  ASSERT_TRUE(content && content->done);
  EXPECT_EQ(content->sha256, crypto::sha256(data));
  EXPECT_EQ(pair.server.count<ContentDone>(), 1U);
}

INSTANTIATE_TEST_SUITE_P(On, Adversity,
                         testing::Combine(testing::ValuesIn(all_weathers()),
                                          testing::Values(500, 8192)),
                         [](const auto& instance) {
                           return std::string(std::get<0>(instance.param).name) + "_mtu_" +
                                  std::to_string(std::get<1>(instance.param));
                         });

TEST(Tampering, with_any_packet_of_a_busy_link_never_harms) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Pair pair({}, {}, seed);
    ASSERT_TRUE(pair.ready());
    pair.server.on_event = [&](const Event& event) {
      if (const auto* done = std::get_if<ContentDone>(&event)) {
        const Content& content = pair.server.contents.at(done->transfer);
        if (content.started.kind != ContentKind::request) return;
        (void)pair.server.endpoint.respond(pair.network.now(), content.started.link,
                                           content.started.request,
                                           packed_value(random_bytes(50'000)), false);
      }
    };
    base::SeededRng rng(seed);
    pair.network.on_packet = [&](TestNode&, Bytes& packet) {
      switch (rng.below(12)) {
        case 0: packet.resize(rng.below(packet.size() + 1)); break;
        case 1: packet.resize(packet.size() + rng.below(40), 0xA5); break;
        case 2: packet[rng.below(packet.size())] ^= static_cast<Byte>(1 + rng.below(255)); break;
        case 3: packet[0] ^= static_cast<Byte>(1 + rng.below(255)); break;
        case 4: packet[18 % packet.size()] = static_cast<Byte>(rng.below(256)); break;
        default: break;
      }
      return true;
    };
    for (int i = 0; i < 5; ++i) {
      const Now now = pair.network.now();
      (void)pair.client.endpoint.send_request(now, pair.link, "/x", packed_value(random_bytes(30)));
      (void)pair.client.endpoint.send_request(now, pair.link, "/x",
                                              packed_value(random_bytes(80'000)));
      (void)pair.client.endpoint.send_data(now, pair.link, Bytes(100));
      (void)pair.client.endpoint.identify(now, pair.link, pair.client.identity);
      (void)pair.server.endpoint.announce(now, pair.server.destination);
      pair.network.run_for(seconds(10));
    }
    // What did arrive is what was sent.
    for (const auto& [transfer, content] : pair.client.contents) {
      if (content.done) {
        EXPECT_EQ(content.sha256, crypto::sha256(packed_value(random_bytes(50'000))));
      }
    }
    pair.network.run_for(seconds(1000));
    EXPECT_EQ(pair.client.endpoint.counters().links,
              pair.client.endpoint.link_info(pair.link) ? 1U : 0U);
  }
}

TEST(Tampering, random_bytes_of_every_length_are_dropped) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  base::SeededRng rng(1);
  for (std::size_t size = 0; size < 600; ++size) {
    Bytes packet(size);
    rng.fill(packet);
    pair.server.endpoint.handle_packet(pair.network.now(), pair.wire, packet);
    // And the same with a header that reaches the link, in every context.
    if (size < 20) continue;
    packet[0] = static_cast<Byte>(size % 2 == 0 ? 0x0C : 0x0F);
    packet[1] = 0;
    std::copy_n(pair.link.data(), 16, packet.begin() + 2);
    for (int context = 0; context < 256; ++context) {
      packet[18] = static_cast<Byte>(context);
      pair.server.endpoint.handle_packet(pair.network.now(), pair.wire, packet);
    }
  }
  pair.network.run_for(seconds(1));
  EXPECT_TRUE(pair.server.contents.empty());
  EXPECT_TRUE(pair.server.endpoint.link_info(pair.link));
}

TEST(Tampering, packets_for_an_interface_that_is_not_there_are_dropped) {
  Pair pair;
  pair.server.endpoint.handle_packet(pair.network.now(), 77, Bytes(100));
  EXPECT_EQ(pair.server.endpoint.counters().packets_in, 0U);
}

TEST(Deadlines, that_come_early_or_often_do_no_harm) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  pair.client.endpoint.send_resource(pair.network.now(), pair.link, random_bytes(200'000)).value();
  for (int i = 0; i < 2000 && pair.client.count<ContentSent>() == 0; ++i) {
    pair.network.run_for(Duration{100});
    for (int j = 0; j < 3; ++j) {
      pair.client.endpoint.handle_deadline(pair.network.now());
      pair.server.endpoint.handle_deadline(pair.network.now());
    }
  }
  EXPECT_EQ(pair.client.count<ContentSent>(), 1U);
  EXPECT_EQ(pair.server.count<ContentDone>(), 1U);
}

}  // namespace meshstow::reticulum
