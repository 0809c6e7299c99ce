// node/node_test_util.hpp: storage nodes and plain Reticulum programs on one wire, in virtual time.
//
// World owns time and the wire (a shared medium: everybody hears everybody). Home is a StorageNode
// with a store over the memory engine, executed inline. Program is a bare Endpoint that asks as any
// RNS program would. For tests only.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "codec/iso8601.hpp"
#include "codec/msgpack.hpp"
#include "crypto/hash.hpp"
#include "node/storage_node.hpp"
#include "protocol/message_reader.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/remote_storage.hpp"

namespace meshstow::node::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr reticulum::InterfaceId kWire = 1;

inline StoragePath path_of(std::string_view text) { return StoragePath::parse(text).value(); }

inline Bytes bytes_of(std::string_view text) { return base::to_bytes(base::as_bytes(text)); }

inline Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  base::SeededRng rng(seed);
  Bytes out(size);
  rng.fill(out);
  return out;
}

class World;

class Participant {
 public:
  virtual ~Participant() = default;
  virtual void receive(Now now, ByteView packet) = 0;
  virtual void on_time(Now now) = 0;
  virtual void connect(Now now, const reticulum::InterfaceInfo& info) = 0;
  virtual void disconnect(Now now) = 0;
  // Gives out everything that is ready; returns when it wants to be called.
  virtual TimePoint drain(World& world) = 0;

  Duration wall_error{};  // how wrong its clock is
  TimePoint due = kNever;
  bool connected = false;
};

class World {
 public:
  Duration latency = milliseconds(1);
  Bytes heard;           // every byte that was on the wire
  bool records = false;  // ... if asked for
  // True: this packet of this sender is lost.
  std::function<bool(const Participant&, ByteView packet)> jams;
  std::size_t packets = 0;

  explicit World(reticulum::InterfaceInfo wire = {}) : info_(std::move(wire)) {}

