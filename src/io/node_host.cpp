#include "io/node_host.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>

#include "base/check.hpp"
#include "base/mesh_limits.hpp"
#include "codec/hex.hpp"
#include "io/clock.hpp"
#include "io/home_store.hpp"
#include "io/known_file.hpp"
#include "io/log.hpp"
#include "io/os_rng.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kSaveKnownEvery = std::chrono::seconds(10);
constexpr auto kReadUsageEvery = std::chrono::seconds(1);
constexpr auto kClosePatience = std::chrono::milliseconds(1000);
// A sleeping machine stops the timer but not time: look again this often.
constexpr Duration kLongestSleep = std::chrono::seconds(60);

// The document that a write changes, if it is one that changes documents.
std::optional<node::DocumentChanged> change_of(const storage::Operation& operation) {
  if (const auto* put = std::get_if<storage::PutDocument>(&operation)) {
    return node::DocumentChanged{put->path, {}, false};
  }
  if (const auto* remove = std::get_if<storage::RemoveDocument>(&operation)) {
    return node::DocumentChanged{remove->path, {}, true};
  }
  if (const auto* restore = std::get_if<storage::RestoreVersion>(&operation)) {
    return node::DocumentChanged{restore->path, {}, false};
  }
  return std::nullopt;
}

node::OperationFailed cancelled(node::OperationId operation) {
  node::OperationFailed out;
  out.operation = operation;
  out.why = {Errc::unavailable, "cancelled"};
  out.error.message = "cancelled";
  return out;
}

// Without a quota there is as much space as the disk has, which the store cannot know.
void add_disk_space(storage::Outcome<storage::Answer>& outcome, const Home& home) {
  auto* usage = outcome ? std::get_if<storage::Usage>(&*outcome) : nullptr;
  if (usage == nullptr) return;
  const auto disk = probe_disk(home.directory());
  if (disk) usage->space_left = std::min(usage->space_left, disk->room());
}

struct ConnectedWaiter {
  explicit ConnectedWaiter(asio::io_context& loop) : timer(loop) {}
  asio::steady_timer timer;
  std::function<void(bool)> done;
};

}  // namespace

struct NodeHost::State : std::enable_shared_from_this<NodeHost::State> {
  State(asio::io_context& io, Home& of)
      : loop(io), home(of), known_file(of.known_file()), timer(io), usage_timer(io) {}

  void make_node(const MeshOptions& options, Ready when_ready);
  tl::expected<void, std::string> open_network(const MeshOptions& options);
  void interface_up(reticulum::InterfaceId id, reticulum::InterfaceInfo info);
  void packet_in(reticulum::InterfaceId from, ByteView packet);

  void wake();
  void pump();
  [[nodiscard]] TimePoint see_to_outputs();
  void run_store_request(storage::StoreRequest request);
  void sleep_until(TimePoint when);
  void handle_event(node::NodeEvent& event);
  void handle_client_event(node::ClientEvent& event);
  void give_body(const OperationHooks& hooks, node::BodyReceived& piece);
  void want_body(const OperationHooks& hooks, const node::BodyWanted& wanted);
  void end_operation(node::OperationId id, tl::expected<void, node::OperationFailed> how);
  void initialised(tl::expected<void, std::string> how);

  void document_changed(const node::DocumentChanged& change, bool ours);
  void read_usage_soon();
  void load_known();
  void save_known();
  void finish_close(std::function<void()> done);
  void dismantle();

  asio::io_context& loop;
  Home& home;
  OsRng rng;
  std::unique_ptr<DiskThread> disk;
  std::unique_ptr<CareJobs> care;
  std::unique_ptr<node::StorageNode> node;
  KnownFile known_file;
  std::unique_ptr<Interfaces> interfaces;
  std::unique_ptr<MeshNetwork> network;
  asio::steady_timer timer;
  asio::steady_timer usage_timer;

  Ready ready;
  bool pump_due = false;
  bool deadline_due = false;
  bool usage_due = false;
  bool is_initialised = false;
  bool gone = false;
  std::map<node::OperationId, std::shared_ptr<OperationHooks>> operations;
  std::map<int, ChangeListener> listeners;
  int last_listener = 0;
  std::vector<std::shared_ptr<ConnectedWaiter>> waiters;
  TimePoint saved_at{};
  HttpServer* http_server = nullptr;
};

