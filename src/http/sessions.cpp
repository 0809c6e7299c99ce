#include "http/sessions.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "codec/hex.hpp"
#include "crypto/hash.hpp"

namespace meshstow::http {
namespace {

constexpr std::size_t kSaltSize = 16;

Hash32 hash_of(std::string_view secret) { return crypto::sha256(base::as_bytes(secret)); }

Bytes record_key(const SessionId& id) {
  return base::to_bytes(base::as_bytes(std::string(kSessionRecordPrefix) + codec::to_hex(id)));
}

}  // namespace

std::string Sessions::make_link(Now now) {
  if (links_.size() == limits::kSignInLinks) links_.erase(links_.begin());
  std::string secret = codec::to_base64url(rng_.bytes<24>().view());
  links_.push_back({hash_of(secret), now.mono + kLinkLifetime});
  return secret;
}

bool Sessions::spend_link(Now now, std::string_view secret) {
  const Hash32 hash = hash_of(secret);
  const auto found = std::find_if(links_.begin(), links_.end(),
                                  [&](const Link& link) { return link.hash == hash; });
  if (found == links_.end()) return false;
  const bool fresh = now.mono < found->expires;
  links_.erase(found);
  return fresh;
}

Sessions::Opened Sessions::open(Now now) {
  Opened out;
  for (auto it = expires_.begin(); it != expires_.end();) {
    const bool expired = it->second <= now.wall;
    if (expired) out.removed.push_back(record_key(it->first));
    it = expired ? expires_.erase(it) : std::next(it);
  }
  if (expires_.size() >= limits::kSessions) {
    const auto oldest =
        std::min_element(expires_.begin(), expires_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    out.removed.push_back(record_key(oldest->first));
    expires_.erase(oldest);
  }
  out.cookie = codec::to_base64url(rng_.bytes<32>().view());
  const SessionId id = hash_of(out.cookie);
  const WallTime expires = now.wall + kSessionLifetime;
  expires_[id] = expires;
  out.record.key = record_key(id);
  base::append_big_endian(out.record.value, base::unix_seconds(expires));
  return out;
}

std::optional<SessionId> Sessions::find(Now now, std::string_view cookie) const {
  if (cookie.empty()) return std::nullopt;
  const SessionId id = hash_of(cookie);
  if (!is_open(now, id)) return std::nullopt;
  return id;
}

bool Sessions::is_open(Now now, const SessionId& id) const {
  const auto found = expires_.find(id);
  return found != expires_.end() && now.wall < found->second;
}

Bytes Sessions::close(const SessionId& id) {
  expires_.erase(id);
  return record_key(id);
}

void Sessions::load(Now now, ByteView key, ByteView value) {
  const std::string_view text = base::as_text(key);
  if (!text.starts_with(kSessionRecordPrefix) || value.size() != 8) return;
  const auto id = codec::fixed_from_hex<32>(text.substr(kSessionRecordPrefix.size()));
  const auto expires = static_cast<std::int64_t>(base::read_big_endian(value));
  // The bound keeps a damaged record from overflowing the time type, and from never expiring.
  const auto latest = base::unix_seconds(now.wall + kSessionLifetime);
  if (!id || expires < 0 || expires > latest || expires_.size() >= limits::kSessions) return;
  if (const WallTime at = base::wall_from_unix_seconds(expires); at > now.wall) expires_[*id] = at;
}

std::string csrf_token(std::string_view cookie) {
  const Hash32 mac = crypto::hmac_sha256(base::as_bytes(cookie), {base::as_bytes("csrf")});
  return codec::to_base64url(mac.view().first(24));
}

bool csrf_matches(std::string_view cookie, std::string_view given) {
  return crypto::equal_in_constant_time(base::as_bytes(csrf_token(cookie)), base::as_bytes(given));
}

bool PassphraseVerifier::matches(const Hash32& hash_of_attempt) const {
  return crypto::equal_in_constant_time(hash.view(), hash_of_attempt.view());
}

Bytes PassphraseVerifier::encode() const { return base::concat({salt, hash.view()}); }

Result<PassphraseVerifier> PassphraseVerifier::decode(ByteView value) {
  if (value.size() != kSaltSize + Hash32::size())
    return fail(Errc::corrupt, "not a passphrase record");
  PassphraseVerifier out;
  out.salt = base::to_bytes(value.first(kSaltSize));
  out.hash = Hash32::prefix_of(value.subspan(kSaltSize));
  return out;
}

}  // namespace meshstow::http
