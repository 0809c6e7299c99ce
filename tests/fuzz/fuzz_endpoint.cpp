// A server endpoint with one link open, and a client link that belongs to the fuzzer: the input
// says what either sends, what is sealed and injected on top of it, what is lost, and how time
// passes.
//
// Checked: pieces come in order and without gaps, every content ends once and has its promised
// size, every transfer of ours ends once, and after half an hour of silence nothing is left.
#include <map>
#include <set>

#include "base/check.hpp"
#include "reticulum/link.hpp"
#include "reticulum/link_handshake.hpp"

namespace meshstow::reticulum {
namespace {

constexpr InterfaceId kWire = 1;
constexpr std::size_t kSteps = 200;

class Input {
 public:
  explicit Input(ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  Byte byte() { return empty() ? 0 : take(1)[0]; }
  std::size_t number() { return byte() * 256U + byte(); }
  ByteView bytes() { return take(byte() * 4U); }

 private:
  ByteView take(std::size_t count) {
    const ByteView out = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(out.size());
    return out;
  }
  ByteView bytes_;
};

// What one side was told of contents.
class Ledger {
 public:
  void record(const Event& event) {
    if (const auto* started = std::get_if<ContentStarted>(&event)) {
      MESHSTOW_CHECK(open_.emplace(started->transfer, *started).second);
      last_started = *started;
    } else if (const auto* piece = std::get_if<ContentPiece>(&event)) {
      MESHSTOW_CHECK(open_.contains(piece->transfer) && !piece->bytes.empty());
      MESHSTOW_CHECK(piece->offset == received_[piece->transfer]);
      received_[piece->transfer] += piece->bytes.size();
      MESHSTOW_CHECK(received_[piece->transfer] <= open_.at(piece->transfer).size);
      last_piece = piece->transfer;
    } else if (const auto* done = std::get_if<ContentDone>(&event)) {
      MESHSTOW_CHECK(received_[done->transfer] == open_.at(done->transfer).size);
      open_.erase(done->transfer);
    } else if (const auto* failed = std::get_if<ContentFailed>(&event)) {
      MESHSTOW_CHECK(open_.erase(failed->transfer) == 1);
    } else if (const auto* sent = std::get_if<ContentSent>(&event)) {
      MESHSTOW_CHECK(sending_.erase(sent->transfer) == 1);
    } else if (const auto* unsent = std::get_if<ContentUnsent>(&event)) {
      MESHSTOW_CHECK(sending_.erase(unsent->transfer) == 1);
    }
  }
  void sending(std::optional<TransferId> transfer) {
    if (transfer) sending_.insert(*transfer);
  }
  void check_ended() const { MESHSTOW_CHECK(open_.empty() && sending_.empty()); }

  std::optional<ContentStarted> last_started;
  TransferId last_piece = 0;

 private:
  std::map<TransferId, ContentStarted> open_;
  std::map<TransferId, std::uint64_t> received_;
  std::set<TransferId> sending_;
};

class Scene {
 public:
  Scene() : server_(rng_), services_(rng_, {}) {
    server_.interface_up(now_, kWire, {});
    const Identity identity = Identity::generate(rng_);
    destination_ = server_.add_destination(now_, identity, "remotestorage.node",
                                           {.accepts_resources = true, .max_request = 3'000'000});
    open_link(identity);
  }

  void step(Input& input) {
    const Byte op = input.byte();
    switch (op % 12) {
      case 0: deliver(input.bytes()); break;
      case 1: inject_sealed(input, true); break;
      case 2: inject_sealed(input, false); break;
      case 3: inject_clear(input); break;
      case 4: pass(Duration{static_cast<Duration::rep>(input.number()) * 1000}); break;
      case 5: lost_ = input.byte() % 8; break;
      case 6: client_sends(input.number()); break;
      case 7: client_asks(input.number()); break;
      case 8: server_answers(input.number()); break;
      case 9: server_.cancel(now_, ledger_.last_piece); break;
      case 10: server_.content_taken(now_, ledger_.last_piece); break;
      default: client_->transfers().cancel(now_.mono, client_transfer_); break;
    }
    settle();
  }

  void end() {
    for (int i = 0; i < 60; ++i) pass(std::chrono::seconds(30));
    server_.interface_down(now_, kWire);
    settle();
    ledger_.check_ended();
    MESHSTOW_CHECK(server_.counters().links == 0);
  }

