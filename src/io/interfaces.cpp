#include "io/interfaces.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>

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

struct Listener {
  Listener(asio::io_context& loop, InterfaceConfig of)
      : config(std::move(of)), acceptor(loop), pause(loop) {}
  InterfaceConfig config;  // once it is bound: with the port that it got
  tcp::acceptor acceptor;
  asio::steady_timer pause;
};

// One thing that was opened: it listens, or it connects.
struct Opened {
  InterfaceInfo info;  // of its connections
  std::shared_ptr<Listener> listener;
  std::shared_ptr<Connector> connector;
  InstanceHooks instance;
  FramedStream::Counters past;  // of connections that are gone
  std::string trouble;          // why there is nothing now; told once
};

struct Connection {
  std::shared_ptr<FramedStream> stream;
  InterfaceHandle of = 0;
  std::string name;
};

std::string abstract_name(const SharedInstance& instance) { return "rns/" + instance.name; }

Address address_of(const tcp::endpoint& endpoint) {
  return {endpoint.address().to_string(), endpoint.port()};
}

void trace(const std::string& name, const char* what, ByteView packet) {
  if (!logs(LogLevel::debug)) return;
  log_debug(name + ": " + what + ' ' + std::to_string(packet.size()) + " bytes");
}

void add(FramedStream::Counters& sum, const FramedStream::Counters& more) {
  sum.bytes_in += more.bytes_in;
  sum.bytes_out += more.bytes_out;
  sum.dropped += more.dropped;
}

}  // namespace

std::string to_text(const SharedInstance& instance) {
  return "LocalInterface[" +
         (instance.tcp ? std::to_string(instance.port) : abstract_name(instance)) + ']';
}

struct Interfaces::State : std::enable_shared_from_this<Interfaces::State> {
  State(asio::io_context& io, InterfaceSink to, InterfaceTiming times)
      : loop(io),
        sink(std::move(to)),
        timing(times),
        turns(std::make_shared<InputTurns>(io)),
        patience_timer(io) {}

  InterfaceHandle add_listener(InterfaceConfig config);
  InterfaceHandle add_connector(Connector::Target target, InterfaceInfo info, InstanceHooks hooks);
  error_code bind(InterfaceHandle handle);
  void keep_binding(InterfaceHandle handle);
  void accept(InterfaceHandle handle);
  void handle_accept(InterfaceHandle handle, tcp::socket socket);
  void pause(InterfaceHandle handle, Duration time, std::function<void()> then);
  void handle_connected(InterfaceHandle handle, FramedStream::Socket socket);
  void handle_failed(InterfaceHandle handle, const std::string& why);
  void add(InterfaceHandle handle, FramedStream::Socket socket, InterfaceInfo info);
  void handle_closed(InterfaceId id);
  void close(InterfaceHandle handle);
  void close_all(Duration patience, std::function<void()> done);
  void stop_opening();
  void finish_close();
  void abandon_all();
  [[nodiscard]] InterfaceStatus status_of(InterfaceHandle handle, const Opened& opened) const;

  asio::io_context& loop;
  InterfaceSink sink;
  InterfaceTiming timing;
  std::shared_ptr<InputTurns> turns;
  std::map<InterfaceHandle, Opened> all;  // in the order in which they were opened
  std::map<InterfaceId, Connection> connections;
  InterfaceHandle last_handle = 0;
  InterfaceId last_id = 0;
  bool started = false;
  bool closing = false;
  asio::steady_timer patience_timer;
  std::function<void()> closed;
};

Interfaces::Interfaces(asio::io_context& loop, InterfaceSink sink, InterfaceTiming timing)
    : state_(std::make_shared<State>(loop, std::move(sink), timing)) {}

Interfaces::~Interfaces() { state_->abandon_all(); }

