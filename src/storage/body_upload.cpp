#include "storage/body_upload.hpp"

#include "base/check.hpp"
#include "codec/content_type.hpp"

namespace meshstow::storage {

BodyUpload::BodyUpload(Uploads& uploads, const base::Holder& who, UploadId id, StoragePath path,
                       std::optional<std::uint64_t> size)
    : place_(uploads.places, who),
      small_(uploads.small, who),
      id_(id),
      path_(std::move(path)),
      size_(size) {}

void BodyUpload::begin() {
  if (phase_ == Phase::open && !begun_) start();
}

void BodyUpload::start() {
  if (!place_.take()) return refuse({Refusal::unavailable, "too many uploads at once", {}});
  begun_ = begin_due_ = begin_unanswered_ = true;
  small_.give_all_back();
}

void BodyUpload::take(ByteView piece) {
  if (phase_ != Phase::open) return;
  received_ += piece.size();
  if (received_ > limits::kDocument) return refuse({Refusal::too_large, "", {}});
  if (!begun_ && received_ > limits::kInlineDocument) start();
  if (!begun_ && phase_ == Phase::open && !small_.take(piece.size())) {
    refuse({Refusal::unavailable, "too much is written at once", {}});
  }
  if (phase_ != Phase::open) return;
  while (!piece.empty()) {
    if (pieces_.empty() || pieces_.back().size() == limits::kBodyPiece) pieces_.emplace_back();
    const std::size_t room = limits::kBodyPiece - pieces_.back().size();
    base::append(pieces_.back(), piece.first(std::min(piece.size(), room)));
    piece = piece.subspan(std::min(piece.size(), room));
  }
}

void BodyUpload::end() {
  if (phase_ == Phase::open) phase_ = Phase::ended;
}

bool BodyUpload::is_whole() const {
  if (phase_ != Phase::ended) return false;
  return !begun_ || (!begin_unanswered_ && pieces_.empty() && appending_ == 0);
}

bool BodyUpload::wants_more() const {
  if (phase_ != Phase::open || appending_ + pieces_.size() > limits::kUploadPieces) return false;
  return received_ > 0 || !begin_unanswered_;
}

void BodyUpload::commit(std::string content_type, Conditions conditions) {
  MESHSTOW_CHECK(is_whole());
  phase_ = Phase::committing;
  // An empty type is none, by whatever door it came.
  if (content_type.empty()) content_type = codec::kUnknownContentType;
  put_.emplace(PutDocument{path_, std::move(content_type), std::move(conditions), Bytes()});
  if (begun_) {
    put_->body = id_;
  } else if (!pieces_.empty()) {
    put_->body = std::move(pieces_.front());
    pieces_.clear();
  }
}

void BodyUpload::abort() {
  if (phase_ == Phase::committing || phase_ == Phase::over) return;
  phase_ = Phase::over;
  pieces_.clear();
  abort_due_ = begun_ && !std::exchange(begin_due_, false);
  if (!abort_due_) give_back();
}

void BodyUpload::refuse(const Failure& why) {
  if (phase_ == Phase::over) return;
  refused_ = why;
  phase_ = Phase::ended;  // a commit that was refused is over as well
  abort();
}

void BodyUpload::give_back() {
  place_.give_all_back();
  small_.give_all_back();
}

std::optional<BodyUpload::Asked> BodyUpload::next() {
  if (std::exchange(abort_due_, false)) {
    // Whoever begins now is behind this in the queue of the store.
    give_back();
    return Asked{Step::abort, AbortUpload{id_}};
  }
  if (std::exchange(begin_due_, false)) return Asked{Step::begin, BeginUpload{id_, path_, size_}};
  if (put_) {
    Asked out{Step::put, std::move(*put_)};
    put_.reset();
    return out;
  }
  const bool more = begun_ && !pieces_.empty() && appending_ < limits::kUploadPieces &&
                    (phase_ == Phase::ended || pieces_.front().size() == limits::kBodyPiece);
  if (!more) return std::nullopt;
  return Asked{Step::append, next_piece()};
}

AppendUpload BodyUpload::next_piece() {
  ++appending_;
  AppendUpload out{id_, std::move(pieces_.front())};
  pieces_.pop_front();
  return out;
}

void BodyUpload::answered(Step step, const Outcome<Answer>& outcome) {
  if (step == Step::abort) return;
  if (step == Step::begin) begin_unanswered_ = false;
  if (step == Step::append) --appending_;
  if (!outcome) return refuse(outcome.error());
  if (step != Step::put) return;
  const auto* written = std::get_if<WriteResult>(&*outcome);
  if (written == nullptr) return refuse({Refusal::unavailable, "not the answer to a write", {}});
  phase_ = Phase::over;
  give_back();
  written_ = *written;
}

void UploadPace::forgive(TimePoint now, std::uint64_t received, Duration patience) {
  due_ = now + patience;
  seen_ = received;
}

bool UploadPace::is_too_slow(TimePoint now, std::uint64_t received, Duration patience) {
  if (due_ == kNever) forgive(now, received, patience);
  if (now < due_) return false;
  if (received - seen_ < limits::kUploadLeast) return true;
  forgive(now, received, patience);
  return false;
}

}  // namespace meshstow::storage
