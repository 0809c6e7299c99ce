#include "reticulum/resource_sender.hpp"

#include "codec/msgpack.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr int kAdvertisementTries = 5;  // the first and 4 repeats
constexpr int kProofTries = 4;
constexpr int kRoundTripsForAdvertisement = 6;
constexpr int kRoundTripsForProof = 3;
constexpr int kRoundTripsForParts = 64;  // 16 requests, 4 flight times each
constexpr Duration kAdvertisementGrace = seconds(1);
constexpr Duration kProofGrace = seconds(10);
constexpr Duration kPartsGrace =
    seconds(78);  // the grace of 16 requests that all go wrong, and 10 s
constexpr Byte kHashmapExhausted = 0xFF;
constexpr std::size_t kRequestsRemembered = 64;
constexpr Duration kProgressInterval = milliseconds(100);

}  // namespace

ResourceSender::ResourceSender(LinkChannel& channel, TransferId transfer, OutgoingContent content)
    : channel_(channel),
      transfer_(transfer),
      content_(std::move(content)),
      segment_count_(
          std::max<std::uint64_t>(1, (content_.size() + kSegmentContent - 1) / kSegmentContent)) {
  if (content_.size() > kLargestCompressed) content_.compress = false;
}

ResourceSender::Range ResourceSender::segment_range(std::uint64_t segment) const {
  const std::uint64_t begin = (segment - 1) * kSegmentContent;
  return {begin, std::min(begin + kSegmentContent, content_.size())};
}

Bytes ResourceSender::prefix_bytes(Range range) const {
  if (range.begin >= content_.prefix.size()) return {};
  const auto end = std::min<std::uint64_t>(range.end, content_.prefix.size());
  return base::to_bytes(ByteView(content_.prefix).subspan(range.begin, end - range.begin));
}

void ResourceSender::start(TimePoint now) {
  state_ = State::wanting;
  if (content_.value) return begin_next(now);
  want(1);
}

void ResourceSender::want(std::uint64_t segment) {
  const Range range = segment_range(segment);
  const std::uint64_t prefix = content_.prefix.size();
  const std::uint64_t begin = std::max(range.begin, prefix) - prefix;
  wanted_ = true;
  channel_.services().out.emit(
      ContentWanted{transfer_, begin, static_cast<std::size_t>(range.end - prefix - begin)});
}

Result<void> ResourceSender::supply(TimePoint now, ByteView bytes) {
  if (!wanted_) return fail(Errc::malformed, "no content was wanted");
  const Range range = segment_range(segment_ + 1);
  Bytes content = prefix_bytes(range);
  if (content.size() + bytes.size() != range.end - range.begin) {
    return fail(Errc::malformed, "supplied content of another size than was wanted");
  }
  wanted_ = false;
  base::append(content, bytes);
  prepare(std::move(content));
  if (state_ == State::wanting) begin_next(now);
  return {};
}

void ResourceSender::prepare_held(std::uint64_t segment) {
  const Range range = segment_range(segment);
  Bytes content = prefix_bytes(range);
  const std::uint64_t value_begin = range.begin + content.size() - content_.prefix.size();
  base::append(
      content,
      ByteView(*content_.value).subspan(value_begin, range.end - range.begin - content.size()));
  prepare(std::move(content));
}

void ResourceSender::prepare(Bytes content) {
  next_.emplace(content, channel_.cipher(), channel_.services().rng, channel_.part_size(),
                content_.compress);
}

void ResourceSender::begin_next(TimePoint now) {
  if (!next_) prepare_held(segment_ + 1);
  current_ = std::exchange(next_, std::nullopt);
  ++segment_;
  if (!first_hash_) first_hash_ = current_->hash();
  part_sent_.assign(current_->part_count(), false);
  parts_unsent_ = current_->part_count();
  search_from_ = 0;
  requests_seen_.clear();
  state_ = State::advertised;
  tries_ = 0;
  advertise(now);
  if (!content_.value && segment_ < segment_count_) want(segment_ + 1);
}

void ResourceSender::advertise(TimePoint now) {
  const Advertisement advertisement{.transfer_size = current_->stream_size(),
                                    .content_size = content_.size(),
                                    .part_count = current_->part_count(),
                                    .hash = current_->hash(),
                                    .random = current_->random(),
                                    .first_hash = *first_hash_,
                                    .segment = segment_,
                                    .segment_count = segment_count_,
                                    .request = content_.request,
                                    .encrypted = true,
                                    .compressed = current_->compressed(),
                                    .split = segment_count_ > 1,
                                    .is_request = content_.use == ResourceUse::request,
                                    .is_response = content_.use == ResourceUse::response,
                                    .has_metadata = content_.has_metadata,
                                    .hashmap = current_->hashmap_piece(0)};
  channel_.send(now, PacketContext::resource_advertisement, pack_advertisement(advertisement));
  ++tries_;
  deadline_ = now + kRoundTripsForAdvertisement * channel_.round_trip() + kAdvertisementGrace;
}

bool ResourceSender::sends(const Hash32& segment) const {
  return current_ && !ended() && state_ != State::wanting && current_->hash() == segment;
}