HomeResult<std::unique_ptr<NodeHost>> NodeHost::open(asio::io_context& loop, Home& home) {
  auto state = std::make_shared<State>(loop, home);
  auto store = open_home_store(home.store_file(), home.identities(), home.settings(), state->rng);
  if (!store) return tl::unexpected(store.error());
  auto disk = DiskThread::start(loop, std::move(*store),
                                [directory = home.directory()] { return probe_disk(directory); });
  if (!disk) {
    return tl::unexpected("cannot read " + home.store_file().string() + ": " + disk.error().detail);
  }
  state->disk = std::move(*disk);
  state->care = std::make_unique<CareJobs>(loop, *state->disk);
  return std::unique_ptr<NodeHost>(new NodeHost(std::move(state)));
}

NodeHost::NodeHost(std::shared_ptr<State> state) : state_(std::move(state)) {}
NodeHost::~NodeHost() { state_->dismantle(); }

void NodeHost::join(const MeshOptions& options, Ready ready) {
  state_->make_node(options, std::move(ready));
  if (auto opened = state_->open_network(options); !opened) {
    state_->interfaces.reset();
    asio::post(state_->loop,
               [state = state_, why = opened.error()] { state->initialised(tl::unexpected(why)); });
    return;
  }
  state_->node->initialise(now());
  state_->wake();
}

void NodeHost::start_offline(Ready ready) {
  MeshOptions options;
  options.announces = false;
  state_->make_node(options, std::move(ready));
  state_->node->initialise(now());
  state_->wake();
}

Now NodeHost::now() const { return read_clock(); }
node::StorageNode& NodeHost::node() { return *state_->node; }
void NodeHost::wake() { state_->wake(); }
const Home& NodeHost::home() const { return state_->home; }
asio::io_context& NodeHost::loop() { return state_->loop; }
void NodeHost::post(std::function<void()> call) { asio::post(state_->loop, std::move(call)); }
base::Rng& NodeHost::rng() { return state_->rng; }

std::vector<Address> NodeHost::listening() const {
  return state_->interfaces ? state_->interfaces->listening() : std::vector<Address>();
}

CareJobs& NodeHost::care() { return *state_->care; }
std::size_t NodeHost::store_queue() const { return state_->disk->queued_bytes(); }
storage::UploadId NodeHost::new_upload() { return state_->rng.next_u64(); }

NetworkStatus NodeHost::network() const {
  return state_->network ? state_->network->status() : NetworkStatus{};
}

void NodeHost::store(storage::Operation operation, DiskThread::Completion done) {
  auto change = change_of(operation);
  if (std::holds_alternative<storage::ReadUsage>(operation)) {
    return state_->disk->submit(std::move(operation),
                                [state = state_, done = std::move(done)](auto outcome) {
                                  add_disk_space(outcome, state->home);
                                  done(std::move(outcome));
                                });
  }
  if (!change) return state_->disk->submit(std::move(operation), std::move(done));
  state_->disk->submit(std::move(operation),
                       [state = state_, change = std::move(*change),
                        done = std::move(done)](storage::Outcome<storage::Answer> outcome) {
                         auto told = change;
                         const bool changed = outcome.has_value();
                         if (changed) {
                           if (const auto* result = std::get_if<storage::WriteResult>(&*outcome)) {
                             told.etag = result->etag;
                           }
                         }
                         done(std::move(outcome));
                         if (changed && !state->gone) state->document_changed(told, true);
                       });
}

void NodeHost::set_http_server(HttpServer* server) { state_->http_server = server; }
HttpServer* NodeHost::http_server() const { return state_->http_server; }

node::OperationId NodeHost::start(node::ClientRequest request, OperationHooks hooks) {
  node::StorageClient& client = state_->node->client();
  node::OperationId id = 0;
  switch (request.operation) {
    case protocol::Operation::get:
      id = request.path.is_folder() ? client.list(now(), std::move(request))
                                    : client.get(now(), std::move(request));
      break;
    case protocol::Operation::put: id = client.put(now(), std::move(request)); break;
    case protocol::Operation::remove: id = client.remove(now(), std::move(request)); break;
  }
  state_->operations[id] = std::make_shared<OperationHooks>(std::move(hooks));
  state_->wake();
  return id;
}

