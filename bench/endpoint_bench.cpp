// endpoint_bench: our Reticulum endpoint as one side of a benchmark. One JSON object on standard
// output.
//
//   endpoint_bench serve NAME [plain]          listens; links, /bench/echo, resources; until killed
//   endpoint_bench links PORT HASH COUNT       link set-ups, one after another
//   endpoint_bench requests PORT HASH COUNT    requests of 32 bytes, one after another on a link
//   endpoint_bench resource PORT HASH BYTES    one resource of random bytes
//   endpoint_bench announces COUNT             announces validated, on one thread
//   endpoint_bench frames KIND HASH COUNT      as many different frames, framed, for floods.py:
//                                              forged or valid announces, or links (requests)
//
// "plain" answers without the few milliseconds that RNS requesters need (quick_answer_delay 0).

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench_peer.hpp"
#include "codec/hdlc.hpp"
#include "codec/hex.hpp"
#include "codec/msgpack.hpp"
#include "reticulum/announce.hpp"

namespace meshstow::bench {
namespace {

using reticulum::DestinationHash;
using reticulum::Event;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kEcho = "/bench/echo";

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

int failed(const char* why) {
  std::fprintf(stderr, "endpoint_bench: %s\n", why);
  return 1;
}

Bytes packed(ByteView bytes) {
  codec::MsgpackWriter writer;
  writer.binary(bytes);
  return writer.take();
}

int serve(const std::string& name, bool plain) {
  reticulum::EndpointOptions options;
  if (plain) options.quick_answer_delay = Duration::zero();
  BenchPeer* self = nullptr;
  std::optional<reticulum::ContentStarted> request;
  Bytes body;
  BenchPeer peer(
      [&](const Event& event) {
        reticulum::Endpoint& endpoint = self->endpoint();
        if (const auto* started = std::get_if<reticulum::ContentStarted>(&event)) {
          request = *started;
          body.clear();
        } else if (const auto* piece = std::get_if<reticulum::ContentPiece>(&event)) {
          if (request->kind == reticulum::ContentKind::request) base::append(body, piece->bytes);
          endpoint.content_taken(self->now(), piece->transfer);
        } else if (std::holds_alternative<reticulum::ContentDone>(event) &&
                   request->kind == reticulum::ContentKind::request) {
          (void)endpoint.respond(self->now(), request->link, request->request, body);
        }
      },
      options);
  self = &peer;
  const auto identity = reticulum::Identity::generate(peer.rng());
  const auto destination =
      peer.endpoint().add_destination(peer.now(), identity, name, {.accepts_resources = true});
  const std::uint16_t port = peer.listen();
  if (port == 0) return failed("cannot listen");
  peer.start();
  peer.pump();
  std::printf("{\"port\":%u,\"hash\":\"%s\"}\n", port, codec::to_hex(destination).c_str());
  std::fflush(stdout);
  peer.run();
  return 0;
}

// The asking side: connects, finds the path, opens links.
class Client {
 public:
  Client() : peer_([this](const Event& event) { handle(event); }, {}) {}

  bool connect(std::uint16_t port, const reticulum::DestinationHash& to) {
    to_ = to;
    peer_.connect(port);
    peer_.start();
    if (!peer_.run_until([this] { return peer_.interfaces_up() > 0; })) return false;
    peer_.endpoint().request_path(peer_.now(), to_);
    peer_.pump();
    return peer_.run_until([this] { return peer_.endpoint().known(to_).has_value(); });
  }

  bool open() {
    established_ = false;
    const auto link = peer_.endpoint().open_link(peer_.now(), to_);
    if (!link) return false;
    link_ = *link;
    peer_.pump();
    return peer_.run_until([this] { return established_; });
  }

  void close() {
    peer_.endpoint().close_link(peer_.now(), link_);
    peer_.pump();
  }

  bool ask(ByteView value) {
    answered_ = lost_ = false;
    if (!peer_.endpoint().send_request(peer_.now(), link_, kEcho, value)) return false;
    peer_.pump();
    return peer_.run_until([this] { return answered_ || lost_; }) && answered_;
  }

  bool send(ByteView data) {
    sent_ = lost_ = false;
    if (!peer_.endpoint().send_resource(peer_.now(), link_, data)) return false;
    peer_.pump();
    return peer_.run_until([this] { return sent_ || lost_; }) && sent_;
  }

  base::Rng& rng() { return peer_.rng(); }

 private:
  void handle(const Event& event) {
    if (std::holds_alternative<reticulum::LinkEstablished>(event)) established_ = true;
    if (std::holds_alternative<reticulum::ContentSent>(event)) sent_ = true;
    if (std::holds_alternative<reticulum::ContentUnsent>(event)) lost_ = true;
    if (std::holds_alternative<reticulum::RequestTimedOut>(event)) lost_ = true;
    if (std::holds_alternative<reticulum::ContentDone>(event)) answered_ = true;
    if (const auto* piece = std::get_if<reticulum::ContentPiece>(&event)) {
      peer_.endpoint().content_taken(peer_.now(), piece->transfer);
    }
  }

