#include "reticulum/link.hpp"

#include "codec/msgpack.hpp"
#include "crypto/hash.hpp"
#include "reticulum/content_head.hpp"
#include "reticulum/link_handshake.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::seconds;
constexpr Byte kKeepaliveAsk = 0xFF;
constexpr Byte kKeepaliveAnswer = 0xFE;
constexpr Duration kHandshakeGrace = seconds(360);
constexpr Duration kLongestRoundTrip = seconds(300);
constexpr std::size_t kEarlyPackets = 4;

TransferPolicy policy_of(const LocalDestination* local) {
  if (!local) return {};
  return {.serves_requests = true,
          .max_request = local->options.max_request,
          .accepts_resources = local->options.accepts_resources};
}

}  // namespace

Link::Link(Services& services, TimePoint now, const LinkStart& start, const crypto::Secret64& key)
    : services_(services),
      start_(start),
      channel_(services, start.id, start.interface, start.mtu, key),
      requests_(channel_),
      transfers_(channel_, requests_, policy_of(start.local)),
      began_(now) {
  if (incoming()) {
    channel_.set_share(LinkPart::anonymous, {.interface = start.interface, .hops = start.hops});
    handshake_deadline_ = now + kPerHopTimeout * std::max<int>(1, start.hops) + kHandshakeGrace;
    return;
  }
  codec::MsgpackWriter writer;
  writer.float64(static_cast<double>(start.round_trip.count()) / 1e6);
  channel_.send(now, PacketContext::link_rtt, writer.bytes());
  activate(now, start.round_trip);
}

void Link::activate(TimePoint now, Duration round_trip) {
  state_ = State::active;
  handshake_deadline_ = kNever;
  channel_.set_round_trip(round_trip);
  transfers_.set_round_trip(round_trip);
  life_.start(now, !incoming(), round_trip);
  services_.out.emit(info());
}

LinkEstablished Link::info() const {
  return {.link = channel_.id(),
          .destination = start_.destination,
          .incoming = incoming(),
          .mtu = channel_.mtu(),
          .round_trip = channel_.round_trip()};
}

// ---- Packets.

void Link::handle_packet(TimePoint now, const Packet& packet, const Hash32& hash) {
  if (state_ == State::closed) return;
  if (state_ == State::active) life_.inbound(now);
  if (packet.type == PacketType::proof) {
    if (packet.context == PacketContext::resource_proof) transfers_.handle_proof(now, packet.data);
    return;
  }
  if (packet.type != PacketType::data) return;
  const bool opens =
      packet.context == PacketContext::link_rtt || packet.context == PacketContext::link_close;
  if (state_ == State::handshake && !opens) return hold(packet, hash);
  switch (packet.context) {
    case PacketContext::keepalive: return handle_keepalive(now, packet.data);
    case PacketContext::resource_part: return transfers_.handle_part(now, packet.data);
    case PacketContext::cache_request: return transfers_.handle_cache_request(now, packet.data);
    default: return handle_sealed(now, packet, hash);
  }
}

// A packet that overtook the round trip packet. A few are kept, the others the peer will send
// again.
void Link::hold(const Packet& packet, const Hash32& hash) {
  if (early_.size() < kEarlyPackets) early_.push_back({packet, base::to_bytes(packet.data), hash});
}

void Link::handle_sealed(TimePoint now, const Packet& packet, const Hash32& hash) {
  auto plaintext = channel_.unseal(packet.data);
  if (!plaintext) return;
  switch (packet.context) {
    case PacketContext::none: return handle_data(now, std::move(*plaintext), hash);
    case PacketContext::request: return handle_request(now, *plaintext, hash);
    case PacketContext::response: return handle_response(now, *plaintext);
    case PacketContext::resource_advertisement:
      return transfers_.handle_advertisement(now, *plaintext);
    case PacketContext::resource_part_request:
      return transfers_.handle_part_request(now, hash, *plaintext);
    case PacketContext::resource_hashmap_update:
      return transfers_.handle_hashmap_update(now, *plaintext);
    case PacketContext::resource_cancel: return transfers_.handle_cancel(now, *plaintext);
    case PacketContext::resource_reject: return transfers_.handle_rejection(now, *plaintext);
    case PacketContext::link_identify: return handle_identification(*plaintext);
    case PacketContext::link_rtt: return handle_round_trip(now, *plaintext);
    case PacketContext::link_close:
      if (crypto::equal_in_constant_time(*plaintext, channel_.id().view())) {
        close(now, CloseReason::remote);
      }
      return;
    default: return;
  }
}

