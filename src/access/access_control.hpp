// access/access_control.hpp: who may do what, with default deny.
// Source: seed specification, Security 2; design.md 1 (categories) and 5 (senders, tokens).
#pragma once

#include <map>
#include <set>
#include <string>

#include "access/capability.hpp"

namespace meshstow::access {

// Standing grants of named users, beside tokens.
class AccessControlList {
 public:
  void grant(const IdentityHash& user, Scope scope);
  void withdraw(const IdentityHash& user);
  [[nodiscard]] bool check_permission(const IdentityHash& user, const StoragePath& path,
                                      Operation operation) const;
  [[nodiscard]] bool knows(const IdentityHash& user) const;  // has any grant

 private:
  std::map<IdentityHash, std::vector<Scope>> grants_;
};

// Why not: becomes the message of a STORE002. unauthenticated is 401, forbidden is 403.
enum class Verdict { allowed, unauthenticated, forbidden };
struct Decision {
  Verdict verdict = Verdict::forbidden;
  const char* reason = "";
  std::optional<TokenId> token;       // the token that was used
  std::optional<WallTime> expires{};  // of that token
  [[nodiscard]] bool allowed() const { return verdict == Verdict::allowed; }
};

class AccessControl {
 public:
  AccessControl(IdentityHash owner, crypto::Ed25519Public owner_key);

  void add_device(const IdentityHash& device);
  AccessControlList& acl() { return acl_; }
  [[nodiscard]] bool is_own(const IdentityHash& user) const;  // the owner, or one of his devices
  void revoke(const TokenId& token);
  // Did the owner ever sign it, be it revoked or expired since?
  [[nodiscard]] bool has_issued(std::string_view token) const;
  [[nodiscard]] bool is_revoked(const TokenId& token) const;

  // The seed's rule: owner and devices everything; anybody documents (not listings) below /public/
  // to read; named users what the list says; else no. `user` nullopt: an unidentified sender.
  [[nodiscard]] bool check_access(const std::optional<IdentityHash>& user, const StoragePath& path,
                                  Operation operation) const;

  // The same for a sender who may show a token (without "Bearer "). A bad token never breaks a read
  // that is open to all. An unidentified mesh sender has no use of tokens: pass `token` empty
  // there.
  [[nodiscard]] Decision decide(const std::optional<IdentityHash>& user, std::string_view token,
                                const StoragePath& path, Operation operation, WallTime now) const;

  // Does what was allowed still hold, in the middle of a transfer? `allowed` again, or why not.
  [[nodiscard]] Decision look_again(const Decision& allowed, WallTime now) const;

  // Token alone (HTTP): verified, not expired, not revoked, not bound to a holder.
  [[nodiscard]] Result<Capability> check_token(std::string_view token, WallTime now) const;

 private:
  [[nodiscard]] Result<void> check_lives(const TokenId& token,
                                         const std::optional<WallTime>& expires,
                                         WallTime now) const;
  // Verified, not revoked, not expired; whoever the holder is.
  [[nodiscard]] Result<Capability> check_live(std::string_view token, WallTime now) const;

  IdentityHash owner_;
  crypto::Ed25519Public owner_key_;
  std::set<IdentityHash> devices_;
  std::set<TokenId> revoked_;
  AccessControlList acl_;
};

}  // namespace meshstow::access