void NodeHost::cancel(node::OperationId operation) {
  if (!state_->operations.contains(operation)) return;
  state_->node->client().cancel(now(), operation);
  state_->wake();
  asio::post(state_->loop, [state = state_, operation] {
    if (!state->gone) state->end_operation(operation, tl::unexpected(cancelled(operation)));
  });
}

int NodeHost::add_change_listener(ChangeListener listener) {
  state_->listeners[++state_->last_listener] = std::move(listener);
  return state_->last_listener;
}

void NodeHost::remove_listener(int number) { state_->listeners.erase(number); }

void NodeHost::when_connected(Duration patience, std::function<void(bool)> done) {
  const auto& interfaces = state_->interfaces;
  const bool connected = interfaces && interfaces->up_count() > 0;
  if (connected || !interfaces || !interfaces->has_any()) {
    asio::post(state_->loop, [done = std::move(done), connected] { done(connected); });
    return;
  }
  auto waiter = std::make_shared<ConnectedWaiter>(state_->loop);
  waiter->done = std::move(done);
  waiter->timer.expires_after(patience);
  waiter->timer.async_wait([waiter](error_code) {
    if (auto call = std::exchange(waiter->done, nullptr)) call(false);
  });
  state_->waiters.push_back(std::move(waiter));
}

void NodeHost::close(std::function<void()> done) {
  auto state = state_;
  if (state->node) {
    for (const auto& [id, hooks] : state->operations) state->node->client().cancel(now(), id);
    state->node->endpoint().close_all_links(now());
  }
  auto ended = std::exchange(state->operations, {});
  asio::post(state->loop, [state, ended = std::move(ended), done = std::move(done)]() mutable {
    for (const auto& [id, hooks] : ended) {
      if (hooks->done) hooks->done(tl::unexpected(cancelled(id)));
    }
    if (state->gone) return;
    if (state->node) state->pump();
    state->disk->when_idle(
        [state, done = std::move(done)]() mutable { state->finish_close(std::move(done)); });
  });
}

void NodeHost::State::make_node(const MeshOptions& options, Ready when_ready) {
  MESHSTOW_CHECK(!node);
  ready = std::move(when_ready);
  node::NodeOptions node_options;
  node_options.announces = options.announces;
  node = std::make_unique<node::StorageNode>(home.identities(), node_options, rng);
  load_known();
}

void NodeHost::State::load_known() {
  if (node->endpoint().import_known(known_file.load())) return;
  log_warning("some known destinations were forgotten: " + home.known_file().string() +
              " was cut short");
  known_file.repair();
}

tl::expected<void, std::string> NodeHost::State::open_network(const MeshOptions& options) {
  InterfaceSink sink;
  sink.up = [this](auto id, auto info) { interface_up(id, std::move(info)); };
  sink.down = [this](auto id) {
    node->interface_down(read_clock(), id);
    wake();
  };
  sink.packet = [this](auto id, ByteView packet) { packet_in(id, packet); };
  interfaces = std::make_unique<Interfaces>(loop, std::move(sink));
  auto opened = MeshNetwork::open(*interfaces, options, (home.directory() / "config").string());
  if (!opened) return tl::unexpected(opened.error());
  network = std::move(*opened);
  return {};
}

// What a packet sets off is done at once: the time counts as that of its connection.
void NodeHost::State::packet_in(reticulum::InterfaceId from, ByteView packet) {
  const auto alive = shared_from_this();
  node->handle_packet(read_clock(), from, packet);
  (void)see_to_outputs();
  wake();
}

void NodeHost::State::interface_up(reticulum::InterfaceId id, reticulum::InterfaceInfo info) {
  node->interface_up(read_clock(), id, std::move(info));
  wake();
  for (auto& waiter : std::exchange(waiters, {})) {
    waiter->timer.cancel();
    if (auto call = std::exchange(waiter->done, nullptr)) call(true);
  }
}

// However much comes in during one turn of the loop: it is seen to once, and never from inside a
// call.
void NodeHost::State::wake() {
  if (pump_due || gone) return;
  pump_due = true;
  asio::post(loop, [state = shared_from_this()] {
    if (!state->gone) state->pump();
  });
}

