#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <sys/stat.h>
#include <thread>

#include "base/limits.hpp"
#include "io/blocking_client.hpp"
#include "io/control_client.hpp"
#include "io/control_frames.hpp"
#include "io/control_server.hpp"
#include "io/node_for_test.hpp"
#include "io/run_command.hpp"

namespace meshstow::io {
namespace {

// A served home: node and control socket on a thread of their own.
class Served {
 public:
  explicit Served(const std::filesystem::path& directory, bool listens = false)
      : node_(std::make_unique<TestNode>(loop_, directory)) {
    EXPECT_TRUE(listens ? node_->listen() : node_->start_offline());
    auto control = ControlServer::start(*node_->host);
    EXPECT_TRUE(control.has_value()) << control.error();
    control_ = std::move(*control);
    loop_.restart();
    thread_ = std::thread([this] {
      const auto work = boost::asio::make_work_guard(loop_);
      loop_.run();
    });
  }
  ~Served() {
    boost::asio::post(loop_, [this] {
      control_.reset();
      node_->host->close([this] { loop_.stop(); });
    });
    thread_.join();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  [[nodiscard]] Address address() const { return node_->host->listening().at(0); }
  [[nodiscard]] reticulum::DestinationHash destination() const {
    return node_->host->home().destination();
  }

 private:
  boost::asio::io_context loop_;
  std::unique_ptr<TestNode> node_;
  std::unique_ptr<ControlServer> control_;
  std::thread thread_;
};

struct Body {
  std::string in;
  std::string out;
  std::size_t at = 0;
  std::vector<std::string> heads;