  BenchPeer peer_;
  reticulum::DestinationHash to_;
  reticulum::LinkId link_;
  bool established_ = false, answered_ = false, sent_ = false, lost_ = false;
};

int measure_links(Client& client, std::size_t count) {
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    if (!client.open()) return failed("a link was not established");
    client.close();
  }
  std::printf("{\"per_second\":%.1f}\n", static_cast<double>(count) / seconds_since(begin));
  return 0;
}

int measure_requests(Client& client, std::size_t count) {
  if (!client.open()) return failed("no link");
  const Bytes value = packed(client.rng().bytes<32>().view());
  std::vector<double> took;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    if (!client.ask(value)) return failed("a request was not answered");
    took.push_back(seconds_since(begin));
  }
  double sum = 0;
  for (double one : took) sum += one;
  std::ranges::sort(took);
  std::printf("{\"per_second\":%.1f,\"median_ms\":%.3f}\n", static_cast<double>(count) / sum,
              took[count / 2] * 1000);
  return 0;
}

int measure_resource(Client& client, std::size_t size) {
  if (!client.open()) return failed("no link");
  Bytes data(size);
  client.rng().fill(data);
  const auto begin = Clock::now();
  if (!client.send(data)) return failed("the resource was not proved");
  const double seconds = seconds_since(begin);
  std::printf("{\"seconds\":%.4f,\"bytes_per_second\":%.0f}\n", seconds,
              static_cast<double>(size) / seconds);
  return 0;
}

int measure_announces(std::size_t count) {
  io::OsRng rng;
  reticulum::Endpoint sender(rng), receiver(rng);
  const Now now = io::read_clock();
  sender.interface_up(now, 1, {.name = "out"});
  receiver.interface_up(now, 1, {.name = "in"});
  std::vector<Bytes> packets;
  for (std::size_t i = 0; i < count; ++i) {
    const auto identity = reticulum::Identity::generate(rng);
    const auto destination = sender.add_destination(now, identity, "bench");
    sender.set_app_data(destination, base::to_bytes(rng.bytes<32>().view()));
    if (!sender.announce(now, destination)) return failed("no announce");
    for (reticulum::Output out = sender.poll(); !std::holds_alternative<reticulum::Deadline>(out);
         out = sender.poll()) {
      if (auto* transmit = std::get_if<reticulum::Transmit>(&out)) {
        packets.push_back(std::move(transmit->packet));
      }
    }
  }
  std::size_t heard = 0;
  const auto begin = Clock::now();
  for (const Bytes& packet : packets) {
    receiver.handle_packet(now, 1, packet);
    receiver.handle_deadline(now);
    for (reticulum::Output out = receiver.poll(); !std::holds_alternative<reticulum::Deadline>(out);
         out = receiver.poll()) {
      if (const auto* event = std::get_if<Event>(&out)) {
        heard += std::holds_alternative<reticulum::AnnounceHeard>(*event) ? 1 : 0;
      }
    }
  }
  const double seconds = seconds_since(begin);
  if (heard != count) return failed("announces were lost");
  std::printf("{\"count\":%zu,\"per_second\":%.1f}\n", heard, static_cast<double>(heard) / seconds);
  return 0;
}

int make_frames(const std::string& kind, const DestinationHash& to, std::size_t count) {
  io::OsRng rng;
  const auto stranger = reticulum::Identity::generate(rng);
  for (std::size_t i = 0; i < count; ++i) {
    Bytes packet;
    if (kind == "links") {
      const Bytes keys = base::to_bytes(rng.bytes<64>().view());
      packet = reticulum::pack_packet(
          {.type = reticulum::PacketType::link_request, .destination = to, .data = keys});
    } else {
      const auto who = kind == "valid" ? reticulum::Identity::generate(rng) : stranger;
      packet = reticulum::make_announce(who, {.name = reticulum::name_hash("bench.flood"),
                                              .random = reticulum::announce_random(rng, i + 1)})
                   .value();
      if (kind == "forged") rng.fill(base::MutableByteView(packet).last(32));
    }
    const Bytes frame = codec::hdlc_frame(packet);
    std::fwrite(frame.data(), 1, frame.size(), stdout);
  }
  return 0;
}

int run(const std::vector<std::string>& words) {
  const std::string mode = words.empty() ? "" : words[0];
  if (mode == "serve" && words.size() >= 2) return serve(words[1], words.size() > 2);
  if (mode == "announces" && words.size() == 2) return measure_announces(std::stoul(words[1]));
  if (words.size() != 4) return failed("see the head of bench/endpoint_bench.cpp");
  const auto to = codec::fixed_from_hex<16>(words[2]);
  if (mode == "frames" && to) return make_frames(words[1], *to, std::stoul(words[3]));
  Client client;
  if (!to || !client.connect(static_cast<std::uint16_t>(std::stoul(words[1])), *to)) {
    return failed("no path");
  }
  const std::size_t count = std::stoul(words[3]);
  if (mode == "links") return measure_links(client, count);
  if (mode == "requests") return measure_requests(client, count);
  return mode == "resource" ? measure_resource(client, count) : failed("no such mode");
}

}  // namespace
}  // namespace meshstow::bench

int main(int argc, char** argv) { return meshstow::bench::run({argv + 1, argv + argc}); }