void NodeHost::State::pump() {
  pump_due = false;
  if (std::exchange(deadline_due, false)) node->handle_deadline(read_clock());
  const TimePoint due = see_to_outputs();
  if (gone) return;
  if (read_clock().mono - saved_at >= kSaveKnownEvery) save_known();
  sleep_until(due);
}

// The next deadline.
TimePoint NodeHost::State::see_to_outputs() {
  for (;;) {
    node::NodeOutput output = node->poll();
    if (auto* packet = std::get_if<reticulum::Transmit>(&output)) {
      if (interfaces) interfaces->send(packet->interface, packet->packet);
    } else if (auto* request = std::get_if<storage::StoreRequest>(&output)) {
      run_store_request(std::move(*request));
    } else if (auto* event = std::get_if<node::NodeEvent>(&output)) {
      handle_event(*event);
      if (gone) return kNever;
    } else {
      return std::get<reticulum::Deadline>(output).when;
    }
  }
}

void NodeHost::State::run_store_request(storage::StoreRequest request) {
  disk->submit(std::move(request.operation), [state = shared_from_this(), number = request.number](
                                                 storage::Outcome<storage::Answer> outcome) {
    if (state->gone) return;
    add_disk_space(outcome, state->home);
    state->node->handle_store_reply(read_clock(), {number, std::move(outcome)});
    state->wake();
  });
}

void NodeHost::State::sleep_until(TimePoint when) {
  if (when == kNever) {
    timer.cancel();
    return;
  }
  const Duration left = when - read_clock().mono;
  if (left <= Duration::zero()) {
    // Not by a timer that is due at once: below libfaketime such a timer of Asio's never fires.
    timer.cancel();
    deadline_due = true;
    return wake();
  }
  timer.expires_after(std::min(left, kLongestSleep));
  timer.async_wait([weak = weak_from_this(), when](error_code error) {
    const auto state = weak.lock();
    if (error || !state || state->gone) return;
    const Now now = read_clock();
    if (now.mono < when) return state->sleep_until(when);
    state->node->handle_deadline(now);
    state->wake();
  });
}

void NodeHost::State::handle_event(node::NodeEvent& event) {
  if (std::holds_alternative<node::Initialised>(event)) {
    initialised({});
  } else if (const auto* failed = std::get_if<node::InitialiseFailed>(&event)) {
    initialised(tl::unexpected("the store " + home.store_file().string() +
                               " cannot be read: " + failed->why.detail));
  } else if (const auto* damaged = std::get_if<node::TokenDamaged>(&event)) {
    log_warning("the record of token <" + codec::to_hex(damaged->id) +
                "> is damaged: the token opens nothing any more");
  } else if (const auto* changed = std::get_if<node::DocumentChanged>(&event)) {
    document_changed(*changed, false);
  } else if (const auto* heard = std::get_if<node::PeerHeard>(&event)) {
    if (logs(LogLevel::info)) {
      log_info("heard storage node <" + codec::to_hex(heard->peer.destination) + ">, " +
               std::to_string(heard->peer.hops) + " hops away");
    }
  } else if (auto* client = std::get_if<node::ClientEvent>(&event)) {
    handle_client_event(*client);
  }
}

void NodeHost::State::initialised(tl::expected<void, std::string> how) {
  if (gone) return;
  is_initialised = how.has_value();
  const auto tell = [this](tl::expected<void, std::string> result) {
    if (auto call = std::exchange(ready, nullptr)) call(std::move(result));
  };
  if (!is_initialised || !network) return tell(std::move(how));
  network->start([tell] { tell({}); });
}

