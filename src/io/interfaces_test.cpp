#include "io/interfaces.hpp"

#include <algorithm>
#include <new>
#include <thread>

#include "base/limits.hpp"
#include "codec/hdlc.hpp"
#include "io/io_for_test.hpp"

namespace meshstow::io {
namespace {

using reticulum::InterfaceId;

// A node's end: what its interfaces have told it.
struct Node {
  Node() {
    InterfaceSink sink;
    sink.up = [this](InterfaceId id, reticulum::InterfaceInfo info) {
      up.push_back(id);
      infos.push_back(std::move(info));
    };
    sink.down = [this](InterfaceId id) { down.push_back(id); };
    sink.packet = [this](InterfaceId, ByteView packet) {
      if (too_much && std::ranges::equal(packet, *too_much)) throw std::bad_alloc();
      packets.push_back(base::to_bytes(packet));
      std::this_thread::sleep_for(each_takes);
    };
    InterfaceTiming timing;
    timing.tcp_reconnect = std::chrono::milliseconds(20);
    timing.shared_reconnect = std::chrono::milliseconds(20);
    interfaces = std::make_unique<Interfaces>(loop, std::move(sink), timing);
  }

  std::uint16_t listen() {
    const auto bound = interfaces->listen({"test", true, {"127.0.0.1", 0}});
    EXPECT_TRUE(bound.has_value()) << bound.error();
    interfaces->start();
    return bound->port;
  }

  template <class Done>
  bool until(Done done) {
    return run_until(loop, done);
  }

  boost::asio::io_context loop;
  std::chrono::microseconds each_takes{0};
  std::optional<Bytes> too_much;  // there is no memory for this one
  std::vector<InterfaceId> up, down;
  std::vector<reticulum::InterfaceInfo> infos;
  std::vector<Bytes> packets;
  std::unique_ptr<Interfaces> interfaces;
};

Bytes packet_of(std::size_t size, Byte fill) { return Bytes(size, fill); }

std::vector<Bytes> frames_in(const Bytes& stream) {
  std::vector<Bytes> out;
  codec::HdlcDeframer deframer(1024 * 1024);
  deframer.feed(stream, [&](ByteView frame) { out.push_back(base::to_bytes(frame)); });
  return out;
}

std::string unique_name() {
  static int number = 0;
  return "meshstow-test-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
}

}  // namespace

TEST(Interfaces, take_packets_in_any_cut_and_give_each_connection_an_interface) {
  Node node;
  const auto port = node.listen();
  RawSocket first = RawSocket::connect_tcp(port);
  RawSocket second = RawSocket::connect_tcp(port);
  ASSERT_TRUE(node.until([&] { return node.up.size() == 2; }));
  EXPECT_NE(node.up[0], node.up[1]);
  EXPECT_EQ(node.infos[0].hardware_mtu, 8192U);
  EXPECT_EQ(node.infos[0].bitrate_bps, 10'000'000U);
  EXPECT_TRUE(node.infos[0].raises_link_mtu);

  Bytes packet = packet_of(100, 0x7e);
  packet[50] = 0x7d;
  for (const Byte byte : codec::hdlc_frame(packet)) {
    ASSERT_EQ(first.send(ByteView(&byte, 1)), 1U);
    node.loop.poll();
  }
  ASSERT_TRUE(node.until([&] { return node.packets.size() == 1; }));
  EXPECT_EQ(node.packets[0], packet);
  first.close();
  ASSERT_TRUE(node.until([&] { return node.down.size() == 1; }));
  EXPECT_EQ(node.interfaces->up_count(), 1U);
}

TEST(Interfaces, take_a_share_of_each_connection_in_turn) {
  Node node;
  const auto port = node.listen();
  RawSocket flood = RawSocket::connect_tcp(port);
  RawSocket other = RawSocket::connect_tcp(port);
  ASSERT_TRUE(node.until([&] { return node.up.size() == 2; }));
  constexpr std::size_t kMany = 2000;
  Bytes many;
  for (std::size_t i = 0; i < kMany; ++i) base::append(many, codec::hdlc_frame(packet_of(20, 1)));
  node.each_takes = std::chrono::microseconds(50);
  ASSERT_EQ(flood.send(many), many.size());
  const Bytes one = codec::hdlc_frame(packet_of(20, 2));
  ASSERT_EQ(other.send(one), one.size());
  ASSERT_TRUE(node.until([&] { return node.packets.size() == kMany + 1; }));
  const auto found = std::ranges::find(node.packets, packet_of(20, 2));
  // Some shares may have gone before the other connection was seen to have something.
  EXPECT_LT(found - node.packets.begin(), static_cast<int>(kMany / 2));
}

TEST(Interfaces, close_the_connection_for_which_memory_ran_out_and_go_on) {
  Node node;
  const auto port = node.listen();
  RawSocket greedy = RawSocket::connect_tcp(port);
  RawSocket other = RawSocket::connect_tcp(port);
  ASSERT_TRUE(node.until([&] { return node.up.size() == 2; }));
  node.too_much = packet_of(30, 7);
  const Bytes one = codec::hdlc_frame(*node.too_much);
  ASSERT_EQ(greedy.send(one), one.size());
  ASSERT_TRUE(node.until([&] { return node.down.size() == 1; }));
  const Bytes two = codec::hdlc_frame(packet_of(20, 2));
  ASSERT_EQ(other.send(two), two.size());
  ASSERT_TRUE(node.until([&] { return node.packets.size() == 1; }));
  EXPECT_EQ(node.interfaces->up_count(), 1U);
}

TEST(Interfaces, drop_what_is_no_packet_and_take_the_next) {
  Node node;
  RawSocket peer = RawSocket::connect_tcp(node.listen());
  Bytes stream(3000, 0x55);  // no frame at all
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{19}, std::size_t{9000}}) {
    base::append(stream, codec::hdlc_frame(packet_of(size, 1)));
  }
  base::append(stream, codec::hdlc_frame(packet_of(20, 2)));
  base::append(stream, codec::hdlc_frame(packet_of(8192, 3)));
  ASSERT_EQ(peer.send(stream), stream.size());
  ASSERT_TRUE(node.until([&] { return node.packets.size() == 2; }));
  EXPECT_EQ(node.packets[0], packet_of(20, 2));
  EXPECT_EQ(node.packets[1], packet_of(8192, 3));
  EXPECT_EQ(node.interfaces->status()[0].packets_dropped, 3U);
}

