// node/plain_node_test_util.hpp: a storage node that somebody else wrote: a bare Endpoint that
// answers requests as the test says, and remembers them as they came. For tests only.
#pragma once

#include "node/node_test_util.hpp"

namespace meshstow::node::test {

// A request as it came over the link, undone from the link's own encryption only.
struct Seen {
  reticulum::LinkId link;
  std::optional<reticulum::PublicIdentity> sender;
  Bytes value;
  protocol::StorageRequest request;
  Bytes data;
  bool genuine = false;
};

class PlainNode final : public Participant {
 public:
  explicit PlainNode(std::uint64_t seed)
      : rng_(seed), identity(reticulum::Identity::generate(rng_)), endpoint(rng_) {}

  // What to answer; nullopt: nothing.
  std::function<std::optional<Bytes>(const Seen&)> answers;
  std::vector<Seen> seen;
  std::optional<std::string> told_length;

  void start(World& world) {
    world.join(*this);
    destination = endpoint.add_destination(world.now(*this), identity, kDestinationName);
  }
  void receive(Now now, ByteView packet) override { endpoint.handle_packet(now, kWire, packet); }
  void on_time(Now now) override { endpoint.handle_deadline(now); }
  void connect(Now now, const reticulum::InterfaceInfo& info) override {
    endpoint.interface_up(now, kWire, info);
  }
  void disconnect(Now now) override { endpoint.interface_down(now, kWire); }
  TimePoint drain(World& world) override {
    for (;;) {
      reticulum::Output output = endpoint.poll();
      if (auto* transmit = std::get_if<reticulum::Transmit>(&output)) {
        world.transmit(*this, std::move(transmit->packet));
      } else if (auto* event = std::get_if<reticulum::Event>(&output)) {
        take(world.now(*this), *event);
      } else {
        return std::get<reticulum::Deadline>(output).when;
      }
    }
  }

  [[nodiscard]] Bytes respond(const Seen& to, int status, const std::optional<Bytes>& data,
                              const reticulum::Identity* signer) const {
    protocol::StorageResponse response;
    response.status = status;
    response.headers.etag = "\"tag\"";
    response.headers.content_length = told_length;
    response.timestamp = "2026-03-01T12:00:00Z";
    std::optional<protocol::OutgoingData> outgoing;
    if (data) outgoing = protocol::OutgoingData{data->size(), crypto::sha256(*data)};
    const auto message = protocol::write_response(response, outgoing, to.link, sign_as(signer));
    return base::concat({message.head, data ? ByteView(*data) : ByteView(), message.tail});
  }
  [[nodiscard]] static Bytes refuse(const Seen& to, protocol::StoreCode code,
                                    std::optional<int> status, const reticulum::Identity* signer) {
    protocol::StorageError error;
    error.code = code;
    error.status = status;
    error.message = "no";
    error.timestamp = "2026-03-01T12:00:00Z";
    return protocol::write_error(protocol::Form::msgpack, error, to.link, sign_as(signer));
  }

 private:
  static protocol::Signer sign_as(const reticulum::Identity* signer) {
    if (signer == nullptr) return {};
    return [signer](ByteView message) { return signer->sign(message); };
  }
  void take(Now now, const reticulum::Event& event) {
    if (const auto* started = std::get_if<reticulum::ContentStarted>(&event)) {
      coming_[started->transfer] = *started;
    } else if (const auto* piece = std::get_if<reticulum::ContentPiece>(&event)) {
      base::append(bytes_[piece->transfer], piece->bytes);
      endpoint.content_taken(now, piece->transfer);
    } else if (const auto* done = std::get_if<reticulum::ContentDone>(&event)) {
      answer(now, coming_[done->transfer], bytes_[done->transfer]);
    }
  }
  void answer(Now now, const reticulum::ContentStarted& started, Bytes& value) {
    Seen each{.link = started.link, .sender = endpoint.remote_identity(started.link)};
    each.value = std::move(value);
    protocol::MessageReader reader([&](ByteView piece) {
      base::append(each.data, piece);
      return Result<void>();
    });
    ASSERT_TRUE(reader.feed(each.value));
    ASSERT_TRUE(reader.finish());
    each.request = std::get<protocol::StorageRequest>(reader.message());
    each.genuine = each.sender && reader.verify(each.link, each.sender->signing_key()).has_value();
    seen.push_back(each);
    if (const auto out = answers(each)) {
      ASSERT_TRUE(endpoint.respond(now, started.link, started.request, *out));
    }
  }

  base::SeededRng rng_;
  std::map<reticulum::TransferId, reticulum::ContentStarted> coming_;
  std::map<reticulum::TransferId, Bytes> bytes_;

 public:
  reticulum::Identity identity;
  reticulum::Endpoint endpoint;
  reticulum::DestinationHash destination;
};

}  // namespace meshstow::node::test
