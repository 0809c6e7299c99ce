#include "node/outgoing_body.hpp"

#include "base/limits.hpp"

namespace meshstow::node {

OutgoingBody::OutgoingBody(std::uint64_t size, std::optional<Sealing> sealing)
    : size_(size), sealing_(std::move(sealing)) {
  restart();
}

std::uint64_t OutgoingBody::sent_size() const {
  return sealing_ ? access::EnvelopeSealer::sealed_size(size_) : size_;
}

void OutgoingBody::restart() {
  offset_ = 0;
  finished_ = false;
  if (sealing_) {
    sealer_.emplace(*sealing_->key, sealing_->owner, sealing_->path, sealing_->version,
                    sealing_->iv);
  }
}

std::size_t OutgoingBody::wanted() const {
  return static_cast<std::size_t>(std::min<std::uint64_t>(size_ - offset_, limits::kBodyPiece));
}

Result<void> OutgoingBody::supply(ByteView plaintext, Bytes& out) {
  if (plaintext.size() > size_ - offset_) {
    return fail(Errc::malformed, "the body is longer than its announced size");
  }
  if (plaintext.empty() && offset_ < size_) {
    return fail(Errc::malformed, "the body is shorter than its announced size");
  }
  offset_ += plaintext.size();
  finished_ = offset_ == size_;
  if (!sealer_) {
    base::append(out, plaintext);
    return {};
  }
  sealer_->update(plaintext, out);
  if (finished_) sealer_->finish(out);
  return {};
}

}  // namespace meshstow::node
