#include "io/http_server.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <malloc.h>
#include <sys/resource.h>
#include <unordered_map>

#include "base/limits.hpp"
#include "codec/hex.hpp"
#include "crypto/hash.hpp"
#include "io/http_connection.hpp"
#include "io/http_listener.hpp"
#include "io/load.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

// Passphrases that wait for their turn; each costs 32 MiB and a tenth of a second.
constexpr int kHashesWaiting = 8;
// A TLS handshake takes 50 KiB for a moment, and leaves holes between the connections that stay.
constexpr int kHandshakesUntilTrim = 16;
constexpr std::size_t kTrimKeeps = 128 * 1024;
constexpr auto kPauseWithoutDescriptors = std::chrono::milliseconds(100);

http::PeerAddress peer_of(const Tcp::socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  http::PeerAddress peer;
  if (error) return peer;
  const auto address = endpoint.address();
  const auto v6 = address.is_v6() ? address.to_v6()
                                  : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4());
  std::ranges::copy(v6.to_bytes(), peer.bytes.begin());
  return peer;
}

// Each connection is a descriptor; the usual soft limit of 1024 is soon used up. Returns how many
// there may be.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return SIZE_MAX;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised{limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return static_cast<std::size_t>(limit.rlim_cur);
}

// As many connections as the system lets us have beside the store, the mesh and commands.
base::Bound connections_bound(std::size_t descriptors) {
  const std::size_t kept = std::min(descriptors / 2, limits::kDescriptorsKept);
  const std::size_t whole = std::min(limits::kHttpConnections, descriptors - kept);
  const auto part = [&](std::size_t of_all) { return whole * of_all / limits::kHttpConnections; };
  return {.name = "HTTP connections",
          .whole = whole,
          .of_owner = part(limits::kHttpConnectionsOfOwner),
          .of_strangers = part(limits::kHttpConnectionsOfStrangers),
          .of_stranger = part(limits::kHttpConnectionsOfStrangers)};
}

void give_back_memory() {
#ifdef __GLIBC__
  malloc_trim(kTrimKeeps);  // a third of a millisecond for 1,500 connections
#endif
}

http::NodeStatus status_of(NodeHost& host) {
  node::StorageNode& node = host.node();
  http::NodeStatus status;
  status.name = host.home().settings().name;
  status.owner = codec::to_hex(node.identities().owner.hash());
  status.device = codec::to_hex(node.identities().device.hash());
  status.destination = codec::to_hex(node.destination());
  status.version = "0.1.0";
  if (const auto disk = probe_disk(host.home().directory())) status.disk_free = disk->room();
  for (const node::PeerInfo& peer : node.peers()) {
    http::PeerStatus out{codec::to_hex(peer.destination), peer.hops, peer.heard, {}};
    if (peer.announcement) out.space_available = peer.announcement->space_available;
    status.peers.push_back(std::move(out));
  }
  for (const base::Shares* bound : bounds_of(host)) {
    status.bounds.push_back({bound->bound(), bound->counts()});
  }
  return status;
}

}  // namespace

struct HttpServer::State : std::enable_shared_from_this<HttpServer::State> {
  State(NodeHost& node_host, std::size_t descriptors)
      : host(node_host),
        places{base::Shares(connections_bound(descriptors))},
        tick(node_host.loop()) {}

  struct Listener {
    Tcp::acceptor acceptor;
    std::size_t endpoint;
    std::shared_ptr<asio::ssl::context> tls;
    std::unique_ptr<asio::steady_timer> pause;
  };

  tl::expected<void, std::string> listen(const HttpOptions& options);
  void make_service();
  void load_records(Ready ready);
  void accept(Listener& listener);
  void accepted(Listener& listener, Tcp::socket socket);
  void tick_later();
  void store_records(std::vector<access::StoredRecord> records);
  void stop();
  void hash(http::HashPassphrase job, std::function<void(const std::optional<Hash32>&)> done);

  NodeHost& host;
  std::vector<http::Endpoint> endpoints;
  std::optional<std::size_t> public_endpoint;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::shared_ptr<HttpShared> shared;
  HttpPlaces places;
  std::unordered_map<HttpConnection*, std::shared_ptr<HttpConnection>> connections;
  asio::steady_timer tick;
  std::unique_ptr<asio::thread_pool> hashers;
  int hashes_waiting = 0;
  int handshakes = 0;  // since memory was given back
  int listener_number = -1;
  bool stopped = false;
};

