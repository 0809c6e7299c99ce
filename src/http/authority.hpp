// http/authority.hpp: by what right a request acts, and whether it still may.
//
// Verified tokens are remembered, because a signature check costs more than the rest of a small
// GET; expiry and revocation are looked at every time, so that both take effect at once, in the
// middle of a transfer too.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "access/token_book.hpp"
#include "base/shares.hpp"
#include "http/sessions.hpp"

namespace meshstow::http {

class TokenCache {
 public:
  TokenCache(access::AccessControl& control, access::TokenBook& book)
      : control_(control), book_(book) {}

  struct Found {
    std::shared_ptr<const access::Capability> capability;  // null: not valid, or no more
    bool ours = false;  // it is, or once was, a token that we gave out: no guess
  };
  Found find(Now now, const std::string& token);
  [[nodiscard]] bool is_live(Now now, const access::Capability& capability) const;
  void note_use(Now now, const access::Capability& capability);
  // Records of the tokens that were used since the last call: when they were is worth keeping.
  [[nodiscard]] std::vector<access::StoredRecord> take_uses();

 private:
  access::AccessControl& control_;
  access::TokenBook& book_;
  std::unordered_map<std::string, std::shared_ptr<const access::Capability>> verified_;
  std::set<access::TokenId> used_;
};

class Authority {
 public:
  static Authority nobody() { return {}; }
  static Authority of_token(std::shared_ptr<const access::Capability> capability);
  static Authority of_session(const SessionId& session);

  // Does it allow the operation, now?
  [[nodiscard]] access::Verdict check(Now now, const TokenCache& tokens, const Sessions& sessions,
                                      const StoragePath& path, access::Operation operation) const;
  // Is it worth anything, now? (Streams.)
  [[nodiscard]] bool is_live(Now now, const TokenCache& tokens, const Sessions& sessions) const;
  [[nodiscard]] const std::optional<SessionId>& session() const { return session_; }
  [[nodiscard]] const access::Capability* capability() const { return capability_.get(); }
  // Whose share of a bound it takes.
  [[nodiscard]] base::Holder holder() const;

 private:
  std::shared_ptr<const access::Capability> capability_;
  std::optional<SessionId> session_;
};

// The token of "Authorization: Bearer x"; empty without one.
std::string_view bearer_token(std::string_view authorization);

}  // namespace meshstow::http
