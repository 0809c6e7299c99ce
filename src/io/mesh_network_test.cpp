#include "io/mesh_network.hpp"

#include "io/io_for_test.hpp"

namespace meshstow::io {
namespace {

// A network on the config of a user's Reticulum, with an instance name of its own.
class Network {
 public:
  Network(bool shares, const std::string& interfaces)
      : interfaces_(loop, {[](auto, auto) {}, [](auto) {}, [](auto, ByteView) {}},
                    {.tcp_reconnect = std::chrono::milliseconds(20),
                     .shared_reconnect = std::chrono::milliseconds(20)}) {
    static int number = 0;
    instance_ = "meshstow-net-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
    folder_.write("config", "[reticulum]\nshare_instance = " + std::string(shares ? "yes" : "no") +
                                "\ninstance_name = " + instance_ + "\n[interfaces]\n" + interfaces);
  }

  [[nodiscard]] bool start(MeshOptions options = {}) {
    options.reticulum = folder_.path().string();
    auto opened = MeshNetwork::open(interfaces_, options, "/home/ada/.meshstow/config");
    EXPECT_TRUE(opened.has_value()) << opened.error();
    if (!opened) return false;
    network_ = std::move(*opened);
    bool settled = false;
    network_->start([&] { settled = true; });
    return run_until(loop, [&] { return settled; });
  }

  [[nodiscard]] bool until_state(std::string_view state) {
    return run_until(loop, [&] { return status().state == state; });
  }
  [[nodiscard]] NetworkStatus status() const { return network_->status(); }
  [[nodiscard]] std::string config() const { return (folder_ / "config").string(); }
  [[nodiscard]] std::string socket_name() const { return "rns/" + instance_; }

  boost::asio::io_context loop;

 private:
  TestFolder folder_;
  std::string instance_;
  Interfaces interfaces_;
  std::unique_ptr<MeshNetwork> network_;
};

std::uint16_t free_port() { return RawListener(std::uint16_t{0}).port(); }

std::string server(std::uint16_t port) {
  return "  [[LAN]]\n    type = TCPServerInterface\n    enabled = yes\n    listen_ip = 127.0.0.1\n"
         "    listen_port = " +
         std::to_string(port) + "\n";
}

std::string client(std::uint16_t port) {
  return "  [[Hub]]\n    type = TCPClientInterface\n    enabled = yes\n"
         "    target_host = 127.0.0.1\n    target_port = " +
         std::to_string(port) + "\n";
}

std::string in_brackets(const char* kind_and_name, std::uint16_t port) {
  return std::string(kind_and_name) + "/127.0.0.1:" + std::to_string(port) + "]";
}

std::vector<std::string> names(const NetworkStatus& status) {
  std::vector<std::string> out;
  for (const InterfaceStatus& each : status.interfaces) out.push_back(each.name);
  return out;
}

}  // namespace

TEST(MeshNetwork, leaves_ports_to_a_shared_instance_and_stands_back_whenever_it_is_there) {
  RawListener hub(std::uint16_t{0});
  const std::uint16_t port = free_port();
  Network network(true, server(port) + client(hub.port()));
  ASSERT_TRUE(network.start());
  const std::string local = "LocalInterface[" + network.socket_name() + "]";
  const std::string lan = in_brackets("TCPServerInterface[LAN", port);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(network.until_state("waiting"));
    const RawListener rnsd_port(port);  // fails where the port is ours
    std::optional<RawSocket> out;
    ASSERT_TRUE(run_until(network.loop, [&] {
      if (!out) out = hub.accept();
      return out.has_value();
    }));
    const NetworkStatus waiting = network.status();
    EXPECT_EQ(names(waiting),
              (std::vector<std::string>{local, in_brackets("TCPInterface[Hub", hub.port())}));
    EXPECT_EQ(waiting.left_closed, std::vector<std::string>{lan});
    ASSERT_EQ(waiting.ways_out.size(), 3U);
    EXPECT_EQ(waiting.ways_out[0], "start rnsd");
    EXPECT_NE(waiting.ways_out[1].find("share_instance = no in " + network.config()),
              std::string::npos);
    EXPECT_NE(waiting.ways_out[2].find("/home/ada/.meshstow/config"), std::string::npos);

    RawListener instance(network.socket_name());
    ASSERT_TRUE(network.until_state("joined"));
    const std::optional<RawSocket> accepted = instance.accept();
    ASSERT_TRUE(accepted);
    ASSERT_TRUE(run_until(network.loop, [&] {
      out->receive();
      return out->at_end;
    })) << "the instance has that connection now";
    const NetworkStatus joined = network.status();
    EXPECT_EQ(names(joined), std::vector<std::string>{local});
    EXPECT_NE(joined.summary.find(local), std::string::npos);
    EXPECT_TRUE(joined.left_closed.empty());
    EXPECT_TRUE(joined.ways_out.empty());
  }
}