tl::expected<void, std::string> HttpServer::State::listen(const HttpOptions& options) {
  const auto add = [&](const Address& address,
                       std::shared_ptr<asio::ssl::context> tls) -> tl::expected<void, std::string> {
    const auto names = tls ? names_of_certificate(*tls) : std::vector<std::string>{};
    auto binding = bind_http(host.loop(), address, tls != nullptr, names);
    if (!binding) return tl::unexpected(binding.error());
    for (Tcp::acceptor& acceptor : binding->acceptors) {
      auto pause = std::make_unique<asio::steady_timer>(host.loop());
      listeners.push_back(std::make_unique<Listener>(
          Listener{std::move(acceptor), endpoints.size(), tls, std::move(pause)}));
    }
    endpoints.push_back(std::move(binding->endpoint));
    return {};
  };
  if (options.http) {
    if (auto added = add(*options.http, nullptr); !added) return added;
  }
  if (options.https) {
    auto tls = make_tls_context(options.certificate_file, options.key_file);
    if (!tls) return tl::unexpected(tls.error());
    if (auto added = add(*options.https, std::move(*tls)); !added) return added;
  }
  if (endpoints.empty()) return tl::unexpected<std::string>("no address to serve HTTP on");
  if (options.public_url) {
    public_endpoint = endpoints.size();
    endpoints.push_back(*options.public_url);
  }
  return {};
}

void HttpServer::State::make_service() {
  http::ServiceConfig config;
  config.endpoints = endpoints;
  config.public_endpoint = public_endpoint;
  config.status = [this] { return status_of(host); };
  auto service =
      std::make_shared<http::Service>(std::move(config), host.node().tokens(), host.node().access(),
                                      host.node().uploads(), host.rng());
  shared = std::make_shared<HttpShared>(
      HttpShared{host, std::move(service), Bytes(limits::kSocketRead), {}, false});
  shared->hash = [this](http::HashPassphrase job,
                        std::function<void(const std::optional<Hash32>&)> done) {
    hash(std::move(job), std::move(done));
  };
  listener_number = host.add_change_listener([this](const node::DocumentChanged& change) {
    shared->service->document_changed(host.now(), change.path, change.etag, change.deleted);
  });
}

void HttpServer::State::load_records(Ready ready) {
  auto left = std::make_shared<std::size_t>(std::size(http::kStartRecordPrefixes));
  for (const std::string_view prefix : http::kStartRecordPrefixes) {
    host.store(storage::ListRecords{base::to_bytes(base::as_bytes(prefix))},
               [self = shared_from_this(), left, ready](storage::Outcome<storage::Answer> outcome) {
                 if (self->stopped) return;
                 const auto* list = outcome ? std::get_if<storage::RecordList>(&*outcome) : nullptr;
                 if (list != nullptr) {
                   for (const auto& [key, value] : list->records) {
                     self->shared->service->load_record(self->host.now(), key, value);
                   }
                 }
                 if (--*left > 0) return;
                 for (const auto& listener : self->listeners) self->accept(*listener);
                 self->tick_later();
                 ready({});
               });
  }
}

void HttpServer::State::accept(Listener& listener) {
  listener.acceptor.async_accept(
      [self = shared_from_this(), &listener](error_code error, Tcp::socket socket) {
        if (self->stopped) return;
        if (!error) {
          self->accepted(listener, std::move(socket));
          return self->accept(listener);
        }
        // Out of descriptors: others will be given back.
        listener.pause->expires_after(kPauseWithoutDescriptors);
        listener.pause->async_wait([self, &listener](error_code stopped_waiting) {
          if (!stopped_waiting && !self->stopped) self->accept(listener);
        });
      });
}

