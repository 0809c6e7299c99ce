#include "access/revocation.hpp"

#include <utility>

namespace meshstow::access {

struct Revocation::Rights {
  TokenBook& book;
  AccessControl& control;
};

Revocation::Revocation(std::weak_ptr<Rights> rights, TokenId id, bool was_known,
                       StoredRecord record)
    : rights_(std::move(rights)), id_(id), was_known_(was_known), record_(std::move(record)) {}

Revocation::Revocation(Revocation&& other) noexcept
    : rights_(std::exchange(other.rights_, {})),
      id_(other.id_),
      was_known_(other.was_known_),
      record_(std::move(other.record_)) {}

Revocation::~Revocation() { finish(true); }

void Revocation::finish(bool stored) {
  const auto rights = std::exchange(rights_, {}).lock();
  if (!rights) return;
  rights->book.end_revocation(id_, stored);
  if (stored) rights->control.revoke(id_);
}

Revoker::Revoker(TokenBook& book, AccessControl& control)
    : rights_(std::make_shared<Revocation::Rights>(Revocation::Rights{book, control})) {}

Revoker::~Revoker() = default;

Result<Revocation> Revoker::begin(Now now, const TokenId& id) {
  const bool was_known = rights_->book.knows(id);
  auto record = rights_->book.begin_revocation(now, id);
  if (!record) return fail(record.error());
  return Revocation(rights_, id, was_known, std::move(*record));
}

}  // namespace meshstow::access
