// io/node_for_test.hpp: whole nodes in one process, over real sockets, for this folder's tests.
#pragma once

#include <boost/json.hpp>

#include "codec/hex.hpp"
#include "io/commands.hpp"
#include "io/io_for_test.hpp"
#include "io/os_rng.hpp"

namespace meshstow::io {

// A home of its own and a node on it; several share a loop.
class TestNode {
 public:
  TestNode(boost::asio::io_context& loop, const std::filesystem::path& directory)
      : loop_(loop), home_(make_home(directory)) {
    auto opened = NodeHost::open(loop_, home_);
    EXPECT_TRUE(opened.has_value()) << opened.error();
    host = std::move(*opened);
  }

  [[nodiscard]] bool join(MeshOptions options) {
    options.reticulum = "off";
    std::optional<tl::expected<void, std::string>> how;
    host->join(options, [&](auto result) { how = std::move(result); });
    if (!run_until(loop_, [&] { return how.has_value(); })) return false;
    if (!*how) ADD_FAILURE() << how->error();
    return how->has_value();
  }

  [[nodiscard]] bool listen() {
    MeshOptions options;
    options.tcp_listen = {{"127.0.0.1", 0}};
    return join(options);
  }

  [[nodiscard]] bool connect_to(const TestNode& other) {
    MeshOptions options;
    options.tcp_connect = {other.host->listening().at(0)};
    options.announces = false;
    if (!join(options)) return false;
    std::optional<bool> connected;
    host->when_connected(kHang, [&](bool yes) { connected = yes; });
    return run_until(loop_, [&] { return connected.has_value(); }) && *connected;
  }

  [[nodiscard]] bool start_offline() {
    bool ready = false;
    host->start_offline([&](const auto& how) { ready = how.has_value(); });
    return run_until(loop_, [&] { return ready; });
  }

  void close() {
    bool closed = false;
    host->close([&] { closed = true; });
    EXPECT_TRUE(run_until(loop_, [&] { return closed; }));
    host.reset();
  }

  [[nodiscard]] std::string hash() const { return codec::to_hex(home_.destination()); }

  // Runs a command with this body; what it writes lands in `written`.
  CommandOutcome run(Command command, std::string_view body = {}) {
    written.clear();
    heads.clear();
    std::optional<CommandOutcome> outcome;
    std::size_t at = 0;
    CommandChannel channel;
    channel.read_body = [&](const std::function<void(CommandChannel::Piece)>& give) {
      const auto piece = body.substr(std::min(at, body.size()), 100'000);
      at += piece.size();
      host->post([give, piece] { give(base::to_bytes(base::as_bytes(piece))); });
    };
    channel.write_body = [&](const Bytes& piece, std::function<void()> taken) {
      written += base::as_text(piece);
      host->post(std::move(taken));
    };
    channel.head = [&](const std::string& json) { heads.push_back(json); };
    channel.progress = [&](const std::string& json) { progress.push_back(json); };
    channel.done = [&](CommandOutcome how) { outcome = std::move(how); };
    const auto running = start_command(*host, std::move(command), std::move(channel));
    EXPECT_TRUE(run_until(loop_, [&] { return outcome.has_value(); }));
    return outcome.value_or(command_failed("it hung"));
  }

  std::unique_ptr<NodeHost> host;
  std::string written;
  std::vector<std::string> heads;
  std::vector<std::string> progress;

 private:
  static Home make_home(const std::filesystem::path& directory) {
    OsRng rng;
    if (!Home::exists(directory)) {
      const auto made = Home::create(directory, "test", rng);
      EXPECT_TRUE(made.has_value()) << made.error();
    }
    auto home = Home::open(directory);
    EXPECT_TRUE(home.has_value()) << home.error();
    EXPECT_TRUE(home->lock().has_value());
    return std::move(*home);
  }

  boost::asio::io_context& loop_;
  Home home_;
};

inline Command command(std::string verb, std::string path = {}, std::string at = {},
                       std::string token = {}) {
  Command out;
  out.verb = std::move(verb);
  out.path = std::move(path);
  out.at = std::move(at);
  out.token = std::move(token);
  return out;
}

inline boost::json::object parsed(const CommandOutcome& outcome) {
  boost::json::error_code error;
  const auto value = boost::json::parse(outcome.json, error);
  EXPECT_TRUE(value.is_object()) << outcome.json;
  return value.is_object() ? value.get_object() : boost::json::object();
}

inline std::string text_in(const CommandOutcome& outcome, std::string_view key) {
  const auto object = parsed(outcome);
  const auto* value = object.if_contains(key);
  EXPECT_TRUE(value != nullptr && value->is_string()) << key << " in " << outcome.json;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

inline std::string random_text(std::size_t size) {
  std::string out(size, '\0');
  base::SeededRng rng(size);
  rng.fill({reinterpret_cast<Byte*>(out.data()), out.size()});
  return out;
}

}  // namespace meshstow::io
