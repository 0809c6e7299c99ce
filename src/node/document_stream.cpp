#include "node/document_stream.hpp"

namespace meshstow::node {

DocumentStream::DocumentStream(ServerContext& context, const StoragePath& path,
                               const storage::OpenedDocument& document,
                               const std::optional<Seal>& seal)
    : context_(context),
      handle_(document.handle),
      first_(document.first),
      size_(document.info.size) {
  if (seal) sealer_.emplace(context.space_key, context.owner, path, seal->version, seal->iv);
}

std::uint64_t DocumentStream::sent_size(const storage::DocumentInfo& info, bool sealed) {
  return sealed ? access::EnvelopeSealer::sealed_size(info.size) : info.size;
}

void DocumentStream::next(Now now, Next give) {
  if (offset_ == 0 && (!first_.empty() || size_ == 0)) {
    const Bytes first = std::move(first_);
    return pass_on(now, first, give);
  }
  context_.store.submit(
      storage::ReadDocument{handle_, offset_, limits::kBodyPiece},
      [self = shared_from_this(), give = std::move(give)](Now later, StoreOutcome outcome) {
        if (!outcome) return give(later, tl::unexpected(outcome.error()));
        const auto* piece = std::get_if<storage::ReadPiece>(&*outcome);
        if (piece == nullptr || piece->bytes.empty()) {
          return give(later, tl::unexpected(storage::Failure{storage::Refusal::corrupt,
                                                             "the body ends too early"}));
        }
        self->pass_on(later, piece->bytes, give);
      });
}

void DocumentStream::pass_on(Now now, ByteView plaintext, const Next& give) {
  offset_ += plaintext.size();
  if (offset_ > size_) {
    return give(now, tl::unexpected(storage::Failure{storage::Refusal::corrupt,
                                                     "the body is longer than its size"}));
  }
  at_end_ = offset_ == size_;
  if (!sealer_) return give(now, base::to_bytes(plaintext));
  Bytes sealed;
  sealer_->update(plaintext, sealed);
  if (at_end_) sealer_->finish(sealed);
  give(now, std::move(sealed));
}

}  // namespace meshstow::node