  void join(Participant& participant) {
    participants_.push_back(&participant);
    connect(participant);
  }
  void connect(Participant& participant) {
    participant.connected = true;
    participant.connect(now(participant), info_);
    settle(participant);
  }
  void disconnect(Participant& participant) {
    participant.connected = false;
    participant.disconnect(now(participant));
    settle(participant);
  }
  [[nodiscard]] Now now(const Participant& participant) const {
    return {time_,
            WallTime{seconds(1'770'000'000)} + time_.time_since_epoch() + participant.wall_error};
  }
  void settle(Participant& participant) { participant.due = participant.drain(*this); }

  void transmit(const Participant& from, Bytes packet) {
    ++packets;
    if (records) base::append(heard, packet);
    if (!from.connected || (jams && jams(from, packet))) return;
    flying_.emplace(time_ + latency, Flying{&from, std::move(packet)});
  }

  // Until `done` or for `most` of virtual time. Returns done().
  bool run(const std::function<bool()>& done, Duration most = std::chrono::minutes(10)) {
    const TimePoint end = time_ + most;
    while (!done()) {
      TimePoint next = flying_.empty() ? kNever : flying_.begin()->first;
      for (const Participant* each : participants_) next = std::min(next, each->due);
      if (next > end) {
        time_ = end;
        return done();
      }
      time_ = std::max(time_, next);
      step();
    }
    return true;
  }
  void run_for(Duration time) {
    run([] { return false; }, time);
  }

 private:
  struct Flying {
    const Participant* from;
    Bytes packet;
  };
  void step() {
    while (!flying_.empty() && flying_.begin()->first <= time_) {
      const Flying each = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      for (Participant* to : participants_) {
        if (to == each.from || !to->connected) continue;
        to->receive(now(*to), each.packet);
        settle(*to);
      }
    }
    for (Participant* each : participants_) {
      if (each->due > time_) continue;
      each->on_time(now(*each));
      settle(*each);
    }
  }

  reticulum::InterfaceInfo info_;
  TimePoint time_{seconds(1000)};
  std::multimap<TimePoint, Flying> flying_;
  std::vector<Participant*> participants_;
};

// What became of an operation of the client.
struct Followed {
  Bytes body;  // to send
  Bytes received;
  std::optional<protocol::StorageResponse> answer;
  std::optional<OperationFailed> failed;
  bool done = false;
  std::set<ClientStage> stages;
  std::size_t bodies_wanted_from_0 = 0;

  [[nodiscard]] bool ended() const { return done || failed; }
  [[nodiscard]] int status() const { return answer ? answer->status : 0; }
};

class Home final : public Participant {
 public:
  explicit Home(std::uint64_t seed, std::optional<std::uint64_t> quota = {},
                NodeOptions options = {})
      : rng_(seed), options_(options) {
    open_store(quota);
    node = std::make_unique<StorageNode>(identities(), options_, rng_);
  }

  void start(World& world) {
    world.join(*this);
    node->initialise(world.now(*this));
    world.settle(*this);
  }

  void receive(Now now, ByteView packet) override { node->handle_packet(now, kWire, packet); }
  void on_time(Now now) override { node->handle_deadline(now); }
  void connect(Now now, const reticulum::InterfaceInfo& info) override {
    node->interface_up(now, kWire, info);
  }
  void disconnect(Now now) override { node->interface_down(now, kWire); }

  TimePoint drain(World& world) override {
    for (;;) {
      NodeOutput output = node->poll();
      if (auto* transmit = std::get_if<reticulum::Transmit>(&output)) {
        world.transmit(*this, std::move(transmit->packet));
      } else if (auto* request = std::get_if<storage::StoreRequest>(&output)) {
        if (holds_store) {
          held.push_back(std::move(*request));
        } else {
          node->handle_store_reply(world.now(*this), execute(world.now(*this), *request));
        }
      } else if (auto* event = std::get_if<NodeEvent>(&output)) {
        take(world, std::move(*event));
      } else {
        return std::get<reticulum::Deadline>(output).when;
      }
    }
  }

  // The store, as a command on this machine would use it.
  storage::Outcome<storage::Answer> run(World& world, storage::Operation operation) {
    return execute(world.now(*this), {0, std::move(operation)}).outcome;
  }
  std::string put(World& world, std::string_view path, ByteView body,
                  std::string type = "text/plain") {
    const auto outcome =
        run(world, storage::PutDocument{path_of(path), std::move(type), {}, base::to_bytes(body)});
    return std::get<storage::WriteResult>(outcome.value()).etag.quoted();
  }
  std::optional<Bytes> get(World& world, std::string_view path) {
    auto outcome = run(world, storage::OpenDocument{.path = path_of(path), .max_bytes = 1 << 30});
    if (!outcome) return std::nullopt;
    auto& opened = std::get<storage::OpenedDocument>(*outcome);
    Bytes out = std::move(opened.first);
    while (out.size() < opened.info.size) {
      auto piece = run(world, storage::ReadDocument{opened.handle, out.size(), 1 << 20});
      base::append(out, std::get<storage::ReadPiece>(piece.value()).bytes);
    }
    if (opened.handle != 0) run(world, storage::CloseDocument{opened.handle}).value();
    return out;
  }
  storage::Usage usage(World& world) {
    return std::get<storage::Usage>(run(world, storage::ReadUsage{}).value());
  }

  // The client, until the operation has ended.
  Followed ask(World& world, protocol::Operation operation, const Home& at, std::string_view path,
               Bytes body = {}, std::string token = {}, std::string if_match = {}) {
    ClientRequest request;
    request.node = at.node->destination();
    request.path = path_of(path);
    request.token = std::move(token);
    request.if_match = std::move(if_match);
    const OperationId id = begin(world, operation, std::move(request), std::move(body));
    world.run([&] { return operations[id].ended(); });
    return operations[id];
  }
  OperationId begin(World& world, protocol::Operation operation, ClientRequest request,
                    Bytes body = {}) {
    const Now now = world.now(*this);
    request.body_size = body.size();
    if (operation == protocol::Operation::put) request.content_type = "text/x-test";
    OperationId id = 0;
    switch (operation) {
      case protocol::Operation::get: id = node->client().get(now, std::move(request)); break;
      case protocol::Operation::put: id = node->client().put(now, std::move(request)); break;
      case protocol::Operation::remove: id = node->client().remove(now, std::move(request)); break;
    }
    operations[id].body = std::move(body);
    world.settle(*this);
    return id;
  }

  std::string issue(World& world, std::string_view scope,
                    std::optional<reticulum::IdentityHash> holder = {},
                    std::optional<seconds> lifetime = {}) {
    access::TokenOrder order;
    order.scopes = access::parse_scopes(scope).value();
    order.holder = holder;
    order.lifetime = lifetime;
    order.label = "test";
    auto issued = node->tokens().issue(world.now(*this), order).value();
    run(world, storage::PutRecord{issued.record.key, issued.record.value}).value();
    return issued.text;
  }

  void revoke(World& world, const access::TokenId& id) {
    auto revocation = node->revoker().begin(world.now(*this), id).value();
    const access::StoredRecord& record = revocation.record();
    run(world, storage::PutRecord{record.key, record.value}).value();
    revocation.finish(/*stored=*/true);
  }

  // A new process over the same store and identities.
  void restart(World& world) {
    world.disconnect(*this);
    reader_.reset();
    storage_.reset();
    open_store({});
    node = std::make_unique<StorageNode>(*identities_, options_, rng_);
    operations.clear();
    events.clear();
    world.connect(*this);
    node->initialise(world.now(*this));
    world.settle(*this);
  }

  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    std::vector<Event> out;
    for (const NodeEvent& each : events) {
      if (const auto* found = std::get_if<Event>(&each)) out.push_back(*found);
    }
    return out;
  }

  NodeIdentities identities() {
    if (!identities_) {
      auto owner = reticulum::Identity::generate(rng_);
      auto device = reticulum::Identity::generate(rng_);
      access::KeyRing keys;
      keys.add(owner.hash(), space_key_);
      identities_.emplace(NodeIdentities{std::move(owner), std::move(device), std::move(keys)});
    }
    return *identities_;
  }

  std::unique_ptr<StorageNode> node;
  std::map<OperationId, Followed> operations;
  std::vector<NodeEvent> events;
  std::size_t uploads_begun = 0;
  std::size_t uploads_aborted = 0;
  bool holds_store = false;  // store requests pile up in `held`
  std::vector<storage::StoreRequest> held;
  void release_store(World& world) {
    holds_store = false;
    for (auto& request : std::exchange(held, {})) {
      node->handle_store_reply(world.now(*this), execute(world.now(*this), request));
      world.settle(*this);
    }
  }

 private:
  void open_store(std::optional<std::uint64_t> quota) {
    storage::StorageOptions options;
    options.quota = quota;
    storage_ = storage::RemoteStorage::open(storage::make_memory_store(disk_),
                                            make_space_sealer(space_key_, rng_), rng_, options, {})
                   .value();
    reader_ = storage_->make_reader().value();
  }
  storage::StoreReply execute(Now now, const storage::StoreRequest& request) {
    if (std::holds_alternative<storage::BeginUpload>(request.operation)) ++uploads_begun;
    if (std::holds_alternative<storage::AbortUpload>(request.operation)) ++uploads_aborted;
    if (!storage::is_write(request.operation)) return reader_->execute(request);
    return storage_->execute_batch(now, std::span(&request, 1)).front();
  }
  void take(World& world, NodeEvent event) {
    if (const auto* of_client = std::get_if<ClientEvent>(&event)) return follow(world, *of_client);
    events.push_back(std::move(event));
  }
  void follow(World& world, const ClientEvent& event) {
    const Now now = world.now(*this);
    if (const auto* wanted = std::get_if<BodyWanted>(&event)) {
      Followed& at = operations[wanted->operation];
      if (wanted->offset == 0) ++at.bodies_wanted_from_0;
      const ByteView rest = ByteView(at.body).subspan(wanted->offset);
      node->client().supply_body(now, wanted->operation,
                                 rest.first(std::min(rest.size(), wanted->size)));
    } else if (const auto* body = std::get_if<BodyReceived>(&event)) {
      base::append(operations[body->operation].received, body->bytes);
      node->client().body_taken(now, body->operation);
    } else if (const auto* answer = std::get_if<AnswerReceived>(&event)) {
      operations[answer->operation].answer = answer->response;
    } else if (const auto* failed = std::get_if<OperationFailed>(&event)) {
      operations[failed->operation].failed = *failed;
    } else if (const auto* done = std::get_if<OperationDone>(&event)) {
      operations[done->operation].done = true;
    } else if (const auto* progress = std::get_if<OperationProgress>(&event)) {
      operations[progress->operation].stages.insert(progress->stage);
    }
  }

  base::SeededRng rng_;
  NodeOptions options_;
  access::SpaceKey space_key_ = access::SpaceKey::generate(rng_);
  std::optional<NodeIdentities> identities_;
  std::shared_ptr<storage::MemoryDisk> disk_ = storage::make_memory_disk();
  std::unique_ptr<storage::RemoteStorage> storage_;
  std::unique_ptr<storage::StorageReader> reader_;
};

}  // namespace meshstow::node::test
