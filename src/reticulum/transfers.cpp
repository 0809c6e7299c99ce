#include "reticulum/transfers.hpp"

#include "base/mesh_limits.hpp"
#include "codec/msgpack.hpp"

namespace meshstow::reticulum {
namespace {

constexpr std::size_t kProofsKept = 8;
constexpr std::size_t kUnwantedKept = 8;

// What a content that is to be sent holds; of one that is asked for in pieces, two segments.
std::size_t held_by(const OutgoingContent& content) {
  const auto size = static_cast<std::size_t>(content.size());
  return content.value ? size : std::min(size, 2 * kSegmentContent);
}

}  // namespace

Transfers::Transfers(LinkChannel& channel, Requests& requests, TransferPolicy policy)
    : channel_(channel), requests_(requests), policy_(policy) {}

Transfers::~Transfers() {
  auto& index = channel_.services().transfers;
  for (const Outgoing& outgoing : outgoing_) index.erase(outgoing.sender.transfer());
  for (const IncomingTransfer& incoming : incoming_) index.erase(incoming.transfer());
  channel_.room().outgoing.release(channel_.id());
}

// ---- Outgoing.

// One content is always taken: a single large one is bounded by the room of all links.
bool Transfers::full_for(std::size_t bytes) const {
  if (!policy_.serves_requests || outgoing_.empty()) return false;
  return outgoing_.size() >= limits::kOutgoingPerLink ||
         held_ + bytes > limits::kOutgoingBytesPerLink;
}

void Transfers::hold(TimePoint now, std::size_t bytes) {
  held_ = bytes;
  channel_.room().outgoing.set_weight(now, channel_.id(), channel_.sharer(), held_);
}

Result<TransferId> Transfers::send(TimePoint now, OutgoingContent content, TimePoint not_before) {
  Services& services = channel_.services();
  const std::size_t bytes = held_by(content);
  if (full_for(bytes)) {
    ++services.transfer_counts.outgoing_refused;
    return base::fail(Errc::limit, "the peer has not taken what was sent before");
  }
  // bzip2 takes a tenth of a second for 1 MiB: too much for whoever just asks.
  const bool stranger = policy_.serves_requests && channel_.part() == LinkPart::anonymous;
  if (stranger && bytes > limits::kCompressedForStrangers) content.compress = false;
  hold(now, held_ + bytes);
  const TransferId transfer = services.next_transfer++;
  services.transfers.emplace(transfer, channel_.id());
  outgoing_.push_back({ResourceSender(channel_, transfer, std::move(content)), not_before});
  settle(now);
  return transfer;
}

Result<void> Transfers::supply(TimePoint now, TransferId transfer, ByteView bytes) {
  for (Outgoing& outgoing : outgoing_) {
    if (outgoing.sender.transfer() == transfer) return outgoing.sender.supply(now, bytes);
  }
  return fail(Errc::not_found, "no such outgoing transfer");
}

ResourceSender* Transfers::sender_of(ByteView segment_hash) {
  const auto hash = Hash32::from(segment_hash);
  if (!hash) return nullptr;
  for (Outgoing& outgoing : outgoing_) {
    if (outgoing.sender.sends(*hash)) return &outgoing.sender;
  }
  return nullptr;
}

void Transfers::handle_part_request(TimePoint now, const Hash32& packet, ByteView plaintext) {
  if (plaintext.empty()) return;
  const std::size_t hash_at = plaintext[0] == 0xFF ? 1 + kPartHash : 1;
  if (plaintext.size() < hash_at + Hash32::size()) return;
  ResourceSender* sender = sender_of(plaintext.subspan(hash_at, Hash32::size()));
  if (!sender) return;
  took_some(now);
  sender->handle_part_request(now, packet, plaintext);
  settle(now);
}

void Transfers::handle_proof(TimePoint now, ByteView data) {
  if (data.size() != 2 * Hash32::size()) return;
  ResourceSender* sender = sender_of(data.first(Hash32::size()));
  if (!sender) return;
  took_some(now);
  sender->handle_proof(now, data.subspan(Hash32::size()));
  settle(now);
}

void Transfers::handle_rejection(TimePoint now, ByteView plaintext) {
  ResourceSender* sender = sender_of(plaintext);
  if (!sender) return;
  sender->handle_rejection();
  settle(now);
}

void Transfers::handle_answer(TimePoint now, const RequestId& request) {
  for (Outgoing& outgoing : outgoing_) {
    const OutgoingContent& content = outgoing.sender.content();
    if (content.use == ResourceUse::request && content.request == request) {
      outgoing.sender.handle_answer();
    }
  }
  settle(now);
}

// ---- Incoming.

std::optional<ContentKind> Transfers::kind_of(const Advertisement& a) const {
  if (a.is_request && a.is_response) return std::nullopt;
  if (!a.is_request && !a.is_response) return ContentKind::resource;
  if (!a.request) return std::nullopt;
  return a.is_request ? ContentKind::request : ContentKind::response;
}

bool Transfers::admits(ContentKind kind, const Advertisement& a) const {
  if (a.segment != 1 || !ResourceReceiver::acceptable(a, channel_)) return false;
  if (incoming_.size() >= limits::kIncomingResourcesPerLink) return false;
  switch (kind) {
    case ContentKind::request:
      return policy_.serves_requests && a.content_size <= policy_.max_request;
    case ContentKind::response: return requests_.pending(*a.request);
    case ContentKind::resource: return policy_.accepts_resources;
  }
  return false;
}

void Transfers::handle_advertisement(TimePoint now, ByteView plaintext) {
  const auto advertisement = parse_advertisement(plaintext);
  if (!advertisement) return;
  if (repeat_proof(now, advertisement->hash)) return;
  for (IncomingTransfer& known : incoming_) {
    if (known.first_hash() != advertisement->first_hash) continue;
    if (known.is_continued_by(*advertisement) && !make_room(now)) return;
    const auto taken = known.handle_advertisement(now, *advertisement);
    if (!taken && taken.error().code == Errc::malformed) reject(now, advertisement->hash);
    return settle(now);
  }
  const bool unwanted =
      std::find(unwanted_.begin(), unwanted_.end(), advertisement->first_hash) != unwanted_.end();
  const auto kind = kind_of(*advertisement);
  if (unwanted || !kind || !admits(*kind, *advertisement)) return reject(now, advertisement->hash);
  accept(now, *kind, *advertisement);
}

// For one more segment. False: there is none at present; nothing is said, and the sender offers the
// segment again.
bool Transfers::make_room(TimePoint now) {
  Services& services = channel_.services();
  auto& places = channel_.room().incoming;
  if (places.size() < limits::kIncomingSegments) return true;
  const auto gone = places.to_go_for(now, channel_.sharer(), 1, kStandstill);
  if (!gone) {
    ++services.transfer_counts.incoming_postponed;
    return false;
  }
  ++services.transfer_counts.incoming_evicted;
  places.release(*gone);
  services.evicted.push_back(*gone);
  return true;
}

void Transfers::evict(TimePoint now, TransferId transfer) {
  if (IncomingTransfer* known = incoming(transfer)) known->fail(Errc::limit);
  settle(now);
}

void Transfers::change_share(TimePoint now, LinkPart part, const Sharer& sharer) {
  channel_.room().outgoing.release(channel_.id());
  channel_.set_share(part, sharer);
  hold(now, held_);
  for (IncomingTransfer& transfer : incoming_) transfer.share_changed(now);
}

void Transfers::accept(TimePoint now, ContentKind kind, const Advertisement& advertisement) {
  Services& services = channel_.services();
  if (!make_room(now)) return;
  if (kind == ContentKind::response && !requests_.answer_begins(*advertisement.request)) {
    return reject(now, advertisement.hash);
  }
  if (kind == ContentKind::response) handle_answer(now, *advertisement.request);
  const TransferId transfer = services.next_transfer++;
  services.transfers.emplace(transfer, channel_.id());
  incoming_.emplace_back(channel_, window_, transfer, kind, advertisement).start(now);
}

void Transfers::reject(TimePoint now, const Hash32& segment) {
  ++channel_.services().transfer_counts.incoming_refused;
  channel_.send(now, PacketContext::resource_reject, segment.view());
}

void Transfers::handle_part(TimePoint now, ByteView part) {
  for (IncomingTransfer& transfer : incoming_) {
    if (!transfer.handle_part(now, part)) continue;
    await_opening(transfer);
    if (transfer.state() != IncomingTransfer::State::receiving) settle(now);
    return;
  }
}

void Transfers::await_opening(const IncomingTransfer& transfer) {
  if (transfer.state() != IncomingTransfer::State::opening) return;
  // Nothing is lost: there are not so many segments at once.
  channel_.services().unopened.push(channel_.interface(), 0, {channel_.id(), transfer.transfer()});
}

void Transfers::open_some(TimePoint now, TransferId transfer) {
  IncomingTransfer* known = incoming(transfer);
  if (!known) return;
  known->open_some(now);
  await_opening(*known);
  settle(now);
}

void Transfers::handle_hashmap_update(TimePoint now, ByteView plaintext) {
  if (plaintext.size() < Hash32::size()) return;
  codec::MsgpackReader reader(plaintext.subspan(Hash32::size()));
  const auto count = reader.array();
  if (!count || *count != 2) return;
  const auto piece = reader.integer();
  if (!piece || *piece < 0) return;
  const auto hashes = reader.binary();
  if (!hashes) return;
  const auto segment = Hash32::prefix_of(plaintext);
  for (IncomingTransfer& transfer : incoming_) {
    if (transfer.segment_hash() != segment) continue;
    transfer.handle_hashmap_update(now, static_cast<std::uint64_t>(*piece), *hashes);
  }
}

void Transfers::handle_cancel(TimePoint now, ByteView plaintext) {
  const auto segment = Hash32::from(plaintext);
  if (!segment) return;
  for (IncomingTransfer& transfer : incoming_) {
    if (transfer.segment_hash() == *segment) transfer.fail(Errc::unavailable);
  }
  settle(now);
}

void Transfers::send_proof(TimePoint now, Bytes data) {
  const Hash32 packet =
      channel_.send_clear(now, PacketContext::resource_proof, data, PacketType::proof);
  proofs_.push_back({packet, std::move(data)});
  if (proofs_.size() > kProofsKept) proofs_.pop_front();
}

// A segment offered again after it was received: its proof was lost.
bool Transfers::repeat_proof(TimePoint now, const Hash32& segment) {
  for (const KeptProof& proof : proofs_) {
    if (Hash32::prefix_of(proof.data) != segment) continue;
    channel_.send_clear(now, PacketContext::resource_proof, proof.data, PacketType::proof);
    return true;
  }
  return false;
}

void Transfers::handle_cache_request(TimePoint now, ByteView data) {
  const auto packet = Hash32::from(data);
  if (!packet) return;
  for (const KeptProof& proof : proofs_) {
    if (proof.packet != *packet) continue;
    channel_.send_clear(now, PacketContext::resource_proof, proof.data, PacketType::proof);
    return;
  }
}

IncomingTransfer* Transfers::incoming(TransferId transfer) {
  for (IncomingTransfer& known : incoming_) {
    if (known.transfer() == transfer) return &known;
  }
  return nullptr;
}

void Transfers::taken(TimePoint now, TransferId transfer) {
  IncomingTransfer* known = incoming(transfer);
  if (!known) return;
  known->taken(now);
  settle(now);
}

// ---- Both.

void Transfers::cancel(TimePoint now, TransferId transfer) {
  for (Outgoing& outgoing : outgoing_) {
    if (outgoing.sender.transfer() == transfer) outgoing.sender.cancel(now);
  }
  if (IncomingTransfer* known = incoming(transfer)) {
    reject(now, known->segment_hash());
    unwanted_.push_back(known->first_hash());
    if (unwanted_.size() > kUnwantedKept) unwanted_.pop_front();
    known->fail(Errc::unavailable);
  }
  settle(now);
}

void Transfers::settle(TimePoint now) {
  settle_incoming(now);
  settle_outgoing(now);
}

void Transfers::settle_incoming(TimePoint now) {
  for (auto it = incoming_.begin(); it != incoming_.end();) {
    if (auto proof = it->take_proof()) send_proof(now, std::move(*proof));
    if (!it->ended()) {
      ++it;
      continue;
    }
    // Unless it was the sender who gave up, tell it that there is no point in waiting for a proof.
    if (it->state() == IncomingTransfer::State::failed && it->failure() != Errc::unavailable) {
      reject(now, it->segment_hash());
    }
    conclude(*it);
    it = incoming_.erase(it);
  }
}

void Transfers::conclude(const IncomingTransfer& transfer) {
  channel_.services().transfers.erase(transfer.transfer());
  const bool is_response = transfer.kind() == ContentKind::response;
  if (transfer.state() == IncomingTransfer::State::done) {
    if (is_response) requests_.answer_ended(*transfer.request());
    return;
  }
  if (transfer.started()) {
    if (is_response) requests_.answer_ended(*transfer.request());
    channel_.services().out.emit(ContentFailed{transfer.transfer(), transfer.failure()});
  } else if (is_response) {
    requests_.answer_lost(*transfer.request());
  }
}

void Transfers::settle_outgoing(TimePoint now) {
  for (auto it = outgoing_.begin(); it != outgoing_.end();) {
    if (!it->sender.ended()) {
      ++it;
      continue;
    }
    conclude(now, it->sender);
    hold(now, held_ - held_by(it->sender.content()));
    it = outgoing_.erase(it);
  }
  if (outgoing_.empty()) return;
  Outgoing& first = outgoing_.front();
  if (first.sender.state() == ResourceSender::State::queued && first.not_before <= now) {
    first.sender.start(now);
  }
}

void Transfers::conclude(TimePoint now, const ResourceSender& sender) {
  Services& services = channel_.services();
  services.transfers.erase(sender.transfer());
  const bool sent = sender.state() == ResourceSender::State::sent;
  const OutgoingContent& content = sender.content();
  if (content.use == ResourceUse::request) {
    sent ? requests_.sent_whole(now, *content.request) : requests_.unsent(*content.request);
  }
  if (sent) {
    services.out.emit(ContentSent{sender.transfer()});
  } else {
    services.out.emit(ContentUnsent{sender.transfer(), sender.failure()});
  }
}

TimePoint Transfers::deadline() const {
  TimePoint due = kNever;
  for (const IncomingTransfer& transfer : incoming_) due = std::min(due, transfer.deadline());
  if (outgoing_.empty()) return due;
  const Outgoing& first = outgoing_.front();
  const bool queued = first.sender.state() == ResourceSender::State::queued;
  return std::min(due, queued ? first.not_before : first.sender.deadline());
}

void Transfers::handle_deadline(TimePoint now) {
  for (IncomingTransfer& transfer : incoming_) transfer.handle_deadline(now);
  if (!outgoing_.empty()) outgoing_.front().sender.handle_deadline(now);
  settle(now);
}

void Transfers::fail_all() {
  for (IncomingTransfer& transfer : incoming_) {
    transfer.fail(Errc::unavailable);
    conclude(transfer);
  }
  incoming_.clear();
  for (Outgoing& outgoing : outgoing_) {
    channel_.services().transfers.erase(outgoing.sender.transfer());
    if (outgoing.sender.content().use == ResourceUse::request) {
      requests_.unsent(*outgoing.sender.content().request);
    }
    channel_.services().out.emit(ContentUnsent{outgoing.sender.transfer(), Errc::unavailable});
  }
  outgoing_.clear();
  held_ = 0;
  channel_.room().outgoing.release(channel_.id());
}

}  // namespace meshstow::reticulum