void NodeHost::State::handle_client_event(node::ClientEvent& event) {
  const auto id = std::visit([](const auto& each) { return each.operation; }, event);
  const auto found = operations.find(id);
  if (found == operations.end()) return;
  const std::shared_ptr<OperationHooks> hooks = found->second;  // outlives what it is told
  if (const auto* wanted = std::get_if<node::BodyWanted>(&event)) {
    want_body(*hooks, *wanted);
  } else if (const auto* answer = std::get_if<node::AnswerReceived>(&event)) {
    if (hooks->answer) hooks->answer(answer->response);
  } else if (auto* piece = std::get_if<node::BodyReceived>(&event)) {
    give_body(*hooks, *piece);
  } else if (const auto* progress = std::get_if<node::OperationProgress>(&event)) {
    if (hooks->progress) hooks->progress(*progress);
  } else if (auto* failed = std::get_if<node::OperationFailed>(&event)) {
    end_operation(id, tl::unexpected(std::move(*failed)));
  } else {
    end_operation(id, {});
  }
}

void NodeHost::State::want_body(const OperationHooks& hooks, const node::BodyWanted& wanted) {
  const auto id = wanted.operation;
  if (!hooks.body_wanted) {
    node->client().cancel(read_clock(), id);
    return end_operation(id, tl::unexpected(cancelled(id)));
  }
  hooks.body_wanted(wanted.offset, wanted.size, [weak = weak_from_this(), id](ByteView bytes) {
    const auto state = weak.lock();
    if (!state || state->gone || !state->operations.contains(id)) return;
    state->node->client().supply_body(read_clock(), id, bytes);
    state->wake();
  });
}

void NodeHost::State::give_body(const OperationHooks& hooks, node::BodyReceived& piece) {
  const auto taken = [weak = weak_from_this(), id = piece.operation] {
    const auto state = weak.lock();
    if (!state || state->gone || !state->operations.contains(id)) return;
    state->node->client().body_taken(read_clock(), id);
    state->wake();
  };
  if (hooks.paced_body) return hooks.paced_body(std::move(piece.bytes), taken);
  if (hooks.body) hooks.body(piece.bytes);
  taken();
}

void NodeHost::State::end_operation(node::OperationId id,
                                    tl::expected<void, node::OperationFailed> how) {
  const auto found = operations.find(id);
  if (found == operations.end()) return;
  const std::shared_ptr<OperationHooks> hooks = found->second;
  operations.erase(found);
  if (hooks->done) hooks->done(std::move(how));
}

void NodeHost::State::document_changed(const node::DocumentChanged& change, bool ours) {
  const auto told = listeners;  // a listener may leave while it is told
  for (const auto& [number, listener] : told) {
    if (listeners.contains(number)) listener(change);
  }
  if (ours) read_usage_soon();
}

// The node announces how full the store is; a busy writer changes that more often than anyone asks.
void NodeHost::State::read_usage_soon() {
  if (usage_due || !is_initialised || gone) return;
  usage_due = true;
  usage_timer.expires_after(kReadUsageEvery);
  usage_timer.async_wait([weak = weak_from_this()](error_code error) {
    const auto state = weak.lock();
    if (error || !state || state->gone) return;
    state->usage_due = false;
    state->disk->submit(storage::ReadUsage{}, [state](storage::Outcome<storage::Answer> outcome) {
      add_disk_space(outcome, state->home);
      const auto* usage = outcome ? std::get_if<storage::Usage>(&*outcome) : nullptr;
      if (state->gone || usage == nullptr) return;
      state->node->usage_changed(read_clock(), *usage);
      state->wake();
    });
  });
}

// A piece of what changed: a flood of announces makes a long list, and not a longer turn.
void NodeHost::State::save_known() {
  if (known_file.busy()) return;
  saved_at = read_clock().mono;
  known_file.append(node->endpoint().take_known_changes(limits::kKnownChanges));
}

void NodeHost::State::finish_close(std::function<void()> done) {
  if (gone) return;
  if (node) {
    pump();  // what the last answers of the store set off
    known_file.append(node->endpoint().take_known_changes(limits::kKnownDestinations));
  }
  timer.cancel();
  usage_timer.cancel();
  if (interfaces) return interfaces->close_all(kClosePatience, std::move(done));
  done();
}

void NodeHost::State::dismantle() {
  gone = true;
  timer.cancel();
  usage_timer.cancel();
  for (auto& waiter : waiters) {
    waiter->done = nullptr;
    waiter->timer.cancel();
  }
  network.reset();
  interfaces.reset();
  care.reset();
  disk.reset();
  node.reset();
  ready = nullptr;
  operations.clear();
  listeners.clear();
}

}  // namespace meshstow::io
