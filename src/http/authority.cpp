#include "http/authority.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "http/message.hpp"

namespace meshstow::http {

using access::Verdict;

TokenCache::Found TokenCache::find(Now now, const std::string& token) {
  if (const auto known = verified_.find(token); known != verified_.end()) {
    if (is_live(now, *known->second)) return {known->second, true};
    return {nullptr, true};
  }
  auto capability = control_.check_token(token, now.wall);
  if (!capability) {
    // An app whose token was revoked or has expired keeps asking for a while, and must hear 401 and
    // not 429.
    return {nullptr, control_.has_issued(token)};
  }
  if (verified_.size() >= limits::kTokenCache) verified_.clear();
  auto shared = std::make_shared<const access::Capability>(std::move(*capability));
  verified_.emplace(token, shared);
  return {std::move(shared), true};
}

bool TokenCache::is_live(Now now, const access::Capability& capability) const {
  if (capability.expires && *capability.expires <= now.wall) return false;
  return !control_.is_revoked(capability.id);
}

void TokenCache::note_use(Now now, const access::Capability& capability) {
  book_.note_use(capability.id, now.wall);
  used_.insert(capability.id);
}

std::vector<access::StoredRecord> TokenCache::take_uses() {
  std::vector<access::StoredRecord> out;
  for (const access::TokenId& id : std::exchange(used_, {})) {
    if (auto record = book_.record(id)) out.push_back(std::move(*record));
  }
  return out;
}

Authority Authority::of_token(std::shared_ptr<const access::Capability> capability) {
  Authority out;
  out.capability_ = std::move(capability);
  return out;
}

Authority Authority::of_session(const SessionId& session) {
  Authority out;
  out.session_ = session;
  return out;
}

base::Holder Authority::holder() const {
  if (session_) return base::Holder::owner();
  return capability_ ? base::Holder::guest(capability_->id.view()) : base::Holder();
}

bool Authority::is_live(Now now, const TokenCache& tokens, const Sessions& sessions) const {
  if (session_) return sessions.is_open(now, *session_);
  return capability_ && tokens.is_live(now, *capability_);
}

Verdict Authority::check(Now now, const TokenCache& tokens, const Sessions& sessions,
                         const StoragePath& path, access::Operation operation) const {
  const bool open_to_all = operation == access::Operation::read && !path.is_folder() &&
                           path.category() == Category::public_;
  if (open_to_all) return Verdict::allowed;
  if (!is_live(now, tokens, sessions)) return Verdict::unauthenticated;
  if (session_) return Verdict::allowed;
  const bool permitted =
      std::any_of(capability_->scopes.begin(), capability_->scopes.end(),
                  [&](const access::Scope& scope) { return scope.permits(operation, path); });
  return permitted ? Verdict::allowed : Verdict::forbidden;
}

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer";
  if (authorization.size() <= kScheme.size() ||
      !equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme) ||
      authorization[kScheme.size()] != ' ') {
    return {};
  }
  authorization.remove_prefix(kScheme.size());
  const std::size_t start = authorization.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view() : authorization.substr(start);
}

}  // namespace meshstow::http