 private:
  void open_link(const Identity& identity) {
    const auto key = crypto::X25519Key::generate(rng_);
    const Bytes data = pack_link_request({key.public_key(), {}, 8192});
    const Packet request{
        .type = PacketType::link_request, .destination = destination_, .data = data};
    server_.handle_packet(now_, kWire, pack_packet(request));
    server_.handle_deadline(now_);  // link requests wait for their turn
    const auto answer = std::get<Transmit>(server_.poll());
    const LinkId id = link_id_of(request);
    const auto packet = parse_packet(answer.packet).value();
    const auto proof = read_link_proof(packet.data, id, identity.public_identity()).value();
    const auto shared = agree_link_key(key, proof.encryption, id).value();
    injector_.emplace(services_, id, kWire, 8192, shared);
    client_.emplace(services_, now_.mono, LinkStart{.id = id, .interface = kWire, .mtu = 8192},
                    shared);
    client_->transfers().set_accepts_resources(true);
    settle();
  }

  void deliver(ByteView packet) { server_.handle_packet(now_, kWire, packet); }

  void to_client(ByteView raw) {
    const auto packet = parse_packet(raw);
    if (packet && packet->destination_type == DestinationType::link) {
      client_->handle_packet(now_.mono, *packet, packet_hash(*packet));
    }
  }

  void inject_sealed(Input& input, bool towards_server) {
    const auto context =
        static_cast<PacketContext>(input.byte() % 2 == 0 ? input.byte() : input.byte() % 16);
    const ByteView plaintext = input.bytes();
    const Bytes sealed = injector_->cipher().seal(plaintext, rng_);
    const Bytes packet = pack_packet({.destination_type = DestinationType::link,
                                      .context = context,
                                      .destination = injector_->id(),
                                      .data = sealed});
    towards_server ? deliver(packet) : to_client(packet);
  }

  void inject_clear(Input& input) {
    const Byte kind = input.byte();
    const auto context = static_cast<PacketContext>(input.byte());
    const ByteView data = input.bytes();
    deliver(pack_packet({.type = kind % 2 == 0 ? PacketType::data : PacketType::proof,
                         .destination_type = DestinationType::link,
                         .context = context,
                         .destination = injector_->id(),
                         .data = data}));
  }

  Bytes value_of(std::size_t size) {
    Bytes value(size + 1);
    rng_.fill(value);
    return value;
  }

  void client_sends(std::size_t size) {
    const auto sent = client_->send_resource(now_.mono, value_of(size), Bytes{0xC0}, false);
    if (sent) client_transfer_ = *sent;
  }

  void client_asks(std::size_t size) {
    // Errors (link closed, too many requests) are part of the game.
    (void)client_->send_request(now_, "/x", value_of(size), {.compress = false});
  }

  void server_answers(std::size_t size) {
    if (!ledger_.last_started) return;
    const auto sent = server_.respond(now_, injector_->id(), ledger_.last_started->request,
                                      value_of(size), false);
    if (sent) ledger_.sending(*sent);
  }

  void pass(Duration duration) {
    now_.mono += duration;
    now_.wall += duration;
    server_.handle_deadline(now_);
    client_->handle_deadline(now_.mono);
    settle();
  }

  bool lose() { return lost_ > 0 && lost_-- > 0; }

  void settle() {
    bool busy = true;
    for (int round = 0; busy && round < 5000; ++round) {
      busy = false;
      for (Output output = server_.poll(); !std::holds_alternative<Deadline>(output);
           output = server_.poll()) {
        busy = true;
        if (auto* event = std::get_if<Event>(&output)) {
          ledger_.record(*event);
        } else if (!lose()) {
          to_client(std::get<Transmit>(output).packet);
        }
      }
      while (auto output = services_.out.pop()) {
        busy = true;
        const auto* transmit = std::get_if<Transmit>(&*output);
        if (transmit && !lose()) deliver(transmit->packet);
      }
    }
    MESHSTOW_CHECK(!busy);
  }

  base::SeededRng rng_{1};
  Now now_{TimePoint{} + std::chrono::hours(1), {}};
  Endpoint server_;
  Services services_;
  DestinationHash destination_;
  std::optional<LinkChannel> injector_;
  std::optional<Link> client_;
  TransferId client_transfer_ = 0;
  Ledger ledger_;
  std::size_t lost_ = 0;
};

}  // namespace
}  // namespace meshstow::reticulum

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow::reticulum;
  Scene scene;
  Input input(meshstow::ByteView(data, size));
  for (std::size_t i = 0; i < kSteps && !input.empty(); ++i) scene.step(input);
  scene.end();
  return 0;
}
