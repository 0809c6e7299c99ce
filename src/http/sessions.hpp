// http/sessions.hpp: which browsers are signed in to the dashboard and the consent page.
//
// Signing in: a one-time link that the program prints, or a passphrase. With it the browser hands
// over a public key of its own, or, where it can make none, a secret. Only the key or the hash of
// the secret is kept and stored, so the store holds nothing to sign in with. How each call proves
// the session: signed_calls.hpp. Links live in memory.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "access/token_book.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/p256.hpp"
#include "crypto/secret.hpp"

namespace meshstow::http {

inline constexpr std::string_view kSessionRecordPrefix = "http/session/";
inline constexpr std::string_view kPassphraseRecordKey = "http/passphrase";
inline constexpr std::chrono::hours kSessionLifetime{30 * 24};
inline constexpr std::chrono::minutes kLinkLifetime{60};

using SessionId = Hash32;  // SHA-256 of the browser's public key, or of its secret

// What a browser signs in with.
struct SessionKey {
  SessionId id;
  std::optional<crypto::P256Public> public_key;  // absent: a secret, whose hash is the id

  // Both in base64url. Errc::malformed: no point of the curve; a secret that is not of 32 bytes.
  [[nodiscard]] static Result<SessionKey> of_public_key(std::string_view text);
  [[nodiscard]] static Result<SessionKey> of_secret(std::string_view text);
};

class Sessions {
 public:
  explicit Sessions(base::Rng& rng) : rng_(rng) {}

  // A secret for a link that signs in once. The oldest goes when there are limits::kSignInLinks.
  std::string make_link(Now now);
  bool spend_link(Now now, std::string_view secret);

  struct Opened {
    access::StoredRecord record;  // store it before the browser is told
    std::vector<Bytes> removed;   // records of sessions that made room, and of ones of old
  };
  Opened open(Now now, const SessionKey& key);
  // nullptr: no such session, or it has expired.
  [[nodiscard]] const SessionKey* find(Now now, const SessionId& id) const;
  [[nodiscard]] bool is_open(Now now, const SessionId& id) const {
    return find(now, id) != nullptr;
  }
  void close(const SessionId& id);
  [[nodiscard]] static Bytes record_key(const SessionId& id);
  // A record read back at start; broken and expired ones are ignored.
  void load(Now now, ByteView key, ByteView value);

 private:
  struct Session {
    SessionKey key;
    WallTime expires;
  };
  void make_room(Now now, std::vector<Bytes>& removed);

  base::Rng& rng_;
  std::map<SessionId, Session> sessions_;
  std::vector<Bytes> unreadable_;  // keys of records
  struct Link {
    Hash32 hash;
    TimePoint expires;
  };
  std::vector<Link> links_;  // oldest first
};

// What is kept of a passphrase: a salt and its scrypt hash (crypto::ScryptCost's defaults).
struct PassphraseVerifier {
  Bytes salt;
  Hash32 hash;
  [[nodiscard]] bool matches(const Hash32& hash_of_attempt) const;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<PassphraseVerifier> decode(ByteView value);
};

}  // namespace meshstow::http