TEST(MeshNetwork, joins_at_once_an_instance_that_runs_and_opens_nothing_beside_it) {
  RawListener hub(std::uint16_t{0});
  Network network(true, server(free_port()) + client(hub.port()));
  const RawListener instance(network.socket_name());
  ASSERT_TRUE(network.start());
  EXPECT_STREQ(network.status().state, "joined");
  EXPECT_EQ(names(network.status()).size(), 1U);
  EXPECT_FALSE(hub.accept());
}

TEST(MeshNetwork, opens_its_own_interfaces_whatever_instance_runs) {
  Network network(true, "");
  const RawListener instance(network.socket_name());
  MeshOptions options;
  options.tcp_listen = {{"127.0.0.1", 0}};
  options.interfaces = {{"Mine", true, {"127.0.0.1", 0}}};
  ASSERT_TRUE(network.start(options));
  const NetworkStatus status = network.status();
  ASSERT_EQ(status.interfaces.size(), 3U);
  for (const InterfaceStatus& each : status.interfaces) EXPECT_TRUE(each.up) << each.name;
  EXPECT_TRUE(status.interfaces[0].name.starts_with("TCPServerInterface[tcp_listen/127.0.0.1:"));
  EXPECT_TRUE(status.interfaces[1].name.starts_with("TCPServerInterface[Mine/127.0.0.1:"));
  EXPECT_TRUE(status.interfaces[2].name.starts_with("LocalInterface["));
}

TEST(MeshNetwork, opens_all_where_no_instance_is_shared_and_outlives_a_port_that_is_taken) {
  RawListener hub(std::uint16_t{0});
  auto other = std::make_unique<RawListener>(std::uint16_t{0});
  const std::uint16_t port = other->port();
  Network network(false, server(port) + client(hub.port()));
  const RawListener instance(network.socket_name());  // not ours to join
  ASSERT_TRUE(network.start());
  NetworkStatus status = network.status();
  EXPECT_STREQ(status.state, "own");
  ASSERT_EQ(status.interfaces.size(), 2U);
  EXPECT_EQ(status.interfaces[0].name, in_brackets("TCPServerInterface[LAN", port));
  EXPECT_NE(status.interfaces[0].why_down.find("in use"), std::string::npos);
  ASSERT_TRUE(run_until(network.loop, [&] { return network.status().interfaces[1].up; }));
  other.reset();
  ASSERT_TRUE(run_until(network.loop, [&] { return network.status().interfaces[0].up; }));
}

TEST(MeshNetwork, says_what_to_do_where_there_is_no_network_at_all) {
  Network sharing(true, "");
  ASSERT_TRUE(sharing.start());
  EXPECT_EQ(sharing.status().ways_out.size(), 2U) << "not to share would open nothing either";
  EXPECT_EQ(sharing.status().ways_out.at(0), "start rnsd");
  Network alone(false, "");
  ASSERT_TRUE(alone.start());
  EXPECT_NE(alone.status().ways_out.at(0).find("enable interfaces in " + alone.config()),
            std::string::npos);
  EXPECT_NE(alone.status().summary.find("none"), std::string::npos);
  Network connected(true, "");
  MeshOptions options;
  options.tcp_connect = {{"127.0.0.1", free_port()}};
  ASSERT_TRUE(connected.start(options));
  EXPECT_TRUE(connected.status().ways_out.empty()) << "that one is told of by itself";
}

}  // namespace meshstow::io
