#include "reticulum/resource_receiver.hpp"

#include <new>

namespace meshstow::reticulum {
namespace {

constexpr int kMostRetries = 16;
constexpr Byte kHashmapKnown = 0x00;
constexpr Byte kHashmapExhausted = 0xFF;
constexpr Duration kPartGrace = std::chrono::milliseconds(250);
constexpr Duration kPerRetry = std::chrono::milliseconds(500);
// The sender searches a span of kCollisionGuard parts that begins this far below the hashmap piece
// asked for last.
constexpr std::size_t kSenderLooksBack = kMostPartsAsked;
// How far requests may run ahead of the first missing part: within one sender's span, whatever
// piece it is at.
constexpr std::size_t kAskSpan = 2 * kMostPartsAsked - 1;

}  // namespace

bool ResourceReceiver::acceptable(const Advertisement& a, const LinkChannel& channel) {
  if (a.transfer_size > kLargestTransfer || !a.encrypted) return false;
  const std::size_t size = channel.part_size();
  return a.part_count == (a.transfer_size + size - 1) / size;
}

ResourceReceiver::ResourceReceiver(LinkChannel& channel, TransferWindow& window,
                                   Advertisement advertisement)
    : channel_(channel), window_(window), advertisement_(std::move(advertisement)) {
  missing_ = static_cast<std::size_t>(advertisement_.part_count);
  have_.resize(missing_);
  take_hashes(advertisement_.hashmap);
  advertisement_.hashmap.clear();
}

ResourceReceiver::~ResourceReceiver() { channel_.services().incoming_bytes -= stream_.size(); }

void ResourceReceiver::take_hashes(ByteView hashes) {
  for (; hashes.size() >= kPartHash; hashes = hashes.subspan(kPartHash)) {
    hashes_.push_back(static_cast<PartHash>(base::read_big_endian(hashes.first(kPartHash))));
  }
}

void ResourceReceiver::start(TimePoint now) { ask(now); }

std::size_t ResourceReceiver::size_of(std::size_t index) const {
  const std::size_t size = channel_.part_size();
  return std::min<std::size_t>(size, advertisement_.transfer_size - index * size);
}

bool ResourceReceiver::wants_hashmap() const {
  return !hashmap_asked_ && hashes_.size() < have_.size() &&
         hashes_.size() - first_missing_ <= kSenderLooksBack;
}

bool ResourceReceiver::ask_now() const {
  if (outstanding_.empty()) return !hashmap_asked_ || next_to_ask_ < hashes_.size();
  return window_.asks_ahead() && outstanding_.size() <= window_.size() / 2;
}

void ResourceReceiver::ask(TimePoint now) {
  const bool hashmap = wants_hashmap();
  Bytes wanted;
  const bool nothing_outstanding = outstanding_.empty();
  const std::size_t end = std::min(hashes_.size(), first_missing_ + kAskSpan);
  // What one sealed packet holds, whatever the window says.
  const std::size_t most = (channel_.payload() - 1 - kPartHash - Hash32::size()) / kPartHash;
  const std::size_t window = std::min({window_.size(), kMostPartsAsked, most});
  for (; next_to_ask_ < end && outstanding_.size() < window; ++next_to_ask_) {
    if (have_[next_to_ask_]) continue;
    base::append_big_endian(wanted, hashes_[next_to_ask_]);
    outstanding_.push_back({hashes_[next_to_ask_], next_to_ask_});
  }
  if (wanted.empty() && !hashmap) return;

  Bytes request;
  request.reserve(1 + kPartHash + Hash32::size() + wanted.size());
  request.push_back(hashmap ? kHashmapExhausted : kHashmapKnown);
  if (hashmap) base::append_big_endian(request, hashes_.back());
  base::append(request, advertisement_.hash.view());
  base::append(request, wanted);
  hashmap_asked_ = hashmap_asked_ || hashmap;
  window_.asked(now, nothing_outstanding);
  channel_.send(now, PacketContext::resource_part_request, request);
  last_activity_ = now;
}

// Mostly the first one asked for. A part that was given up may still come: it is known by its hash
// as well.
std::optional<std::size_t> ResourceReceiver::find_index(PartHash hash) const {
  for (const Asked& asked : outstanding_) {
    if (asked.hash == hash) return asked.index;
  }
  const std::size_t end = std::min(hashes_.size(), first_missing_ + kAskSpan);
  for (std::size_t i = first_missing_; i < end; ++i) {
    if (!have_[i] && hashes_[i] == hash) return i;
  }
  return std::nullopt;
}

bool ResourceReceiver::handle_part(TimePoint now, ByteView part) {
  if (state_ != State::receiving) return false;
  const auto index = find_index(part_hash(part, advertisement_.random));
  if (!index || part.size() != size_of(*index)) return false;
  if (!reserve()) {
    state_ = State::failed;
    return true;
  }
  place(now, *index, part);
  if (missing_ == 0) {
    state_ = State::complete;
  } else if (ask_now()) {
    ask(now);
  }
  return true;
}

bool ResourceReceiver::reserve() {
  if (!stream_.empty()) return true;
  try {
    stream_.resize(static_cast<std::size_t>(advertisement_.transfer_size));
  } catch (const std::bad_alloc&) {
    return false;
  }
  channel_.services().incoming_bytes += stream_.size();
  return true;
}

void ResourceReceiver::place(TimePoint now, std::size_t index, ByteView part) {
  const auto offset = static_cast<std::ptrdiff_t>(index * channel_.part_size());
  std::copy(part.begin(), part.end(), stream_.begin() + offset);
  have_[index] = true;
  --missing_;
  received_bytes_ += part.size();
  while (first_missing_ < have_.size() && have_[first_missing_]) ++first_missing_;
  std::erase_if(outstanding_, [index](const Asked& asked) { return asked.index == index; });
  window_.arrived(now, part.size());
  answered_ = true;
  retries_ = 0;
  last_activity_ = now;
}

void ResourceReceiver::handle_hashmap_update(TimePoint now, std::uint64_t piece, ByteView hashes) {
  if (state_ != State::receiving || hashes_.size() >= have_.size()) return;
  // Pieces are whole but for the last; a repeated or foreign one is nothing to us.
  const std::size_t due = std::min(kHashmapPiece, have_.size() - hashes_.size());
  if (piece != hashes_.size() / kHashmapPiece || hashes.size() != due * kPartHash) return;
  take_hashes(hashes);
  hashmap_asked_ = false;
  answered_ = true;
  retries_ = 0;
  last_activity_ = now;
  if (ask_now()) ask(now);
}

TimePoint ResourceReceiver::deadline() const {
  if (state_ != State::receiving) return kNever;
  const std::size_t bytes = (outstanding_.size() + 1) * channel_.part_size();
  return last_activity_ + (answered_ ? 2 : 4) * window_.expected_flight(bytes) + kPartGrace +
         retries_ * kPerRetry;
}

void ResourceReceiver::handle_deadline(TimePoint now) {
  if (now < deadline()) return;
  if (++retries_ > kMostRetries) {
    state_ = State::failed;
    return;
  }
  window_.timed_out();
  outstanding_.clear();
  hashmap_asked_ = false;
  next_to_ask_ = first_missing_;
  ask(now);
}

Result<SegmentOpening> ResourceReceiver::open(std::uint64_t max_content) const {
  return SegmentOpening::begin(advertisement_, stream_, channel_.cipher(), max_content);
}

}  // namespace meshstow::reticulum