void Link::handle_round_trip(TimePoint now, ByteView plaintext) {
  if (!incoming() || state_ != State::handshake) return;
  codec::MsgpackReader reader(plaintext);
  const auto given = reader.number();
  if (!given) return;
  const Duration measured = std::min<Duration>(now - began_, kLongestRoundTrip);
  activate(now, std::max(measured, duration_from_seconds(*given, kLongestRoundTrip)));
  for (const auto early = std::exchange(early_, {}); const Early& held : early) {
    Packet packet = held.packet;
    packet.data = held.data;
    handle_packet(now, packet, held.hash);
  }
}

void Link::handle_keepalive(TimePoint now, ByteView data) {
  const bool asked = data.size() == 1 && data[0] == kKeepaliveAsk;
  if (incoming() && asked && life_.answers_keepalive(now, channel_.last_sent())) {
    send_keepalive(now, kKeepaliveAnswer);
  }
}

void Link::send_keepalive(TimePoint now, Byte which) {
  channel_.send_clear(now, PacketContext::keepalive, ByteView(&which, 1));
}

void Link::handle_identification(ByteView plaintext) {
  if (!incoming() || remote_) return;
  auto identity = read_identification(plaintext, channel_.id());
  if (!identity) return;
  remote_ = std::move(*identity);
  services_.out.emit(LinkIdentified{channel_.id(), *remote_});
}

void Link::handle_data(TimePoint now, Bytes plaintext, const Hash32& hash) {
  if (incoming() && start_.local->options.proves_packets) {
    const Signature signature = start_.local->identity.sign(hash.view());
    channel_.send_clear(now, PacketContext::none, base::concat({hash.view(), signature.view()}),
                        PacketType::proof);
  }
  services_.out.emit(LinkData{channel_.id(), std::move(plaintext)});
}

void Link::handle_request(TimePoint now, ByteView plaintext, const Hash32& hash) {
  if (!incoming() || plaintext.size() > start_.local->options.max_request) return;
  const auto head = read_content_head(ContentKind::request, false, plaintext);
  if (!head) return;
  const RequestId request = truncated(hash);
  requests_.received(now, request);
  hand_out_packet({.kind = ContentKind::request, .request = request, .path_hash = head->path_hash},
                  plaintext.subspan(head->size));
}

void Link::handle_response(TimePoint now, ByteView plaintext) {
  const auto head = read_content_head(ContentKind::response, false, plaintext);
  if (!head || !requests_.answer_begins(head->request)) return;
  transfers_.handle_answer(now, head->request);
  requests_.answer_ended(head->request);
  hand_out_packet({.kind = ContentKind::response, .request = head->request},
                  plaintext.subspan(head->size));
}

void Link::hand_out_packet(ContentStarted started, ByteView value) {
  started.transfer = services_.next_transfer++;
  started.link = channel_.id();
  started.size = value.size();
  started.one_packet = true;
  services_.out.emit(started);
  services_.out.emit(ContentPiece{started.transfer, 0, base::to_bytes(value)});
  services_.out.emit(ContentDone{started.transfer});
}

// ---- Time and end.

TimePoint Link::deadline() const {
  if (state_ == State::handshake) return handshake_deadline_;
  if (state_ == State::closed) return kNever;
  return std::min(
      {life_.deadline(channel_.last_sent()), requests_.deadline(), transfers_.deadline()});
}

void Link::handle_deadline(TimePoint now) {
  if (state_ == State::handshake) {
    if (now >= handshake_deadline_) close(now, CloseReason::timed_out);
    return;
  }
  if (state_ != State::active) return;
  switch (life_.check(now, channel_.last_sent())) {
    case LinkLife::Due::keepalive: send_keepalive(now, kKeepaliveAsk); break;
    case LinkLife::Due::close: return close(now, CloseReason::timed_out);
    case LinkLife::Due::nothing: break;
  }
  requests_.handle_deadline(now);
  transfers_.handle_deadline(now);
}

void Link::close(TimePoint now, CloseReason reason) {
  if (state_ == State::closed) return;
  const bool was_active = state_ == State::active;
  if (reason == CloseReason::local || reason == CloseReason::timed_out) {
    channel_.send(now, PacketContext::link_close, channel_.id().view());
  }
  state_ = State::closed;
  transfers_.fail_all();
  requests_.fail_all();
  if (was_active) services_.out.emit(LinkClosed{channel_.id(), reason});
}

void Link::favour(TimePoint now, const Hash16& party) {
  transfers_.change_share(now, LinkPart::favoured, {.party = party});
}

// ---- What we send.

Result<void> Link::check_active() const {
  if (state_ != State::active) return fail(Errc::not_found, "the link is not active");
  return {};
}

Result<void> Link::identify(TimePoint now, const Identity& as) {
  if (auto active = check_active(); !active) return active;
  if (incoming()) return fail(Errc::denied, "only the side that opened a link identifies itself");
  channel_.send(now, PacketContext::link_identify, make_identification(as, channel_.id()));
  return {};
}

