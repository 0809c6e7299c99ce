#include "io/interfaces.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "io/connector.hpp"
#include "io/framed_stream.hpp"
#include "io/log.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using reticulum::InterfaceId;
using reticulum::InterfaceInfo;

constexpr std::size_t kAccessCode = 64;  // the longest that a peer may put before a packet

InterfaceInfo tcp_info(std::string name) {
  InterfaceInfo info;
  info.name = std::move(name);
  info.bitrate_bps = 10'000'000;
  info.hardware_mtu = 8192;
  info.raises_link_mtu = true;
  return info;
}

InterfaceInfo shared_info(std::string name) {
  InterfaceInfo info;
  info.name = std::move(name);
  info.bitrate_bps = 1'000'000'000;
  info.hardware_mtu = 262'144;
  info.raises_link_mtu = true;
  info.shared_instance = true;
  return info;
}

struct Connection {
  std::shared_ptr<FramedStream> stream;
  std::string name;
  std::shared_ptr<Connector> connector;  // of a connection out
};

struct Listener {
  explicit Listener(asio::io_context& loop) : acceptor(loop), pause(loop) {}
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::string name;
};

struct Outgoing {
  std::shared_ptr<Connector> connector;
  std::string name;
};

std::string abstract_name(const SharedInstance& instance) { return "rns/" + instance.name; }

Address address_of(const tcp::endpoint& endpoint) {
  return {endpoint.address().to_string(), endpoint.port()};
}

}  // namespace

struct Interfaces::State : std::enable_shared_from_this<Interfaces::State> {
  State(asio::io_context& io, InterfaceSink to, InterfaceTiming times)
      : loop(io),
        sink(std::move(to)),
        timing(times),
        turns(std::make_shared<InputTurns>(io)),
        patience_timer(io) {}

  tl::expected<Address, std::string> listen(const Address& address, std::string name);
  void add_connector(Connector::Target target, InterfaceInfo info);
  void accept(const std::shared_ptr<Listener>& listener);
  void handle_accept(const std::shared_ptr<Listener>& listener, error_code error,
                     tcp::socket socket);
  void add(FramedStream::Socket socket, InterfaceInfo info, std::shared_ptr<Connector> connector);
  void handle_closed(InterfaceId id);
  void close(Duration patience, std::function<void()> done);
  void finish_close();
  void abandon_all();

  asio::io_context& loop;
  InterfaceSink sink;
  InterfaceTiming timing;
  std::shared_ptr<InputTurns> turns;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<Outgoing> outgoing;
  std::map<InterfaceId, Connection> connections;
  InterfaceId last_id = 0;
  bool started = false;
  bool closing = false;
  asio::steady_timer patience_timer;
  std::function<void()> closed;
};

Interfaces::Interfaces(asio::io_context& loop, InterfaceSink sink, InterfaceTiming timing)
    : state_(std::make_shared<State>(loop, std::move(sink), timing)) {}

Interfaces::~Interfaces() { state_->abandon_all(); }

tl::expected<Address, std::string> Interfaces::listen(const Address& address, std::string name) {
  return state_->listen(address, std::move(name));
}

void Interfaces::connect(const Address& address, std::string name) {
  InterfaceInfo info = tcp_info(name);
  state_->add_connector(
      {std::move(name), address, "", state_->timing.tcp_reconnect, state_->timing.connect_timeout},
      std::move(info));
}

void Interfaces::join_shared(const SharedInstance& instance) {
  std::string name = "shared instance " +
                     (instance.tcp ? std::to_string(instance.port) : '"' + instance.name + '"');
  InterfaceInfo info = shared_info(name);
  Connector::Target target{std::move(name), Address{"127.0.0.1", instance.port}, "",
                           state_->timing.shared_reconnect, state_->timing.connect_timeout};
  if (!instance.tcp) target.abstract_unix_name = abstract_name(instance);
  state_->add_connector(std::move(target), std::move(info));
}

void Interfaces::start() {
  state_->started = true;
  for (auto& listener : state_->listeners) state_->accept(listener);
  for (auto& out : state_->outgoing) out.connector->start();
}

void Interfaces::send(InterfaceId to, ByteView packet) {
  const auto found = state_->connections.find(to);
  if (found != state_->connections.end()) found->second.stream->send(packet);
}

std::vector<InterfaceStatus> Interfaces::status() const {
  std::vector<InterfaceStatus> out;
  for (const auto& [id, connection] : state_->connections) {
    const auto counters = connection.stream->counters();
    out.push_back({connection.name, true, counters.bytes_in, counters.bytes_out, counters.dropped});
  }
  for (const Outgoing& waiting : state_->outgoing) {
    const bool up = std::ranges::any_of(state_->connections, [&](const auto& entry) {
      return entry.second.connector == waiting.connector;
    });
    if (!up) out.push_back({waiting.name, false, 0, 0, 0});
  }
  return out;
}

std::size_t Interfaces::up_count() const { return state_->connections.size(); }

bool Interfaces::has_any() const {
  return !state_->connections.empty() || !state_->outgoing.empty() || !state_->listeners.empty();
}

void Interfaces::close(Duration patience, std::function<void()> done) {
  state_->close(patience, std::move(done));
}

