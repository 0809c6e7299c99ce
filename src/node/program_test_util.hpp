// node/program_test_util.hpp: a program that speaks Reticulum and storage messages, and nothing
// else of ours: what somebody writes in Python on RNS. For tests only.
#pragma once

#include "node/node_test_util.hpp"

namespace meshstow::node::test {

// An answer, read and verified.
struct Reply {
  protocol::AnyMessage message;
  protocol::Form form = protocol::Form::msgpack;
  Bytes data;
  bool has_data = false;
  bool genuine = false;
  Bytes raw;

  [[nodiscard]] const protocol::StorageResponse* response() const {
    return std::get_if<protocol::StorageResponse>(&message);
  }
  [[nodiscard]] const protocol::StorageError* error() const {
    return std::get_if<protocol::StorageError>(&message);
  }
  // "200", or "STORE004 400"; "" if there is no answer that could be read.
  [[nodiscard]] std::string verdict() const {
    if (const auto* ok = response()) return std::to_string(ok->status);
    const auto* no = error();
    if (no == nullptr) return "";
    return std::string(protocol::to_text(no->code)) + ' ' + std::to_string(no->status.value_or(0));
  }
  [[nodiscard]] std::string etag() const {
    return response() == nullptr ? "" : response()->headers.etag.value_or("");
  }
  [[nodiscard]] std::string text() const { return base::to_string(data); }
};

// What to ask. Everything has a default that is right.
struct Question {
  protocol::Operation operation = protocol::Operation::get;
  std::string path;
  std::optional<Bytes> data;
  protocol::Headers headers;
  protocol::Form form = protocol::Form::msgpack;
  std::string timestamp = "2026-03-01T12:00:00.000001Z";
  const reticulum::Identity* signer = nullptr;  // nullptr: the program's own
  std::optional<reticulum::LinkId> signed_for;  // nullopt: the link it is asked on
  bool is_signed = true;
};

inline Question get(std::string path) { return {.path = std::move(path)}; }
inline Question put(std::string path, std::string_view text) {
  Question out{.operation = protocol::Operation::put, .path = std::move(path)};
  out.data = bytes_of(text);
  out.headers.content_type = "text/plain";
  return out;
}
inline Question remove(std::string path) {
  return {.operation = protocol::Operation::remove, .path = std::move(path)};
}
inline Question with_token(Question question, const std::string& token) {
  question.headers.authorization = "Bearer " + token;
  return question;
}

class Program final : public Participant {
 public:
  explicit Program(std::uint64_t seed)
      : rng_(seed), identity(reticulum::Identity::generate(rng_)), endpoint(rng_) {}

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
        take(world, *event);
      } else {
        return std::get<reticulum::Deadline>(output).when;
      }
    }
  }

  // Opens a link to the node and, if asked to, identifies on it.
  void link_to(World& world, const Home& home, const reticulum::Identity* as) {
    node_ = home.node->destination();
    if (!endpoint.known(node_)) {
      endpoint.request_path(world.now(*this), node_);
      world.settle(*this);
      ASSERT_TRUE(world.run([&] { return endpoint.known(node_).has_value(); }));
    }
    link = endpoint.open_link(world.now(*this), node_).value();
    established_ = false;
    world.settle(*this);
    ASSERT_TRUE(world.run([&] { return established_; }));
    if (as != nullptr) identify(world, *as);
  }
  void identify(World& world, const reticulum::Identity& as) {
    ASSERT_TRUE(endpoint.identify(world.now(*this), link, as));
    world.settle(*this);
  }
  void close(World& world) {
    endpoint.close_link(world.now(*this), link);
    world.settle(*this);
  }

  // The packed value of a question: a map, or JSON text as str or bin.
  [[nodiscard]] Bytes pack(const Question& question) const {
    protocol::StorageRequest request;
    request.operation = question.operation;
    request.path = question.path;
    request.headers = question.headers;
    request.timestamp = question.timestamp;
    const reticulum::Identity& by = question.signer == nullptr ? identity : *question.signer;
    protocol::Signer signer;
    if (question.is_signed) signer = [&](ByteView message) { return by.sign(message); };
    const auto for_link = question.signed_for.value_or(link);
    if (question.form != protocol::Form::msgpack) {
      std::optional<ByteView> data;
      if (question.data) data = *question.data;
      return protocol::write_request_json(question.form, request, data, for_link, signer);
    }
    std::optional<protocol::OutgoingData> data;
    if (question.data) {
      data = protocol::OutgoingData{question.data->size(), crypto::sha256(*question.data)};
    }
    const auto message = protocol::write_request(request, data, for_link, signer);
    return base::concat(
        {message.head, question.data ? ByteView(*question.data) : ByteView(), message.tail});
  }

  // Sends a packed value; the answer is in `answers` once it has come.
  reticulum::RequestId send(World& world, ByteView value,
                            std::string_view request_path = "/storage") {
    reticulum::RequestOptions options;
    options.timeout = request_timeout;
    const auto sent = endpoint.send_request(world.now(*this), link, request_path, value, options);
    world.settle(*this);
    return sent.value().id;
  }
  // Waits for the answer; nullopt if none comes.
  std::optional<Bytes> wait(World& world, const reticulum::RequestId& id) {
    world.run([&] { return answers.contains(id) || lost.contains(id); });
    const auto found = answers.find(id);
    return found == answers.end() ? std::nullopt : std::optional(found->second);
  }
  Reply ask(World& world, const Question& question) { return ask_packed(world, pack(question)); }
  Reply ask_packed(World& world, ByteView value) {
    const auto raw = wait(world, send(world, value));
    return raw ? read(*raw) : Reply{};
  }

  [[nodiscard]] Reply read(ByteView raw) const {
    Reply out;
    out.raw = base::to_bytes(raw);
    protocol::MessageReader reader([&](ByteView piece) {
      base::append(out.data, piece);
      return Result<void>();
    });
    if (!reader.feed(raw) || !reader.finish()) return out;
    out.message = reader.message();
    out.form = reader.form();
    out.has_data = reader.has_data();
    const auto known = endpoint.known(node_);
    out.genuine = known && reader.verify(link, known->identity.signing_key()).has_value();
    return out;
  }

 private:
  base::SeededRng rng_;

 public:
  reticulum::Identity identity;
  reticulum::Endpoint endpoint;
  reticulum::LinkId link;
  std::map<reticulum::RequestId, Bytes> answers;
  std::set<reticulum::RequestId> lost;
  std::vector<reticulum::AnnounceHeard> announces;
  Duration request_timeout = seconds(60);
  bool link_closed = false;
  std::uint64_t sent_so_far = 0;  // of the last outgoing transfer
  std::uint64_t received = 0;     // of all answers

 private:
  void take(World& world, reticulum::Event& event) {
    if (const auto* established = std::get_if<reticulum::LinkEstablished>(&event)) {
      established_ = established_ || established->link == link;
    } else if (const auto* closed = std::get_if<reticulum::LinkClosed>(&event)) {
      link_closed = link_closed || closed->link == link;
    } else if (auto* heard = std::get_if<reticulum::AnnounceHeard>(&event)) {
      announces.push_back(std::move(*heard));
    } else if (const auto* started = std::get_if<reticulum::ContentStarted>(&event)) {
      coming_[started->transfer] = {started->request, {}};
    } else if (const auto* piece = std::get_if<reticulum::ContentPiece>(&event)) {
      base::append(coming_[piece->transfer].second, piece->bytes);
      received += piece->bytes.size();
      endpoint.content_taken(world.now(*this), piece->transfer);
    } else if (const auto* done = std::get_if<reticulum::ContentDone>(&event)) {
      auto& [request, bytes] = coming_[done->transfer];
      answers[request] = std::move(bytes);
    } else if (const auto* late = std::get_if<reticulum::RequestTimedOut>(&event)) {
      lost.insert(late->request);
    } else if (const auto* progress = std::get_if<reticulum::ContentProgress>(&event)) {
      sent_so_far = progress->done;
    }
  }

  reticulum::DestinationHash node_;
  bool established_ = false;
  std::map<reticulum::TransferId, std::pair<reticulum::RequestId, Bytes>> coming_;
};

}  // namespace meshstow::node::test