tl::expected<Address, std::string> Interfaces::listen(InterfaceConfig config) {
  const std::string address = to_text(config.address);
  const InterfaceHandle handle = state_->add_listener(std::move(config));
  if (const error_code error = state_->bind(handle)) {
    state_->all.erase(handle);
    return tl::unexpected("cannot listen on " + address + ": " + error.message());
  }
  return state_->all.at(handle).listener->config.address;
}

InterfaceHandle Interfaces::open(InterfaceConfig config) {
  if (!config.listens) {
    return state_->add_connector(
        {config.address, "", state_->timing.tcp_reconnect, state_->timing.connect_timeout},
        tcp_info(to_text(config)), {});
  }
  const InterfaceHandle handle = state_->add_listener(std::move(config));
  state_->keep_binding(handle);
  return handle;
}

InterfaceHandle Interfaces::join_shared(const SharedInstance& instance, InstanceHooks hooks) {
  const Duration every = state_->timing.shared_reconnect;
  Connector::Target target{Address{"127.0.0.1", instance.port},
                           instance.tcp ? "" : abstract_name(instance), every, every};
  return state_->add_connector(std::move(target), shared_info(to_text(instance)), std::move(hooks));
}

void Interfaces::start() {
  state_->started = true;
  for (auto& [handle, opened] : state_->all) {
    if (opened.connector) opened.connector->start();
    if (opened.listener && opened.listener->acceptor.is_open()) state_->accept(handle);
  }
}

void Interfaces::close(InterfaceHandle handle) { state_->close(handle); }

void Interfaces::send(InterfaceId to, ByteView packet) {
  const auto found = state_->connections.find(to);
  if (found == state_->connections.end()) return;
  trace(found->second.name, "sent", packet);
  found->second.stream->send(packet);
}

std::vector<InterfaceStatus> Interfaces::status() const {
  std::vector<InterfaceStatus> out;
  out.reserve(state_->all.size());
  for (const auto& [handle, opened] : state_->all) {
    out.push_back(state_->status_of(handle, opened));
  }
  return out;
}

std::vector<Address> Interfaces::listening() const {
  std::vector<Address> out;
  for (const auto& [handle, opened] : state_->all) {
    if (!opened.listener || !opened.listener->acceptor.is_open()) continue;
    out.push_back(opened.listener->config.address);
  }
  return out;
}

std::size_t Interfaces::up_count() const { return state_->connections.size(); }

bool Interfaces::has_any() const { return !state_->all.empty(); }

void Interfaces::close_all(Duration patience, std::function<void()> done) {
  state_->close_all(patience, std::move(done));
}

InterfaceStatus Interfaces::State::status_of(InterfaceHandle handle, const Opened& opened) const {
  InterfaceStatus out;
  out.name = opened.info.name;
  auto sum = opened.past;
  for (const auto& [id, connection] : connections) {
    if (connection.of != handle) continue;
    ++out.peers;
    io::add(sum, connection.stream->counters());
  }
  out.up = opened.listener ? opened.listener->acceptor.is_open() : out.peers > 0;
  if (!out.up) out.why_down = opened.trouble;
  out.bytes_in = sum.bytes_in;
  out.bytes_out = sum.bytes_out;
  out.packets_dropped = sum.dropped;
  return out;
}

// ---- Listening.

InterfaceHandle Interfaces::State::add_listener(InterfaceConfig config) {
  Opened& opened = all[++last_handle];
  opened.info = tcp_info(to_text(config));
  opened.listener = std::make_shared<Listener>(loop, std::move(config));
  return last_handle;
}

