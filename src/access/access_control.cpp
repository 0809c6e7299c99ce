#include "access/access_control.hpp"

#include <algorithm>

namespace meshstow::access {
namespace {

bool any_permits(const std::vector<Scope>& scopes, Operation operation, const StoragePath& path) {
  return std::any_of(scopes.begin(), scopes.end(),
                     [&](const Scope& scope) { return scope.permits(operation, path); });
}

bool open_to_all(const StoragePath& path, Operation operation) {
  return operation == Operation::read && path.category() == Category::public_ && !path.is_folder();
}

Decision refuse(Verdict verdict, const char* reason, std::optional<TokenId> token = {}) {
  return {.verdict = verdict, .reason = reason, .token = token};
}

}  // namespace

void AccessControlList::grant(const IdentityHash& user, Scope scope) {
  auto& scopes = grants_[user];
  if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) {
    scopes.push_back(std::move(scope));
  }
}

void AccessControlList::withdraw(const IdentityHash& user) { grants_.erase(user); }

bool AccessControlList::check_permission(const IdentityHash& user, const StoragePath& path,
                                         Operation operation) const {
  const auto found = grants_.find(user);
  return found != grants_.end() && any_permits(found->second, operation, path);
}

bool AccessControlList::knows(const IdentityHash& user) const { return grants_.contains(user); }

AccessControl::AccessControl(IdentityHash owner, crypto::Ed25519Public owner_key)
    : owner_(owner), owner_key_(owner_key) {}

bool AccessControl::is_own(const IdentityHash& user) const {
  return user == owner_ || devices_.contains(user);
}

void AccessControl::add_device(const IdentityHash& device) { devices_.insert(device); }

void AccessControl::revoke(const TokenId& token) { revoked_.insert(token); }

bool AccessControl::has_issued(std::string_view token) const {
  return verify_token(token, owner_, owner_key_).has_value();
}

bool AccessControl::is_revoked(const TokenId& token) const { return revoked_.contains(token); }

bool AccessControl::check_access(const std::optional<IdentityHash>& user, const StoragePath& path,
                                 Operation operation) const {
  if (open_to_all(path, operation)) return true;
  if (!user) return false;
  if (is_own(*user)) return true;
  return acl_.check_permission(*user, path, operation);
}

Result<Capability> AccessControl::check_live(std::string_view token, WallTime now) const {
  auto capability = verify_token(token, owner_, owner_key_);
  if (!capability) return capability;
  if (const auto lives = check_lives(capability->id, capability->expires, now); !lives) {
    return fail(lives.error());
  }
  return capability;
}

Result<void> AccessControl::check_lives(const TokenId& token,
                                        const std::optional<WallTime>& expires,
                                        WallTime now) const {
  if (is_revoked(token)) return fail(Errc::denied, "the token was revoked");
  if (expires && *expires <= now) return fail(Errc::denied, "the token has expired");
  return {};
}

Decision AccessControl::look_again(const Decision& allowed, WallTime now) const {
  if (!allowed.token) return allowed;
  const auto lives = check_lives(*allowed.token, allowed.expires, now);
  return lives ? allowed : refuse(Verdict::unauthenticated, lives.error().detail, allowed.token);
}

Result<Capability> AccessControl::check_token(std::string_view token, WallTime now) const {
  auto capability = check_live(token, now);
  if (capability && capability->holder) {
    return fail(Errc::denied, "the token is for a named holder, who must show it on a mesh link");
  }
  return capability;
}

Decision AccessControl::decide(const std::optional<IdentityHash>& user, std::string_view token,
                               const StoragePath& path, Operation operation, WallTime now) const {
  if (check_access(user, path, operation)) return {.verdict = Verdict::allowed};
  if (token.empty()) {
    if (!user)
      return refuse(Verdict::unauthenticated, "nobody is identified, and no token is shown");
    if (acl_.knows(*user))
      return refuse(Verdict::forbidden, "the grants of this user do not cover it");
    return refuse(Verdict::unauthenticated, "a token is needed");
  }
  const auto capability = check_live(token, now);
  if (!capability) return refuse(Verdict::unauthenticated, capability.error().detail);
  if (capability->holder && capability->holder != user) {
    return refuse(Verdict::forbidden, "the token is for another holder", capability->id);
  }
  if (!any_permits(capability->scopes, operation, path)) {
    return refuse(Verdict::forbidden, "the token does not cover it", capability->id);
  }
  return {.verdict = Verdict::allowed, .token = capability->id, .expires = capability->expires};
}

}  // namespace meshstow::access