Result<void> Link::send_data(TimePoint now, ByteView plaintext) {
  if (auto active = check_active(); !active) return active;
  if (plaintext.size() > channel_.payload()) return fail(Errc::limit, "too long for one packet");
  channel_.send(now, PacketContext::none, plaintext);
  return {};
}

Result<SentRequest> Link::send_request(Now now, std::string_view path, ByteView value,
                                       RequestOptions options) {
  if (auto active = check_active(); !active) return fail(active.error());
  if (requests_.full()) return fail(Errc::limit, "too many unanswered requests on this link");
  if (value.empty()) return fail(Errc::malformed, "a request without a value");
  const Bytes prefix = request_prefix(now.wall, path);
  const Duration timeout = options.timeout.value_or(requests_.default_timeout());
  const Bytes packed = base::concat({prefix, value});
  if (packed.size() <= channel_.payload()) {
    const Hash32 packet = channel_.send(now.mono, PacketContext::request, packed);
    requests_.sent(now.mono, truncated(packet), timeout);
    return SentRequest{truncated(packet), std::nullopt};
  }
  const RequestId id = crypto::hash16(packed);
  if (requests_.pending(id)) return fail(Errc::conflict, "this very request is under way");
  requests_.sending(id, timeout);
  const auto transfer = transfers_.send(now.mono,
                                        {.use = ResourceUse::request,
                                         .request = id,
                                         .prefix = prefix,
                                         .value = base::to_bytes(value),
                                         .value_size = value.size(),
                                         .compress = options.compress},
                                        now.mono);
  if (!transfer) requests_.unsent(id);
  return transfer.map([&](TransferId sent) { return SentRequest{id, sent}; });
}

Result<SentRequest> Link::send_request(Now now, StreamedRequest request, RequestOptions options) {
  if (auto active = check_active(); !active) return fail(active.error());
  if (requests_.full()) return fail(Errc::limit, "too many unanswered requests on this link");
  if (requests_.pending(request.id)) {
    return fail(Errc::conflict, "this very request is under way");
  }
  if (request.value_size == 0) return fail(Errc::malformed, "a request without a value");
  requests_.sending(request.id, options.timeout.value_or(requests_.default_timeout()));
  const auto transfer = transfers_.send(now.mono,
                                        {.use = ResourceUse::request,
                                         .request = request.id,
                                         .prefix = std::move(request.prefix),
                                         .value_size = request.value_size,
                                         .compress = options.compress},
                                        now.mono);
  if (!transfer) requests_.unsent(request.id);
  return transfer.map([&](TransferId sent) { return SentRequest{request.id, sent}; });
}

Result<std::optional<TransferId>> Link::respond(TimePoint now, const RequestId& to, ByteView value,
                                                bool compress) {
  if (auto active = check_active(); !active) return fail(active.error());
  if (value.empty()) return fail(Errc::malformed, "a response without a value");
  if (fits_packet(value.size())) {
    requests_.answer(now, to, base::concat({response_prefix(to), value}));
    return std::optional<TransferId>{};
  }
  return transfers_
      .send(now,
            {.use = ResourceUse::response,
             .request = to,
             .prefix = response_prefix(to),
             .value = base::to_bytes(value),
             .value_size = value.size(),
             .compress = compress},
            requests_.answer_due(now, to))
      .map([](TransferId sent) { return std::optional<TransferId>{sent}; });
}

bool Link::fits_packet(std::size_t value_size) const {
  return kResponseHead + value_size <= channel_.payload();
}

Result<TransferId> Link::respond_streamed(TimePoint now, const RequestId& to,
                                          std::uint64_t value_size, bool compress) {
  if (auto active = check_active(); !active) return fail(active.error());
  if (value_size == 0) return fail(Errc::malformed, "a response without a value");
  return transfers_.send(now,
                         {.use = ResourceUse::response,
                          .request = to,
                          .prefix = response_prefix(to),
                          .value_size = value_size,
                          .compress = compress},
                         requests_.answer_due(now, to));
}

Result<TransferId> Link::send_resource(TimePoint now, ByteView data, std::optional<Bytes> metadata,
                                       bool compress) {
  if (auto active = check_active(); !active) return fail(active.error());
  if (metadata && metadata->size() > kLargestMetadata) {
    return fail(Errc::limit, "metadata of a resource too long");
  }
  if (data.empty()) return fail(Errc::malformed, "a resource without data");
  return transfers_.send(now,
                         {.use = ResourceUse::bare,
                          .prefix = metadata ? metadata_block(*metadata) : Bytes{},
                          .has_metadata = metadata.has_value(),
                          .value = base::to_bytes(data),
                          .value_size = data.size(),
                          .compress = compress},
                         now);
}

}  // namespace meshstow::reticulum