error_code Interfaces::State::bind(InterfaceHandle handle) {
  Opened& opened = all.at(handle);
  Address& address = opened.listener->config.address;
  tcp::acceptor& acceptor = opened.listener->acceptor;
  error_code error;
  tcp::resolver resolver(loop);
  const std::string host = address.host.empty() || address.host == "*" ? "0.0.0.0" : address.host;
  const auto found =
      resolver.resolve(host, std::to_string(address.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error) return error;
  if (found.empty()) return asio::error::host_not_found;
  const tcp::endpoint endpoint = found.begin()->endpoint();
  if (!acceptor.open(endpoint.protocol(), error) &&
      !acceptor.set_option(tcp::acceptor::reuse_address(true), error) &&
      !acceptor.bind(endpoint, error)) {
    acceptor.listen(tcp::acceptor::max_listen_connections, error);
  }
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
    return error;
  }
  address = address_of(acceptor.local_endpoint(error));
  opened.info.name = to_text(opened.listener->config);
  if (started) accept(handle);
  return {};
}

void Interfaces::State::keep_binding(InterfaceHandle handle) {
  if (const error_code error = bind(handle)) {
    handle_failed(handle, "cannot listen: " + error.message());
    return pause(handle, timing.tcp_reconnect, [this, handle] { keep_binding(handle); });
  }
  Opened& opened = all.at(handle);
  if (!std::exchange(opened.trouble, {}).empty()) log_notice(opened.info.name + ": listening now");
}

void Interfaces::State::accept(InterfaceHandle handle) {
  all.at(handle).listener->acceptor.async_accept(
      [weak = weak_from_this(), handle](error_code error, tcp::socket socket) {
        const auto self = weak.lock();
        if (!self || self->closing || !self->all.contains(handle)) return;
        if (!error) {
          self->handle_accept(handle, std::move(socket));
          return self->accept(handle);
        }
        // Out of file descriptors, as a rule: asking again at once would spin.
        log_warning(self->all.at(handle).info.name + ": cannot accept: " + error.message());
        self->pause(handle, std::chrono::seconds(1),
                    [raw = self.get(), handle] { raw->accept(handle); });
      });
}

// `then` is only called while the interface is there, and the state with it.
void Interfaces::State::pause(InterfaceHandle handle, Duration time, std::function<void()> then) {
  asio::steady_timer& timer = all.at(handle).listener->pause;
  timer.expires_after(time);
  timer.async_wait([weak = weak_from_this(), handle, then = std::move(then)](error_code stopped) {
    const auto self = weak.lock();
    if (!stopped && self && !self->closing && self->all.contains(handle)) then();
  });
}

// A connection too many is closed by going out of scope.
void Interfaces::State::handle_accept(InterfaceHandle handle, tcp::socket socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error || connections.size() >= limits::kInterfaces) return;
  set_tcp_options(socket.native_handle());
  add(handle, FramedStream::Socket(std::move(socket)),
      tcp_info(all.at(handle).info.name + " from " + to_text(address_of(peer))));
}

// ---- Connecting.

InterfaceHandle Interfaces::State::add_connector(Connector::Target target, InterfaceInfo info,
                                                 InstanceHooks hooks) {
  const InterfaceHandle handle = ++last_handle;
  Opened& opened = all[handle];
  opened.info = std::move(info);
  opened.instance = std::move(hooks);
  Connector::Hooks calls;
  calls.connected = [weak = weak_from_this(), handle](FramedStream::Socket socket) {
    const auto self = weak.lock();
    if (self && !self->closing) self->handle_connected(handle, std::move(socket));
  };
  calls.failed = [weak = weak_from_this(), handle](const std::string& why) {
    const auto self = weak.lock();
    if (self && !self->closing) self->handle_failed(handle, why);
  };
  opened.connector = std::make_shared<Connector>(loop, std::move(target), std::move(calls));
  if (started) opened.connector->start();
  return handle;
}

void Interfaces::State::handle_connected(InterfaceHandle handle, FramedStream::Socket socket) {
  Opened& opened = all.at(handle);
  const bool was_down = !std::exchange(opened.trouble, {}).empty();
  if (opened.instance.joined) {
    opened.instance.joined();
  } else if (was_down) {
    log_notice(opened.info.name + ": connected");
  }
  add(handle, std::move(socket), opened.info);
}