  CommandStreams streams() {
    CommandStreams out_streams;
    out_streams.read = [this](MutableByteView to) -> tl::expected<std::size_t, std::string> {
      const std::size_t count = std::min(to.size(), in.size() - at);
      std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(at), count, to.begin());
      at += count;
      return count;
    };
    out_streams.write = [this](ByteView piece) -> tl::expected<void, std::string> {
      out += base::as_text(piece);
      return {};
    };
    out_streams.head = [this](const std::string& json) { heads.push_back(json); };
    return out_streams;
  }
};

CommandOutcome put(const std::filesystem::path& home, const std::string& path, std::string body) {
  Body source{std::move(body), {}, 0, {}};
  return run_command(home, command("put", path), source.streams());
}

std::string get(const std::filesystem::path& home, const std::string& path) {
  Body sink;
  const auto outcome = run_command(home, command("get", path), sink.streams());
  EXPECT_TRUE(outcome.ok) << outcome.json;
  return sink.out;
}

// Sends these bytes to a control socket and gives all that comes back.
Bytes ask_raw(const std::filesystem::path& home, ByteView bytes) {
  RawSocket client = RawSocket::connect_unix(home / "control.sock");
  while (!client.at_end) {
    const std::size_t sent = client.send(bytes);
    bytes = bytes.subspan(sent);
    client.receive();
    pollfd wait{client.get(), POLLIN, 0};
    if (sent == 0) ::poll(&wait, 1, 50);
  }
  return client.received;
}

void make_home(const std::filesystem::path& directory) {
  OsRng rng;
  const auto made = Home::create(directory, "test", rng);
  ASSERT_TRUE(made.has_value()) << made.error();
}

}  // namespace

TEST(Control, runs_commands_with_bodies_in_the_serving_process) {
  const TestFolder folder;
  const auto home = folder / "home";
  const Served served(home);
  for (const std::size_t size : {0, 1, 70'000, 10'000'000}) {
    const std::string body = random_text(size);
    const auto made = put(home, "/private/a/x", body);
    ASSERT_TRUE(made.ok) << made.json;
    EXPECT_TRUE(get(home, "/private/a/x") == body) << size;
  }
  EXPECT_EQ(run_command(home, command("get", "/private/none"), {}).exit_code(), 11);
  EXPECT_EQ(parsed(run_command(home, command("status"), {})).at("documents").to_number<int>(), 1);
}

TEST(Control, serves_many_clients_at_once) {
  const TestFolder folder;
  const auto home = folder / "home";
  const Served served(home);
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int client = 0; client < 8; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 5; ++i) {
        const std::string path = "/private/c" + std::to_string(client) + "/" + std::to_string(i);
        const std::string body = random_text(static_cast<std::size_t>(client * 100'000 + i));
        if (put(home, path, body).ok && get(home, path) == body) ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 40);
}

TEST(Control, is_replaced_after_a_kill_and_private_to_the_user) {
  const TestFolder folder;
  const auto home = folder / "home";
  make_home(home);
  // What a killed process leaves behind: a socket file that nobody listens on.
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (home / "control.sock").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(left);
  ASSERT_TRUE(put(home, "/private/a/x", "without serve").ok);
  {
    const Served served(home);
    struct stat found {};
    ASSERT_EQ(::stat((home / "control.sock").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    EXPECT_EQ(get(home, "/private/a/x"), "without serve");
  }
  EXPECT_FALSE(std::filesystem::exists(home / "control.sock"));
  EXPECT_EQ(get(home, "/private/a/x"), "without serve");
}

TEST(Control, works_in_a_home_with_a_very_long_path) {
  const TestFolder folder;
  const auto home = folder.path() / std::string(100, 'd') / std::string(100, 'e') / "home";
  make_home(home);
  const Served served(home);
  ASSERT_TRUE(put(home, "/private/a/x", "far away").ok);
  Body sink;
  const auto outcome = run_by_control(home, command("get", "/private/a/x"), sink.streams());
  ASSERT_TRUE(outcome.has_value()) << "the socket was found";
  EXPECT_EQ(sink.out, "far away");
}

TEST(Control, answers_malformed_frames_with_an_error_and_goes_on) {
  const TestFolder folder;
  const auto home = folder / "home";
  const Served served(home);
  const Bytes get_command = write_frame(
      FrameType::command, base::as_bytes(encode_command(command("get", "/private/a/x"))));
  const Bytes put_command = write_frame(
      FrameType::command, base::as_bytes(encode_command(command("put", "/private/a/x"))));
  const Bytes oversize{0x7f, 0xff, 0xff, 0xff, 1};
  const std::vector<Bytes> bad = {
      oversize,
      Bytes(100, 0),
      Bytes{0, 0, 0, 0, 77},
      write_frame(FrameType::command, base::as_bytes("no json")),
      write_frame(FrameType::command, base::as_bytes(std::string(5000, '['))),
      write_frame(FrameType::data, Bytes(10, 1)),
      write_frame(FrameType::result, base::as_bytes("{}")),
      base::concat({put_command, write_frame(FrameType::data, {})}),
      base::concat({put_command, write_frame(FrameType::command, Bytes(5, 1))}),
      base::concat({put_command, oversize}),
      base::concat({get_command, write_frame(FrameType::data, Bytes(10, 1))}),
  };
  for (const Bytes& bytes : bad) {
    FrameReader reader(limits::kControlMessage);
    reader.feed(ask_raw(home, bytes));
    const auto frame = reader.next();
    ASSERT_TRUE(frame.has_value() && frame->has_value());
    EXPECT_EQ((*frame)->type, FrameType::error);
  }
  ASSERT_TRUE(put(home, "/private/a/y", "still here").ok);
  EXPECT_EQ(run_command(home, command("get", "/private/a/x"), {}).exit_code(), 11);
}

TEST(Control, forgets_a_client_that_goes_in_mid_body) {
  const TestFolder folder;
  const auto home = folder / "home";
  const Served served(home);
  for (int i = 0; i < 5; ++i) {
    RawSocket client = RawSocket::connect_unix(home / "control.sock");
    client.send(write_frame(FrameType::command,
                            base::as_bytes(encode_command(command("put", "/private/a/x")))));
    client.send(write_frame(FrameType::data, Bytes(70'000, 1)));
  }
  EXPECT_EQ(run_command(home, command("get", "/private/a/x"), {}).exit_code(), 11);
}

TEST(Control, gives_the_answer_to_a_client_that_is_still_sending) {
  const TestFolder folder;
  const auto home = folder / "home";
  const Served served(home);
  const auto refused = put(home, "/nowhere/x", std::string(20'000'000, 'x'));
  EXPECT_EQ(refused.exit_code(), 14) << refused.json;
}

TEST(RunCommand, opens_the_store_itself_or_says_why_not) {
  const TestFolder folder;
  const auto home = folder / "home";
  const auto missing = run_command(home, command("status"), {});
  EXPECT_EQ(missing.exit_code(), 1);
  EXPECT_NE(text_in(missing, "message").find("meshstow init"), std::string::npos);
  make_home(home);
  ASSERT_TRUE(put(home, "/private/a/x", random_text(3'000'000)).ok);
  EXPECT_TRUE(get(home, "/private/a/x") == random_text(3'000'000));
  Body sink;
  CommandStreams streams = sink.streams();
  streams.write = [](ByteView) { return tl::unexpected(std::string("the pipe broke")); };
  const auto broken = run_command(home, command("get", "/private/a/x"), streams);
  EXPECT_EQ(text_in(broken, "message"), "the pipe broke");
}

TEST(RunCommand, asks_another_node_from_a_home_that_is_not_served) {
  const TestFolder folder;
  make_home(folder / "b");
  const Served served(folder / "a", true);
  Command create = command("token create");
  create.scopes = {"*:rw"};
  const auto token = text_in(run_command(folder / "a", create, {}), "token");
  OneShotOptions options;
  options.mesh = MeshOptions{{}, {served.address()}, "off"};
  const std::string at = codec::to_hex(served.destination());
  const std::string body = random_text(1'500'000);  // more than is kept in memory
  Body source{body, {}, 0, {}};
  const auto made = run_command(folder / "b", command("put", "/public/a/x", at, token),
                                source.streams(), options);
  ASSERT_TRUE(made.ok) << made.json;
  Body sink;
  const auto got =
      run_command(folder / "b", command("get", "/public/a/x", at, token), sink.streams(), options);
  ASSERT_TRUE(got.ok) << got.json;
  EXPECT_TRUE(sink.out == body);
  EXPECT_EQ(get(folder / "a", "/public/a/x").size(), body.size());
}

TEST(BlockingClient, stores_and_reads_at_another_node) {
  const TestFolder folder;
  make_home(folder / "b");
  const Served served(folder / "a", true);
  Command create = command("token create");
  create.scopes = {"notes:rw"};
  const auto token = text_in(run_command(folder / "a", create, {}), "token");
  auto client =
      BlockingClient::open(folder / "b", MeshOptions{{}, {served.address()}, "off", false});
  ASSERT_TRUE(client.has_value()) << client.error().message;
  (*client)->add_token(token);
  const auto at = served.destination();
  const std::string body = random_text(200'000);
  const auto made = (*client)->put(at, "/public/notes/x", base::as_bytes(body));
  ASSERT_TRUE(made.has_value()) << made.error().message;
  const auto got = (*client)->get(at, "/public/notes/x");
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_TRUE(base::as_text(got->body) == body);
  EXPECT_EQ(got->etag, *made);
  const auto list = (*client)->list(at, "/public/notes/");
  ASSERT_TRUE(list.has_value()) << list.error().message;
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ((*list)[0].size, body.size());
  PutOptions stale;
  stale.if_match = "\"other\"";
  const auto conflict = (*client)->put(at, "/public/notes/x", base::as_bytes("2"), stale);
  ASSERT_FALSE(conflict.has_value());
  ASSERT_TRUE(conflict.error().error.has_value());
  EXPECT_EQ(conflict.error().error->code, protocol::StoreCode::sync_conflict);
  EXPECT_TRUE((*client)->remove(at, "/public/notes/x").has_value());
  EXPECT_FALSE((*client)->get(at, "/public/notes/x").has_value());
  EXPECT_FALSE((*client)->put(at, "/elsewhere/x", {}).has_value());
  const auto own = (*client)->get_token("storage:read:/shared/maps/");
  EXPECT_TRUE(own.has_value());
  EXPECT_FALSE(BlockingClient::open(folder / "b", {}).has_value()) << "the home is in use";
}

}  // namespace meshstow::io
