#include "http/sessions.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "codec/hex.hpp"
#include "crypto/hash.hpp"

namespace meshstow::http {
namespace {

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kSecretSize = 32;
constexpr Byte kRecordVersion = 2;

Hash32 hash_of(std::string_view secret) { return crypto::sha256(base::as_bytes(secret)); }

// What a record says: the session, and until when (Unix seconds). Records without a version are of
// sessions that were cookies, which other programs have seen.
std::optional<std::pair<SessionKey, std::int64_t>> decode(std::string_view id, ByteView value) {
  constexpr std::size_t kFixed = 1 + 8;
  const auto read = codec::fixed_from_hex<32>(id);
  if (!read || value.size() < kFixed || value.front() != kRecordVersion) return std::nullopt;
  SessionKey key{.id = *read, .public_key = {}};
  const auto expires = static_cast<std::int64_t>(base::read_big_endian(value.subspan(1, 8)));
  if (value.size() == kFixed) return std::pair(key, expires);
  key.public_key = crypto::P256Public::from(value.subspan(kFixed));
  if (!key.public_key || crypto::sha256(key.public_key->view()) != *read) return std::nullopt;
  return std::pair(key, expires);
}

}  // namespace

Result<SessionKey> SessionKey::of_public_key(std::string_view text) {
  const auto bytes = codec::from_base64url(text);
  const auto key = bytes ? crypto::P256Public::from(*bytes) : std::nullopt;
  if (!key || !crypto::is_p256_key(*key)) return fail(Errc::malformed, "no key of P-256");
  return SessionKey{.id = crypto::sha256(key->view()), .public_key = key};
}

Result<SessionKey> SessionKey::of_secret(std::string_view text) {
  const auto bytes = codec::from_base64url(text);
  if (!bytes || bytes->size() != kSecretSize) return fail(Errc::malformed, "no session secret");
  return SessionKey{.id = crypto::sha256(*bytes), .public_key = {}};
}

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

void Sessions::make_room(Now now, std::vector<Bytes>& removed) {
  const auto remove = [&](auto at) {
    removed.push_back(record_key(at->first));
    return sessions_.erase(at);
  };
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    at = at->second.expires <= now.wall ? remove(at) : std::next(at);
  }
  if (sessions_.size() < limits::kSessions) return;
  remove(std::ranges::min_element(sessions_, {},
                                  [](const auto& entry) { return entry.second.expires; }));
}

Sessions::Opened Sessions::open(Now now, const SessionKey& key) {
  Opened out;
  out.removed = std::exchange(unreadable_, {});
  make_room(now, out.removed);
  const WallTime expires = now.wall + kSessionLifetime;
  sessions_.insert_or_assign(key.id, Session{key, expires});
  out.record.key = record_key(key.id);
  out.record.value.push_back(kRecordVersion);
  base::append_big_endian(out.record.value, base::unix_seconds(expires));
  if (key.public_key) base::append(out.record.value, key.public_key->view());
  return out;
}

const SessionKey* Sessions::find(Now now, const SessionId& id) const {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.expires <= now.wall) return nullptr;
  return &found->second.key;
}

void Sessions::close(const SessionId& id) { sessions_.erase(id); }

Bytes Sessions::record_key(const SessionId& id) {
  return base::to_bytes(base::as_bytes(std::string(kSessionRecordPrefix) + codec::to_hex(id)));
}

void Sessions::load(Now now, ByteView key, ByteView value) {
  const std::string_view text = base::as_text(key);
  if (!text.starts_with(kSessionRecordPrefix)) return;
  const auto session = decode(text.substr(kSessionRecordPrefix.size()), value);
  if (!session) {
    if (unreadable_.size() < limits::kSessions) unreadable_.push_back(base::to_bytes(key));
    return;
  }
  const auto& [read, expires] = *session;
  // The bound keeps a damaged record from overflowing the time type, and from never expiring.
  const auto latest = base::unix_seconds(now.wall + kSessionLifetime);
  if (expires < 0 || expires > latest || sessions_.size() >= limits::kSessions) return;
  const WallTime at = base::wall_from_unix_seconds(expires);
  if (at > now.wall) sessions_.insert_or_assign(read.id, Session{read, at});
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
