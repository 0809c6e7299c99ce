// reticulum/network_for_test.hpp: endpoints joined by virtual wires in virtual time. No socket, no
// clock.
//
// Wires delay, lose, repeat, reorder (by jitter) and corrupt; every choice comes from one seed.
#pragma once

#include <array>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>

#include "crypto/hash.hpp"
#include "reticulum/endpoint.hpp"
#include "reticulum/wire.hpp"

namespace meshstow::reticulum {

struct WireOptions {
  Duration delay = std::chrono::milliseconds(1);
  Duration jitter{0};  // added at random: packets overtake one another
  double loss = 0;
  double repeat = 0;
  double corrupt = 0;
  std::uint64_t bytes_per_second = 0;  // 0: without limit
  InterfaceInfo interface {};
};

struct Content {
  ContentStarted started;
  Bytes value;
  std::uint64_t size = 0;
  std::size_t largest_piece = 0;
  bool done = false;
  std::optional<Errc> failed;
  Hash32 sha256;
};

class TestNode {
 public:
  explicit TestNode(std::uint64_t seed, EndpointOptions options = {})
      : rng(seed), endpoint(rng, options), identity(Identity::generate(rng)) {}

  // Called with every event, after it was recorded.
  std::function<void(const Event&)> on_event;
  bool takes_content = true;   // calls content_taken by itself
  bool keeps_content = false;  // keeps the bytes, not only their hash
  std::function<Bytes(const ContentWanted&)> supplies;

  base::SeededRng rng;
  Endpoint endpoint;
  Identity identity;
  DestinationHash destination;
  std::vector<Event> events;  // all but pieces
  std::map<TransferId, Content> contents;

  template <class T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> out;
    for (const Event& event : events) {
      if (const T* found = std::get_if<T>(&event)) out.push_back(*found);
    }
    return out;
  }
  template <class T>
  [[nodiscard]] std::size_t count() const {
    return all<T>().size();
  }
  template <class T>
  [[nodiscard]] T last() const {
    const auto found = all<T>();
    return found.empty() ? T{} : found.back();
  }
  [[nodiscard]] const Content* content(ContentKind kind) const {
    for (auto it = contents.rbegin(); it != contents.rend(); ++it) {
      if (it->second.started.kind == kind) return &it->second;
    }
    return nullptr;
  }

 private:
  friend class TestNetwork;
  void record(Now now, const Event& event);
  std::map<TransferId, crypto::Sha256> hashes_;
};

inline void TestNode::record(Now now, const Event& event) {
  if (const auto* started = std::get_if<ContentStarted>(&event)) {
    EXPECT_FALSE(contents.contains(started->transfer));
    contents[started->transfer].started = *started;
  } else if (const auto* piece = std::get_if<ContentPiece>(&event)) {
    Content& content = contents.at(piece->transfer);
    EXPECT_EQ(piece->offset, content.size);
    EXPECT_FALSE(content.done || content.failed);
    content.size += piece->bytes.size();
    content.largest_piece = std::max(content.largest_piece, piece->bytes.size());
    hashes_[piece->transfer].update(piece->bytes);
    if (keeps_content) base::append(content.value, piece->bytes);
    if (takes_content) endpoint.content_taken(now, piece->transfer);
  } else if (const auto* done = std::get_if<ContentDone>(&event)) {
    Content& content = contents.at(done->transfer);
    EXPECT_EQ(content.size, content.started.size);
    EXPECT_FALSE(content.done || content.failed);
    content.done = true;
    content.sha256 = hashes_[done->transfer].finish();
  } else if (const auto* failed = std::get_if<ContentFailed>(&event)) {
    Content& content = contents.at(failed->transfer);
    EXPECT_FALSE(content.done || content.failed);
    content.failed = failed->why;
  } else if (const auto* wanted = std::get_if<ContentWanted>(&event)) {
    if (supplies) {
      EXPECT_TRUE(endpoint.supply(now, wanted->transfer, supplies(*wanted)));
    }
  }
  if (!std::holds_alternative<ContentPiece>(event)) events.push_back(event);
  if (on_event) on_event(event);
}

class TestNetwork {
 public:
  explicit TestNetwork(std::uint64_t seed = 1) : rng_(seed) {}

  TestNode& add(EndpointOptions options = {}) {
    nodes_.push_back(std::make_unique<TestNode>(1000 + nodes_.size(), options));
    return *nodes_.back();
  }
  // Every node has the same interface id towards one wire.
  InterfaceId connect(TestNode& a, TestNode& b, const WireOptions& options = {}) {
    const InterfaceId id = next_interface_++;
    wires_[id] = {options, {&a, &b}};
    a.endpoint.interface_up(now_, id, options.interface);
    b.endpoint.interface_up(now_, id, options.interface);
    return id;
  }
  WireOptions& wire(InterfaceId id) { return wires_.at(id).options; }
  void cut(InterfaceId id) {
    for (TestNode* end : wires_.at(id).ends) end->endpoint.interface_down(now_, id);
  }

  [[nodiscard]] Now now() const { return now_; }
  void set_wall(WallTime wall) { now_.wall = wall; }

