#include "reticulum/incoming_transfer.hpp"

#include "base/mesh_limits.hpp"

namespace meshstow::reticulum {
namespace {

constexpr Duration kNextSegmentTimeout = std::chrono::minutes(5);
constexpr Duration kProgressInterval = std::chrono::milliseconds(100);

// What all segments of one content must have in common.
bool belongs_together(const Advertisement& a, const Advertisement& b) {
  return a.first_hash == b.first_hash && a.content_size == b.content_size &&
         a.segment_count == b.segment_count && a.request == b.request &&
         a.is_request == b.is_request && a.is_response == b.is_response;
}

}  // namespace

IncomingTransfer::IncomingTransfer(LinkChannel& channel, TransferWindow& window,
                                   TransferId transfer, ContentKind kind,
                                   const Advertisement& first)
    : channel_(channel),
      window_(window),
      transfer_(transfer),
      kind_(kind),
      shape_(first),
      segment_hash_(first.hash) {
  receiver_.emplace(channel_, window_, first);
}

void IncomingTransfer::start(TimePoint now) {
  place_.emplace(now, channel_, transfer_);
  receiver_->start(now);
}

void IncomingTransfer::share_changed(TimePoint now) {
  if (place_) place_.emplace(now, channel_, transfer_);
}

bool IncomingTransfer::is_continued_by(const Advertisement& next) const {
  return state_ == State::waiting && belongs_together(shape_, next) &&
         next.segment == segment_ + 1 && ResourceReceiver::acceptable(next, channel_);
}

Result<void> IncomingTransfer::handle_advertisement(TimePoint now, const Advertisement& next) {
  if (next.hash == segment_hash_) return {};  // a repeat: our own timer asks for what is missing
  if (!is_continued_by(next)) {
    fail(Errc::malformed);
    return base::fail(Errc::malformed, "resource segment that does not continue the last one");
  }
  segment_ = next.segment;
  segment_hash_ = next.hash;
  state_ = State::receiving;
  next_segment_due_ = kNever;
  receiver_.emplace(channel_, window_, next);
  start(now);
  return {};
}

bool IncomingTransfer::handle_part(TimePoint now, ByteView part) {
  if (state_ != State::receiving || !receiver_->handle_part(now, part)) return false;
  place_->touch(now);
  switch (receiver_->state()) {
    case ResourceReceiver::State::complete:
      begin_opening();
      open_some(now);
      break;
    case ResourceReceiver::State::failed: fail(Errc::limit); break;
    case ResourceReceiver::State::receiving: report_progress(now);
  }
  return true;
}

void IncomingTransfer::handle_hashmap_update(TimePoint now, std::uint64_t piece, ByteView hashes) {
  if (state_ == State::receiving) receiver_->handle_hashmap_update(now, piece, hashes);
}

void IncomingTransfer::begin_opening() {
  const std::uint64_t most = std::min<std::uint64_t>(promised(), limits::kDecompressedSegment);
  auto opening = receiver_->open(most);
  if (!opening) return fail_opening(opening.error().code);
  opening_.emplace(std::move(*opening));
  receiver_.reset();
  state_ = State::opening;
}

void IncomingTransfer::open_some(TimePoint now) {
  if (state_ != State::opening) return;
  const auto done = opening_->step(limits::kOpenedPerTurn);
  if (!done) return fail_opening(done.error().code);
  if (!*done) return;
  auto opened = opening_->finish();
  end_segment();
  if (!opened) return fail(opened.error().code);
  segment_opened(now, std::move(*opened));
}

void IncomingTransfer::fail_opening(Errc why) {
  if (why == Errc::limit) ++channel_.services().transfer_counts.bombs;
  fail(why);
}

void IncomingTransfer::end_segment() {
  receiver_.reset();
  opening_.reset();
  place_.reset();
}

void IncomingTransfer::segment_opened(TimePoint now, OpenedSegment opened) {
  const bool right_size =
      is_last() ? opened.content.size() == promised() : opened.content.size() < promised();
  if (!right_size) return fail(Errc::malformed);

  Bytes proof = base::concat({opened.proof.hash.view(), opened.proof.value.view()});
  const std::uint64_t value_before = value_bytes_;
  content_bytes_ += opened.content.size();
  if (const auto handed = hand_out(std::move(opened.content)); !handed) {
    return fail(handed.error().code);
  }
  if (is_last()) {
    due_proof_ = std::move(proof);
    state_ = State::done;
    channel_.services().out.emit(ContentDone{transfer_});
    return;
  }
  held_proof_ = std::move(proof);
  state_ = State::holding;
  if (value_bytes_ == value_before) taken(now);  // nothing that anybody could take
}

Result<void> IncomingTransfer::hand_out(Bytes content) {
  std::size_t head_size = 0;
  if (segment_ == 1) {
    const auto head = read_content_head(kind_, shape_.has_metadata, content);
    if (!head) return base::fail(head.error());
    if (kind_ == ContentKind::response && !shape_.has_metadata && head->request != shape_.request) {
      return base::fail(Errc::malformed, "response that answers another request");
    }
    begin(*head);
    head_size = head->size;
  }
  if (head_size > 0) {
    content.erase(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(head_size));
  }
  if (content.empty()) return {};
  const std::uint64_t offset = value_bytes_;
  value_bytes_ += content.size();
  channel_.services().out.emit(ContentPiece{transfer_, offset, std::move(content)});
  return {};
}

void IncomingTransfer::begin(const ContentHead& head) {
  started_ = true;
  channel_.services().out.emit(ContentStarted{.transfer = transfer_,
                                              .kind = kind_,
                                              .link = channel_.id(),
                                              .request = shape_.request.value_or(RequestId{}),
                                              .path_hash = head.path_hash,
                                              .size = shape_.content_size - head.size,
                                              .one_packet = false,
                                              .metadata = head.metadata});
}

void IncomingTransfer::taken(TimePoint now) {
  if (state_ != State::holding) return;
  due_proof_ = std::exchange(held_proof_, std::nullopt);
  state_ = State::waiting;
  next_segment_due_ = now + kNextSegmentTimeout;
}

std::optional<Bytes> IncomingTransfer::take_proof() {
  return std::exchange(due_proof_, std::nullopt);
}

void IncomingTransfer::report_progress(TimePoint now) {
  if (now < progress_reported_ + kProgressInterval) return;
  progress_reported_ = now;
  const Advertisement& segment = receiver_->advertisement();
  const std::uint64_t left = shape_.content_size - content_bytes_;
  const std::uint64_t in_segment =
      is_last() ? left : std::min<std::uint64_t>(left, kSegmentContent);
  channel_.services().out.emit(ContentProgress{
      .transfer = transfer_,
      .done = content_bytes_ + in_segment * receiver_->received_bytes() / segment.transfer_size,
      .total = shape_.content_size,
      .link = channel_.id(),
      .request = shape_.request});
}

void IncomingTransfer::fail(Errc why) {
  state_ = State::failed;
  failure_ = why;
  end_segment();
}

TimePoint IncomingTransfer::deadline() const {
  if (state_ == State::receiving) return receiver_->deadline();
  return state_ == State::waiting ? next_segment_due_ : kNever;
}

void IncomingTransfer::handle_deadline(TimePoint now) {
  if (now < deadline()) return;
  if (state_ == State::waiting) return fail(Errc::timed_out);
  if (state_ != State::receiving) return;
  receiver_->handle_deadline(now);
  if (receiver_->state() == ResourceReceiver::State::failed) fail(Errc::timed_out);
}

}  // namespace meshstow::reticulum
