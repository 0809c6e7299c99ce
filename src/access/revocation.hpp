// access/revocation.hpp: the one way to revoke a token, for HTTP, commands and whoever else does:
// the record is stored first, and only then acted upon, so that no token that was said to be
// revoked is back after a crash.
#pragma once

#include <memory>

#include "access/token_book.hpp"

namespace meshstow::access {

// One revocation on its way to the store. Whoever lets go of it unfinished (a client that hung up)
// cannot know whether it was stored: then it holds.
class Revocation {
 public:
  Revocation(Revocation&& other) noexcept;
  Revocation& operator=(Revocation&&) = delete;
  ~Revocation();

  [[nodiscard]] const TokenId& id() const { return id_; }
  [[nodiscard]] bool was_known() const { return was_known_; }  // false: no token of this book
  [[nodiscard]] const StoredRecord& record() const { return record_; }
  // The store has answered.
  void finish(bool stored);

 private:
  friend class Revoker;
  struct Rights;
  Revocation(std::weak_ptr<Rights> rights, TokenId id, bool was_known, StoredRecord record);
  std::weak_ptr<Rights> rights_;
  TokenId id_;
  bool was_known_;
  StoredRecord record_;
};

class Revoker {
 public:
  Revoker(TokenBook& book, AccessControl& control);  // both outlive it
  ~Revoker();
  // Store its record, then finish() it. A token that this book does not know, as one that was made
  // after a backup, is revoked all the same. Errc::limit: the book is full.
  [[nodiscard]] Result<Revocation> begin(Now now, const TokenId& id);

 private:
  std::shared_ptr<Revocation::Rights> rights_;
};

}  // namespace meshstow::access