  // Runs until `done`, or until nothing can happen any more, or for `limit` of virtual time.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(60)) {
    const TimePoint end = now_.mono + limit;
    while (true) {
      TimePoint next = drain();
      if (!in_flight_.empty()) next = std::min(next, in_flight_.begin()->first);
      if (done()) return true;
      if (next > end) {
        if (end > now_.mono) advance(end);
        return done();
      }
      advance(next);
      deliver();
    }
  }
  void run_for(Duration duration) {
    run_until([] { return false; }, duration);
  }

  std::uint64_t bytes_on_wire = 0;
  std::uint64_t packets_on_wire = 0;
  // Sees every packet, and may change it; false drops it.
  std::function<bool(TestNode& from, Bytes& packet)> on_packet;

 private:
  struct WireState {
    WireOptions options;
    std::array<TestNode*, 2> ends{};
    std::map<TestNode*, TimePoint> busy_until;  // per direction
  };
  struct InFlight {
    TestNode* to;
    InterfaceId interface;
    Bytes packet;
  };

  void advance(TimePoint to) {
    if (to > now_.mono) {
      now_.wall += to - now_.mono;
      now_.mono = to;
    }
  }

  // Everything the nodes have to say; the next deadline.
  TimePoint drain() {
    TimePoint next = kNever;
    bool again = true;
    while (again) {
      again = false;
      next = kNever;
      for (const auto& node : nodes_) {
        while (true) {
          Output output = node->endpoint.poll();
          if (const auto* deadline = std::get_if<Deadline>(&output)) {
            next = std::min(next, deadline->when);
            break;
          }
          again = true;
          if (auto* transmit = std::get_if<Transmit>(&output)) {
            send(*node, std::move(*transmit));
          } else {
            node->record(now_, std::get<Event>(output));
          }
        }
      }
    }
    return next;
  }

  bool chance(double probability) {
    return probability > 0 && static_cast<double>(rng_.below(1'000'000)) < probability * 1'000'000;
  }

  void send(TestNode& from, Transmit transmit) {
    WireState& wire = wires_.at(transmit.interface);
    ++packets_on_wire;
    bytes_on_wire += transmit.packet.size();
    if (on_packet && !on_packet(from, transmit.packet)) return;
    const WireOptions& options = wire.options;
    TestNode* to = wire.ends[0] == &from ? wire.ends[1] : wire.ends[0];
    TimePoint leaves = now_.mono;
    if (options.bytes_per_second > 0) {
      TimePoint& busy = wire.busy_until[&from];
      const auto airtime =
          static_cast<Duration::rep>(transmit.packet.size() * 1'000'000 / options.bytes_per_second);
      busy = std::max(busy, now_.mono) + Duration{airtime};
      leaves = busy;
    }
    const int copies = chance(options.repeat) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      if (chance(options.loss)) continue;
      Bytes packet = transmit.packet;
      if (chance(options.corrupt)) {
        packet[rng_.below(packet.size())] ^= static_cast<Byte>(1 + rng_.below(255));
      }
      const Duration jitter{static_cast<Duration::rep>(
          rng_.below(static_cast<std::uint64_t>(options.jitter.count()) + 1))};
      in_flight_.emplace(leaves + options.delay + jitter,
                         InFlight{to, transmit.interface, std::move(packet)});
    }
  }

  void deliver() {
    for (const auto& node : nodes_) node->endpoint.handle_deadline(now_);
    while (!in_flight_.empty() && in_flight_.begin()->first <= now_.mono) {
      const InFlight arrived = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      arrived.to->endpoint.handle_packet(now_, arrived.interface, arrived.packet);
    }
  }

  base::SeededRng rng_;
  Now now_{TimePoint{} + std::chrono::hours(1), base::wall_from_unix_seconds(1'800'000'000)};
  std::vector<std::unique_ptr<TestNode>> nodes_;
  std::map<InterfaceId, WireState> wires_;
  InterfaceId next_interface_ = 1;
  std::multimap<TimePoint, InFlight> in_flight_;
};

// A server that announces "remotestorage.node", a client that has heard it, and perhaps a link.
struct Pair {
  explicit Pair(const WireOptions& options = {}, DestinationOptions served = {},
                std::uint64_t seed = 1)
      : network(seed), client(network.add()), server(network.add()) {
    served.accepts_resources = true;
    server.destination = server.endpoint.add_destination(network.now(), server.identity,
                                                         "remotestorage.node", served);
    wire = network.connect(client, server, options);
  }
  bool meet() {
    EXPECT_TRUE(server.endpoint.announce(network.now(), server.destination));
    return network.run_until([&] { return client.count<AnnounceHeard>() > 0; });
  }
  bool link_up() {
    link = client.endpoint.open_link(network.now(), server.destination).value();
    return network.run_until(
        [&] { return client.endpoint.link_info(link) && server.endpoint.link_info(link); });
  }
  bool ready() { return meet() && link_up(); }

  TestNetwork network;
  TestNode& client;
  TestNode& server;
  InterfaceId wire = 0;
  LinkId link;
};

inline Bytes random_bytes(std::size_t size, std::uint64_t seed = 7) {
  base::SeededRng rng(seed);
  Bytes out(size);
  rng.fill(out);
  return out;
}

// One MessagePack value of about that size.
inline Bytes packed_value(ByteView bytes) {
  Bytes out{0xC6};
  base::append_big_endian(out, static_cast<std::uint32_t>(bytes.size()));
  base::append(out, bytes);
  return out;
}

}  // namespace meshstow::reticulum