TEST(Interfaces, lose_packets_to_a_peer_that_does_not_read_and_never_wait_for_it) {
  Node node;
  RawSocket slow = RawSocket::connect_tcp(node.listen());
  ASSERT_TRUE(node.until([&] { return node.up.size() == 1; }));
  const Bytes packet = packet_of(8000, 9);
  std::size_t sent = 0;
  while (node.interfaces->status()[0].packets_dropped == 0) {
    node.interfaces->send(node.up[0], packet);
    if (++sent % 64 == 0) node.loop.poll();
    ASSERT_LT(sent, 100'000U);
  }
  // A second peer is served all the while.
  const auto second = node.interfaces->listen({"second", true, {"127.0.0.1", 0}});
  ASSERT_TRUE(second.has_value());
  RawSocket other = RawSocket::connect_tcp(second->port);
  ASSERT_TRUE(node.until([&] { return node.up.size() == 2; }));
  node.interfaces->send(node.up[1], packet);
  ASSERT_TRUE(node.until([&] {
    other.receive();
    return frames_in(other.received).size() == 1;
  }));
  // What was queued for the slow one arrives whole once it reads.
  const std::size_t dropped = node.interfaces->status()[0].packets_dropped;
  ASSERT_TRUE(node.until([&] {
    slow.receive();
    return slow.received.size() >= (sent - dropped) * (packet.size() + 2);
  }));
  const auto frames = frames_in(slow.received);
  EXPECT_EQ(frames.size(), sent - dropped);
  for (const Bytes& frame : frames) EXPECT_EQ(frame, packet);
}

TEST(Interfaces, connect_again_whenever_the_server_went) {
  Node node;
  auto server = std::make_unique<RawListener>(std::uint16_t{0});
  const std::uint16_t port = server->port();
  node.interfaces->open({"out", false, {"127.0.0.1", port}});
  node.interfaces->start();
  for (std::size_t round = 1; round <= 3; ++round) {
    std::optional<RawSocket> accepted;
    ASSERT_TRUE(node.until([&] {
      if (!accepted) accepted = server->accept();
      return accepted && node.up.size() == round;
    }));
    const Bytes packet = packet_of(64, static_cast<Byte>(round));
    accepted->send(codec::hdlc_frame(packet));
    node.interfaces->send(node.up.back(), packet);
    ASSERT_TRUE(node.until([&] {
      accepted->receive();
      return node.packets.size() == round && frames_in(accepted->received).size() == 1;
    }));
    server.reset();
    accepted.reset();
    ASSERT_TRUE(node.until([&] { return node.down.size() == round; }));
    EXPECT_FALSE(node.interfaces->status()[0].up);
    server = std::make_unique<RawListener>(port);
  }
  EXPECT_NE(node.up[0], node.up[1]) << "a new connection is a new interface";
}

TEST(Interfaces, keep_trying_names_and_ports_that_do_not_answer) {
  Node node;
  std::uint16_t free_port = 0;
  { free_port = RawListener(std::uint16_t{0}).port(); }
  node.interfaces->open({"nobody there", false, {"127.0.0.1", free_port}});
  node.interfaces->open({"no such name", false, {"no-such-host.invalid", 4242}});
  node.interfaces->start();
  for (int i = 0; i < 20; ++i) node.loop.run_one_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(node.up.empty());
  ASSERT_EQ(node.interfaces->status().size(), 2U);
  RawListener late(free_port);
  ASSERT_TRUE(node.until([&] { return node.up.size() == 1; }));
}

TEST(Interfaces, send_what_is_queued_before_they_close) {
  Node node;
  RawSocket peer = RawSocket::connect_tcp(node.listen());
  ASSERT_TRUE(node.until([&] { return node.up.size() == 1; }));
  const Bytes packet = packet_of(8000, 4);
  for (int i = 0; i < 500; ++i) node.interfaces->send(node.up[0], packet);
  bool closed = false;
  node.interfaces->close_all(kHang, [&] { closed = true; });
  EXPECT_FALSE(closed);
  ASSERT_TRUE(node.until([&] {
    peer.receive();
    if (peer.at_end) peer.close();
    return closed;
  }));
  EXPECT_EQ(frames_in(peer.received).size(), 500U);
}

TEST(Interfaces, close_without_a_peer_that_stays_and_refuse_a_port_in_use) {
  Node node;
  const auto port = node.listen();
  Node second;
  const auto refused = second.interfaces->listen({"again", true, {"127.0.0.1", port}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().find("in use"), std::string::npos) << refused.error();
  EXPECT_NE(refused.error().find(std::to_string(port)), std::string::npos);

  RawSocket stays = RawSocket::connect_tcp(port);
  ASSERT_TRUE(node.until([&] { return node.up.size() == 1; }));
  bool closed = false;
  node.interfaces->close_all(std::chrono::milliseconds(10), [&] { closed = true; });
  ASSERT_TRUE(node.until([&] { return closed; }));
}

TEST(Interfaces, join_a_shared_instance_and_find_it_again) {
  SharedInstance instance;
  instance.name = unique_name();
  auto server = std::make_unique<RawListener>("rns/" + instance.name);
  Node node;
  node.interfaces->join_shared(instance, {});
  node.interfaces->start();
  for (std::size_t round = 1; round <= 2; ++round) {
    std::optional<RawSocket> accepted;
    ASSERT_TRUE(node.until([&] {
      if (!accepted) accepted = server->accept();
      return accepted && node.up.size() == round;
    }));
    EXPECT_TRUE(node.infos.back().shared_instance);
    EXPECT_EQ(node.infos.back().hardware_mtu, 262'144U);
    EXPECT_EQ(node.infos.back().bitrate_bps, 1'000'000'000U);
    const Bytes packet = packet_of(100'000, static_cast<Byte>(round));
    node.interfaces->send(node.up.back(), packet);
    ASSERT_TRUE(node.until([&] {
      accepted->receive();
      return frames_in(accepted->received).size() == 1;
    }));
    EXPECT_EQ(frames_in(accepted->received)[0], packet);
    server.reset();
    accepted.reset();
    ASSERT_TRUE(node.until([&] { return node.down.size() == round; }));
    server = std::make_unique<RawListener>("rns/" + instance.name);
  }
}

TEST(Interfaces, join_a_shared_instance_over_tcp) {
  RawListener server(std::uint16_t{0});
  SharedInstance instance;
  instance.tcp = true;
  instance.port = server.port();
  Node node;
  node.interfaces->join_shared(instance, {});
  node.interfaces->start();
  ASSERT_TRUE(node.until([&] { return node.up.size() == 1; }));
  EXPECT_TRUE(node.infos[0].shared_instance);
}

TEST(Interfaces, go_on_trying_a_port_that_is_taken_and_say_why_meanwhile) {
  Node node;
  auto other = std::make_unique<RawListener>(std::uint16_t{0});
  const std::uint16_t port = other->port();
  node.interfaces->open({"LAN", true, {"127.0.0.1", port}});
  node.interfaces->start();
  const InterfaceStatus taken = node.interfaces->status().at(0);
  EXPECT_EQ(taken.name, "TCPServerInterface[LAN/127.0.0.1:" + std::to_string(port) + "]");
  EXPECT_FALSE(taken.up);
  EXPECT_NE(taken.why_down.find("in use"), std::string::npos) << taken.why_down;
  EXPECT_TRUE(node.interfaces->listening().empty());
  other.reset();
  ASSERT_TRUE(node.until([&] { return node.interfaces->status().at(0).up; }));
  EXPECT_EQ(node.interfaces->status().at(0).why_down, "");
  EXPECT_EQ(node.interfaces->listening(), (std::vector<Address>{{"127.0.0.1", port}}));
  const RawSocket peer = RawSocket::connect_tcp(port);
  ASSERT_TRUE(node.until([&] { return node.up.size() == 1; }));
}

TEST(Interfaces, close_one_that_was_opened_with_its_connections_and_no_other) {
  Node node;
  const std::uint16_t kept_port = node.listen();
  std::uint16_t port = 0;
  { port = RawListener(std::uint16_t{0}).port(); }
  const InterfaceHandle handle = node.interfaces->open({"LAN", true, {"127.0.0.1", port}});
  RawSocket kept = RawSocket::connect_tcp(kept_port);
  ASSERT_TRUE(node.until([&] { return node.up.size() == 1; }));
  RawSocket dropped = RawSocket::connect_tcp(port);
  ASSERT_TRUE(node.until([&] { return node.up.size() == 2; }));

  node.interfaces->close(handle);
  EXPECT_EQ(node.down, std::vector<InterfaceId>{node.up[1]});
  EXPECT_EQ(node.interfaces->status().size(), 1U);
  ASSERT_TRUE(node.until([&] {
    dropped.receive();
    return dropped.at_end;
  }));
  const RawListener free_again(port);
  node.interfaces->close(handle);  // nothing is left to close
  kept.send(codec::hdlc_frame(packet_of(64, 1)));
  ASSERT_TRUE(node.until([&] { return node.packets.size() == 1; }));
}

TEST(Interfaces, count_what_went_over_connections_that_are_gone) {
  Node node;
  const std::uint16_t port = node.listen();
  for (std::size_t round = 1; round <= 2; ++round) {
    RawSocket peer = RawSocket::connect_tcp(port);
    peer.send(codec::hdlc_frame(packet_of(64, 1)));
    ASSERT_TRUE(node.until([&] { return node.packets.size() == round; }));
    EXPECT_EQ(node.interfaces->status().at(0).peers, 1U);
    peer.close();
    ASSERT_TRUE(node.until([&] { return node.down.size() == round; }));
  }
  const InterfaceStatus status = node.interfaces->status().at(0);
  EXPECT_TRUE(status.up) << "it listens";
  EXPECT_EQ(status.peers, 0U);
  EXPECT_EQ(status.bytes_in, 2 * codec::hdlc_frame(packet_of(64, 1)).size());
}

TEST(Interfaces, tell_when_an_instance_is_missing_joined_and_lost) {
  SharedInstance instance;
  instance.name = unique_name();
  Node node;
  std::vector<std::string> told;
  const auto tell = [&](const char* what) {
    if (told.empty() || told.back() != what) told.emplace_back(what);
  };
  node.interfaces->join_shared(instance, {[&] { tell("missing"); },
                                          [&] {
                                            EXPECT_TRUE(node.up.size() == node.down.size());
                                            tell("joined");
                                          },
                                          [&] {
                                            EXPECT_TRUE(node.up.size() == node.down.size());
                                            tell("lost");
                                          }});
  node.interfaces->start();
  std::vector<std::string> expected;
  for (int round = 0; round < 2; ++round) {
    expected.emplace_back("missing");
    ASSERT_TRUE(node.until([&] { return told == expected; })) << round;
    auto server = std::make_unique<RawListener>("rns/" + instance.name);
    expected.emplace_back("joined");
    std::optional<RawSocket> accepted;
    ASSERT_TRUE(node.until([&] {
      if (!accepted) accepted = server->accept();
      return accepted && told == expected;
    }));
    server.reset();
    accepted.reset();
    expected.emplace_back("lost");
    ASSERT_TRUE(node.until([&] { return told.size() >= expected.size(); }));
    EXPECT_EQ(told[expected.size() - 1], "lost");
  }
}

}  // namespace meshstow::io
