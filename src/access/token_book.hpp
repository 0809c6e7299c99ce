// access/token_book.hpp: the tokens that this node has issued, and which of them are revoked.
//
// Sans-IO: it gives records (key and sealed value) that the caller stores before it acts on them,
// and loads them again at start. Token texts themselves are never kept. Scopes are sealed in the
// records, because they hold path names.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/access_control.hpp"
#include "access/storage_encryption.hpp"

namespace meshstow::access {

struct TokenOrder {
  std::vector<Scope> scopes;
  std::optional<IdentityHash> holder;
  std::optional<std::chrono::seconds> lifetime;
  std::string label;  // "cli", or the origin of an app
};

struct TokenRecord {
  Capability capability;  // without scopes: nothing is known of it but that it is revoked
  std::string label;
  WallTime created{};
  std::optional<WallTime> last_used;  // kept in memory, saved now and then
  bool revoked = false;
};

// For storage::PutRecord.
struct StoredRecord {
  Bytes key;
  Bytes value;
};
struct IssuedToken {
  std::string text;
  TokenId id;
  StoredRecord record;
};

inline constexpr std::string_view kTokenRecordPrefix = "token/";
// Whose record has this key; nullopt: no token's.
std::optional<TokenId> token_of_record(ByteView key);

class TokenBook {
 public:
  TokenBook(IdentityHash owner, Signer owner_signer, const SpaceKey& key, base::Rng& rng);
  ~TokenBook();

  // Errc::limit beyond limits::kTokensPerSpace; Errc::malformed for no scopes or an absurd
  // lifetime.
  [[nodiscard]] Result<IssuedToken> issue(Now now, const TokenOrder& order);
  [[nodiscard]] bool knows(const TokenId& id) const;
  // For access/revocation.hpp alone. The record to store; until the end is told, every record of
  // this token says that it is revoked, and list() does not. Errc::limit: the book is full.
  [[nodiscard]] Result<StoredRecord> begin_revocation(Now now, const TokenId& id);
  void end_revocation(const TokenId& id, bool stored);
  // The record as it is now, to save the last use. Errc::not_found.
  [[nodiscard]] Result<StoredRecord> record(const TokenId& id) const;
  // A record read back at start. Errc::corrupt.
  [[nodiscard]] Result<TokenRecord> load(ByteView key, ByteView value);
  void note_use(const TokenId& id, WallTime at);
  [[nodiscard]] std::vector<TokenRecord> list() const;  // oldest first

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::access
