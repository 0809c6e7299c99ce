#include "node/incoming_answer.hpp"

#include <utility>

namespace meshstow::node {

IncomingAnswer::IncomingAnswer(const access::KeyRing& keys, const StoragePath& path)
    : keys_(keys),
      path_(path),
      look_(path.is_secret() ? Look::undecided : Look::plain),
      reader_([this](ByteView piece) { return take_data(piece); }) {}

Result<void> IncomingAnswer::take(ByteView piece, Bytes& body) {
  const auto fed = reader_.feed(piece);
  hand_out(body);
  return fed;
}

Result<void> IncomingAnswer::end(Bytes& body) {
  if (const auto whole = reader_.finish(); !whole) return whole;
  if (reader_.has_data()) {
    if (const auto looked = look(true); !looked) return looked;
  }
  if (opener_) {
    if (const auto opened = opener_->finish(body_); !opened) return opened;
  }
  hand_out(body);
  return {};
}

void IncomingAnswer::hand_out(Bytes& body) {
  body_size_ += body_.size();
  base::append(body, std::exchange(body_, {}));
}

Result<void> IncomingAnswer::take_data(ByteView piece) {
  sent_size_ += piece.size();
  if (look_ == Look::undecided) {
    base::append(first_, piece);
    return look(false);
  }
  if (opener_) return opener_->update(piece, body_);
  base::append(body_, piece);
  return {};
}

// Decides what the first bytes are, as soon as there are enough of them, or no more.
Result<void> IncomingAnswer::look(bool all) {
  if (look_ != Look::undecided || (!all && first_.size() < access::kEnvelopeLeast)) return {};
  const Bytes first = std::exchange(first_, {});
  const auto key = access::envelope_key(first);
  if (!key) {
    // A node that seals nothing (a program's own) can keep what we sealed, but it cannot seal a
    // list of names. A document in clear is not what its owner stored.
    if (!path_.is_folder()) return fail(Errc::corrupt, "a document that should be sealed is not");
    look_ = Look::plain;
    base::append(body_, first);
    return {};
  }
  look_ = Look::sealed;
  const auto owner = keys_.owner_of(*key);
  if (!owner) return fail(Errc::denied, "sealed with a key that this home does not hold");
  opener_.emplace(keys_, *owner, path_);
  return opener_->update(first, body_);
}

}  // namespace meshstow::node
