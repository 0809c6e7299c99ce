#include "reticulum/transfers.hpp"

#include "codec/msgpack.hpp"

namespace meshstow::reticulum {
namespace {

constexpr std::size_t kProofsKept = 8;
constexpr std::size_t kUnwantedKept = 8;

}  // namespace

Transfers::Transfers(LinkChannel& channel, Requests& requests, TransferPolicy policy)
    : channel_(channel), requests_(requests), policy_(policy) {}

Transfers::~Transfers() {
  auto& index = channel_.services().transfers;
  for (const Outgoing& outgoing : outgoing_) index.erase(outgoing.sender.transfer());
  for (const IncomingTransfer& incoming : incoming_) index.erase(incoming.transfer());
}

// ---- Outgoing.

TransferId Transfers::send(TimePoint now, OutgoingContent content, TimePoint not_before) {
  Services& services = channel_.services();
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
  sender->handle_part_request(now, packet, plaintext);
  settle(now);
}

void Transfers::handle_proof(TimePoint now, ByteView data) {
  if (data.size() != 2 * Hash32::size()) return;
  ResourceSender* sender = sender_of(data.first(Hash32::size()));
  if (!sender) return;
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

void Transfers::accept(TimePoint now, ContentKind kind, const Advertisement& advertisement) {
  Services& services = channel_.services();
  // No memory at present: say nothing, the sender offers it again.
  if (services.incoming_segment_bytes + advertisement.transfer_size > kIncomingSegmentBytes) return;
  if (kind == ContentKind::response && !requests_.answer_begins(*advertisement.request)) {
    return reject(now, advertisement.hash);
  }
  if (kind == ContentKind::response) handle_answer(now, *advertisement.request);
  const TransferId transfer = services.next_transfer++;
  services.transfers.emplace(transfer, channel_.id());
  incoming_.emplace_back(channel_, window_, transfer, kind, advertisement).start(now);
}

void Transfers::reject(TimePoint now, const Hash32& segment) {
  channel_.send(now, PacketContext::resource_reject, segment.view());
}

void Transfers::handle_part(TimePoint now, ByteView part) {
  for (IncomingTransfer& transfer : incoming_) {
    if (!transfer.handle_part(now, part)) continue;
    if (transfer.state() != IncomingTransfer::State::receiving) settle(now);
    return;
  }
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
}

}  // namespace meshstow::reticulum