void HttpServer::State::accepted(Listener& listener, Tcp::socket socket) {
  error_code ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  // Whoever reads nothing costs no more than this much of a document.
  socket.set_option(Tcp::socket::send_buffer_size(limits::kHttpSendBuffer), ignored);
  const http::PeerAddress peer = peer_of(socket);
  if (listener.tls) ++handshakes;
  auto stream = listener.tls ? make_tls_stream(std::move(socket), *listener.tls)
                             : make_plain_stream(std::move(socket));
  auto connection =
      std::make_shared<HttpConnection>(shared, std::move(stream), peer, listener.endpoint, places,
                                       [weak = weak_from_this()](HttpConnection* gone) {
                                         if (const auto self = weak.lock())
                                           self->connections.erase(gone);
                                       });
  connections.emplace(connection.get(), connection);
  connection->start();
}

void HttpServer::State::tick_later() {
  tick.expires_after(http::kTickEvery);
  tick.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->stopped) return;
    const Now now = self->host.now();
    self->shared->service->handle_deadline(now);
    self->store_records(self->shared->service->records_to_store(now));
    std::vector<std::shared_ptr<HttpConnection>> all;
    all.reserve(self->connections.size());
    for (const auto& [pointer, connection] : self->connections) all.push_back(connection);
    for (const auto& connection : all) connection->check_deadline(now.mono);
    if (self->handshakes >= kHandshakesUntilTrim) {
      self->handshakes = 0;
      give_back_memory();
    }
    self->tick_later();
  });
}

void HttpServer::State::hash(http::HashPassphrase job,
                             std::function<void(const std::optional<Hash32>&)> done) {
  if (hashes_waiting >= kHashesWaiting) {
    return host.post([done = std::move(done)] { done(std::nullopt); });
  }
  if (!hashers) hashers = std::make_unique<asio::thread_pool>(1);
  ++hashes_waiting;
  asio::post(*hashers, [this, weak = weak_from_this(), &loop = host.loop(), job = std::move(job),
                        done = std::move(done)]() mutable {
    std::optional<Hash32> result;
    if (const auto secret = crypto::scrypt(job.passphrase, job.salt)) {
      result = Hash32::prefix_of(secret->view());
    }
    asio::post(loop, [weak, result, done = std::move(done)] {
      const auto self = weak.lock();
      if (!self || self->stopped) return;
      --self->hashes_waiting;
      done(result);
    });
  });
}

void HttpServer::State::store_records(std::vector<access::StoredRecord> records) {
  for (access::StoredRecord& record : records) {
    host.store(storage::PutRecord{std::move(record.key), std::move(record.value)},
               [](const auto&) {});
  }
}

void HttpServer::State::stop() {
  stopped = true;
  store_records(shared->service->records_to_store(host.now(), /*all=*/true));
  if (listener_number >= 0) host.remove_listener(listener_number);
  for (const auto& listener : listeners) {
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->pause->cancel();
  }
  tick.cancel();
  shared->stopping = true;
  const auto all = std::exchange(connections, {});
  for (const auto& [pointer, connection] : all) connection->close();
  if (hashers) hashers->join();
}

tl::expected<std::unique_ptr<HttpServer>, std::string> HttpServer::start(NodeHost& host,
                                                                         HttpOptions options,
                                                                         Ready ready) {
  auto state = std::make_shared<State>(host, raise_descriptor_limit());
  if (auto bound = state->listen(options); !bound) return tl::unexpected(bound.error());
  state->make_service();
  state->load_records(std::move(ready));
  auto server = std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
  host.set_http_server(server.get());
  return server;
}

HttpServer::HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() {
  state_->host.set_http_server(nullptr);
  state_->stop();
}

http::Service& HttpServer::service() { return *state_->shared->service; }
std::string HttpServer::origin() const { return state_->endpoints.front().origin(); }

std::optional<std::string> HttpServer::https_origin() const {
  for (const auto& listener : state_->listeners) {
    if (listener->tls) return state_->endpoints[listener->endpoint].origin();
  }
  return std::nullopt;
}

std::string HttpServer::address() const { return state_->shared->service->address(); }
std::string HttpServer::sign_in_link() {
  return state_->shared->service->sign_in_link(state_->host.now());
}
std::size_t HttpServer::connections() const { return state_->connections.size(); }

std::vector<const base::Shares*> HttpServer::bounds() const {
  auto out = state_->shared->service->bounds();
  out.push_back(&state_->places.connections);
  out.push_back(&state_->places.input);
  return out;
}

}  // namespace meshstow::io