tl::expected<Address, std::string> Interfaces::State::listen(const Address& address,
                                                             std::string name) {
  const std::string cannot = "cannot listen on " + to_text(address) + ": ";
  error_code error;
  tcp::resolver resolver(loop);
  const std::string host = address.host.empty() || address.host == "*" ? "0.0.0.0" : address.host;
  const auto found =
      resolver.resolve(host, std::to_string(address.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) return tl::unexpected(cannot + error.message());
  auto listener = std::make_shared<Listener>(loop);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  if (!listener->acceptor.open(endpoint.protocol(), error) &&
      !listener->acceptor.set_option(tcp::acceptor::reuse_address(true), error) &&
      !listener->acceptor.bind(endpoint, error)) {
    listener->acceptor.listen(tcp::acceptor::max_listen_connections, error);
  }
  if (error) return tl::unexpected(cannot + error.message());
  listener->name = std::move(name);
  listeners.push_back(listener);
  if (started) accept(listener);
  return address_of(listener->acceptor.local_endpoint(error));
}

void Interfaces::State::accept(const std::shared_ptr<Listener>& listener) {
  listener->acceptor.async_accept(
      [weak = weak_from_this(), listener](error_code error, tcp::socket socket) {
        const auto self = weak.lock();
        if (self && !self->closing) self->handle_accept(listener, error, std::move(socket));
      });
}

void Interfaces::State::handle_accept(const std::shared_ptr<Listener>& listener, error_code error,
                                      tcp::socket socket) {
  if (error) {
    // Out of file descriptors, as a rule: asking again at once would spin.
    log_warning(listener->name + ": cannot accept: " + error.message());
    listener->pause.expires_after(std::chrono::seconds(1));
    listener->pause.async_wait([weak = weak_from_this(), listener](error_code stopped) {
      const auto self = weak.lock();
      if (self && !stopped && !self->closing) self->accept(listener);
    });
    return;
  }
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (!error && connections.size() < limits::kInterfaces) {
    set_tcp_options(socket.native_handle());
    add(FramedStream::Socket(std::move(socket)),
        tcp_info(listener->name + " from " + to_text(address_of(peer))), nullptr);
  }
  accept(listener);  // a connection too many is closed by going out of scope
}

void Interfaces::State::add_connector(Connector::Target target, InterfaceInfo info) {
  // The connector owns the callback, so the callback only looks at the connector.
  auto self_of = std::make_shared<std::weak_ptr<Connector>>();
  std::string name = target.name;
  auto connector = std::make_shared<Connector>(
      loop, std::move(target),
      [weak = weak_from_this(), info = std::move(info), self_of](FramedStream::Socket socket) {
        const auto self = weak.lock();
        if (self && !self->closing) self->add(std::move(socket), info, self_of->lock());
      });
  *self_of = connector;
  outgoing.push_back({connector, std::move(name)});
  if (started) connector->start();
}

void Interfaces::State::add(FramedStream::Socket socket, InterfaceInfo info,
                            std::shared_ptr<Connector> connector) {
  const InterfaceId id = ++last_id;
  FramedStream::Hooks hooks;
  hooks.packet = [this, id](ByteView packet) {
    const auto alive = shared_from_this();  // a packet may end the whole node
    sink.packet(id, packet);
  };
  hooks.closed = [this, id] { handle_closed(id); };
  auto stream = std::make_shared<FramedStream>(std::move(socket), info.hardware_mtu + kAccessCode,
                                               turns, std::move(hooks));
  connections.emplace(id, Connection{stream, info.name, std::move(connector)});
  log_debug(info.name + ": up");
  sink.up(id, std::move(info));
  stream->start();
}

void Interfaces::State::handle_closed(InterfaceId id) {
  const auto found = connections.find(id);
  if (found == connections.end()) return;
  const Connection lost = std::move(found->second);
  connections.erase(found);
  log_debug(lost.name + ": down");
  if (closing) {
    if (connections.empty()) {
      asio::post(loop, [self = shared_from_this()] { self->finish_close(); });
    }
    return;
  }
  sink.down(id);
  if (lost.connector) lost.connector->connection_lost();
}

void Interfaces::State::close(Duration patience, std::function<void()> done) {
  closing = true;
  closed = std::move(done);
  error_code ignored;
  for (auto& listener : listeners) {
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
  for (auto& out : outgoing) out.connector->stop();
  const auto all = connections;  // finish() may end one at once
  for (const auto& [id, connection] : all) connection.stream->finish();
  patience_timer.expires_after(connections.empty() ? Duration::zero() : patience);
  patience_timer.async_wait([self = shared_from_this()](error_code) { self->finish_close(); });
}

void Interfaces::State::finish_close() {
  patience_timer.cancel();
  for (auto& [id, connection] : connections) connection.stream->abandon();
  connections.clear();
  if (auto done = std::exchange(closed, nullptr)) done();
}

void Interfaces::State::abandon_all() {
  closing = true;
  closed = nullptr;
  error_code ignored;
  for (auto& listener : listeners) {
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
  for (auto& out : outgoing) out.connector->stop();
  for (auto& [id, connection] : connections) connection.stream->abandon();
  connections.clear();
  patience_timer.cancel();
}

namespace {

// Without waiting for a busy instance: one that does not answer at once is there all the same.
bool answers(int family, const void* address, socklen_t size) {
  const int made = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) return false;
  bool there = ::connect(made, static_cast<const sockaddr*>(address), size) == 0;
  if (!there && errno == EAGAIN) there = true;
  if (!there && errno == EINPROGRESS) {
    pollfd wait{made, POLLOUT, 0};
    int error = 0;
    socklen_t length = sizeof error;
    there = poll(&wait, 1, 1000) == 1 &&
            getsockopt(made, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
  }
  ::close(made);
  return there;
}

}  // namespace

bool shared_instance_runs(const SharedInstance& instance) {
  if (instance.tcp) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(instance.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return answers(AF_INET, &address, sizeof address);
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = abstract_name(instance);
  if (name.size() + 1 > sizeof address.sun_path) return false;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  return answers(AF_UNIX, &address,
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size()));
}

}  // namespace meshstow::io