void Interfaces::State::handle_failed(InterfaceHandle handle, const std::string& why) {
  Opened& opened = all.at(handle);
  const bool is_news = std::exchange(opened.trouble, why).empty();
  if (opened.instance.missing) return opened.instance.missing();
  if (is_news) log_warning(opened.info.name + ": " + why + "; trying again until it works");
}

// ---- Connections.

void Interfaces::State::add(InterfaceHandle handle, FramedStream::Socket socket,
                            InterfaceInfo info) {
  const InterfaceId id = ++last_id;
  FramedStream::Hooks hooks;
  hooks.packet = [this, id, name = info.name](ByteView packet) {
    const auto alive = shared_from_this();  // a packet may end the whole node
    trace(name, "received", packet);
    sink.packet(id, packet);
  };
  hooks.closed = [this, id] { handle_closed(id); };
  auto stream = std::make_shared<FramedStream>(std::move(socket), info.hardware_mtu + kAccessCode,
                                               turns, std::move(hooks));
  connections.emplace(id, Connection{stream, handle, info.name});
  log_info(info.name + ": up");
  sink.up(id, std::move(info));
  stream->start();
}

void Interfaces::State::handle_closed(InterfaceId id) {
  const auto found = connections.find(id);
  if (found == connections.end()) return;
  const Connection lost = std::move(found->second);
  connections.erase(found);
  log_info(lost.name + ": down");
  if (closing) {
    if (connections.empty()) {
      asio::post(loop, [self = shared_from_this()] { self->finish_close(); });
    }
    return;
  }
  sink.down(id);
  Opened& opened = all.at(lost.of);
  io::add(opened.past, lost.stream->counters());
  if (!opened.connector) return;
  opened.connector->connection_lost();
  opened.trouble = "the connection was lost";
  if (opened.instance.lost) return opened.instance.lost();
  log_warning(opened.info.name + ": the connection was lost; trying again until it works");
}

// ---- The end.

void Interfaces::State::close(InterfaceHandle handle) {
  const auto found = all.find(handle);
  if (found == all.end()) return;
  const Opened gone = std::move(found->second);
  all.erase(found);
  if (gone.connector) gone.connector->stop();
  if (gone.listener) {
    error_code ignored;
    gone.listener->acceptor.close(ignored);
    gone.listener->pause.cancel();
  }
  for (auto at = connections.begin(); at != connections.end();) {
    const auto each = at++;
    if (each->second.of != handle) continue;
    const InterfaceId id = each->first;
    log_info(each->second.name + ": closed");
    each->second.stream->abandon();
    connections.erase(each);
    sink.down(id);
  }
}

void Interfaces::State::stop_opening() {
  closing = true;
  error_code ignored;
  for (auto& [handle, opened] : all) {
    if (opened.connector) opened.connector->stop();
    if (!opened.listener) continue;
    opened.listener->acceptor.close(ignored);
    opened.listener->pause.cancel();
  }
}

void Interfaces::State::close_all(Duration patience, std::function<void()> done) {
  closed = std::move(done);
  stop_opening();
  const auto open = connections;  // finish() may end one at once
  for (const auto& [id, connection] : open) connection.stream->finish();
  if (connections.empty()) {
    return asio::post(loop, [self = shared_from_this()] { self->finish_close(); });
  }
  patience_timer.expires_after(patience);
  patience_timer.async_wait([self = shared_from_this()](error_code) { self->finish_close(); });
}

void Interfaces::State::finish_close() {
  patience_timer.cancel();
  for (auto& [id, connection] : connections) connection.stream->abandon();
  connections.clear();
  if (auto done = std::exchange(closed, nullptr)) done();
}

void Interfaces::State::abandon_all() {
  closed = nullptr;
  stop_opening();
  for (auto& [id, connection] : connections) connection.stream->abandon();
  connections.clear();
  patience_timer.cancel();
}

}  // namespace meshstow::io