// `request`: flag | (last known part hash, if the flag says so) | segment hash | wanted part
// hashes.
void ResourceSender::handle_part_request(TimePoint now, const Hash32& request_packet,
                                         ByteView request) {
  if (std::find(requests_seen_.begin(), requests_seen_.end(), request_packet) !=
      requests_seen_.end()) {
    return;
  }
  requests_seen_.push_back(request_packet);
  if (requests_seen_.size() > kRequestsRemembered) requests_seen_.pop_front();

  const bool wants_hashmap = request[0] == kHashmapExhausted;
  const std::size_t head = 1 + (wants_hashmap ? kPartHash : 0) + Hash32::size();
  if (state_ == State::advertised) state_ = State::transferring;
  deadline_ = now + kRoundTripsForParts * channel_.round_trip() + kPartsGrace;
  send_parts(now, request.subspan(head));
  if (wants_hashmap) {
    send_hashmap(now, static_cast<PartHash>(base::read_big_endian(request.subspan(1, kPartHash))));
  }
  if (ended()) return;
  report_progress(now);
  if (parts_unsent_ == 0) all_parts_sent(now);
}

std::optional<std::size_t> ResourceSender::find_part(PartHash hash, std::size_t from) const {
  const std::size_t end = std::min(search_from_ + kCollisionGuard, current_->part_count());
  for (std::size_t i = from; i < end; ++i) {
    if (current_->hash_of_part(i) == hash) return i;
  }
  for (std::size_t i = search_from_; i < std::min(from, end); ++i) {
    if (current_->hash_of_part(i) == hash) return i;
  }
  return std::nullopt;
}

void ResourceSender::send_parts(TimePoint now, ByteView wanted) {
  std::size_t hint = search_from_;  // wanted parts mostly come in order
  for (; wanted.size() >= kPartHash; wanted = wanted.subspan(kPartHash)) {
    const auto hash = static_cast<PartHash>(base::read_big_endian(wanted.first(kPartHash)));
    const auto index = find_part(hash, hint);
    if (!index) continue;
    hint = *index + 1;
    channel_.send_part(now, current_->part(*index));
    if (!part_sent_[*index]) --parts_unsent_;
    part_sent_[*index] = true;
  }
}

void ResourceSender::send_hashmap(TimePoint now, PartHash last_known) {
  const auto index = find_part(last_known, search_from_);
  if (!index ||
      (*index + 1) % kHashmapPiece != 0) {  // the two sides no longer speak of the same thing
    cancel(now);
    return;
  }
  const std::size_t known = *index + 1;
  search_from_ = known > kMostPartsAsked + 1 ? known - 1 - kMostPartsAsked : 0;
  const std::size_t piece = known / kHashmapPiece;
  const Bytes hashes = current_->hashmap_piece(piece);
  if (hashes.empty()) return;
  codec::MsgpackWriter writer;
  writer.array(2).unsigned_integer(piece).binary(hashes);
  channel_.send(now, PacketContext::resource_hashmap_update,
                base::concat({current_->hash().view(), writer.bytes()}));
}

void ResourceSender::all_parts_sent(TimePoint now) {
  if (state_ == State::transferring) tries_ = 0;
  state_ = State::awaiting_proof;
  deadline_ = now + kRoundTripsForProof * channel_.round_trip() + kProofGrace;
  // While the peer checks this segment, make the next one ready.
  if (content_.value && !next_ && segment_ < segment_count_) prepare_held(segment_ + 1);
}

void ResourceSender::report_progress(TimePoint now) {
  if (now < progress_reported_ + kProgressInterval) return;
  progress_reported_ = now;
  const Range range = segment_range(segment_);
  const std::uint64_t sent = current_->part_count() - parts_unsent_;
  channel_.services().out.emit(ContentProgress{
      .transfer = transfer_,
      .done = range.begin + (range.end - range.begin) * sent / current_->part_count(),
      .total = content_.size(),
      .link = channel_.id(),
      .request = content_.request});
}

void ResourceSender::handle_proof(TimePoint now, ByteView value) {
  if (!crypto::equal_in_constant_time(value, current_->proof_value().view())) return;
  if (segment_ == segment_count_) return end(State::sent);
  deadline_ = kNever;
  if (content_.value || next_) return begin_next(now);
  state_ = State::wanting;
}

void ResourceSender::handle_rejection() { end(State::failed, Errc::denied); }

void ResourceSender::cancel(TimePoint now) {
  if (current_ && !ended()) {
    channel_.send(now, PacketContext::resource_cancel, current_->hash().view());
  }
  end(State::failed);
}

void ResourceSender::handle_deadline(TimePoint now) {
  if (now < deadline_) return;
  if (state_ == State::advertised && tries_ < kAdvertisementTries) return advertise(now);
  if (state_ == State::awaiting_proof && ++tries_ < kProofTries) {
    // The proof may have been lost: the peer keeps it, and sends it again if named by its packet
    // hash.
    const Bytes proof = base::concat({current_->hash().view(), current_->proof_value().view()});
    const Packet expected{.type = PacketType::proof,
                          .destination_type = DestinationType::link,
                          .context = PacketContext::resource_proof,
                          .destination = channel_.id(),
                          .data = proof};
    channel_.send_clear(now, PacketContext::cache_request, packet_hash(expected).view());
    deadline_ = now + kRoundTripsForProof * channel_.round_trip() + kProofGrace;
    return;
  }
  cancel(now);
  failure_ = Errc::timed_out;
}

void ResourceSender::end(State state, Errc why) {
  state_ = state;
  failure_ = why;
  deadline_ = kNever;
  wanted_ = false;
  next_.reset();
}

}  // namespace meshstow::reticulum
