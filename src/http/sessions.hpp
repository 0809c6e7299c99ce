// http/sessions.hpp: who is signed in to the dashboard and the consent page.
//
// Signing in: a one-time link that the program prints, or a passphrase. Then a cookie with 256
// random bits; only its hash is kept and stored, so the store holds nothing to sign in with. The
// CSRF token of a session is an HMAC under the cookie. Links live in memory.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "access/token_book.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/secret.hpp"

namespace meshstow::http {

inline constexpr std::string_view kSessionRecordPrefix = "http/session/";
inline constexpr std::string_view kPassphraseRecordKey = "http/passphrase";
inline constexpr std::chrono::hours kSessionLifetime{30 * 24};
inline constexpr std::chrono::minutes kLinkLifetime{60};

using SessionId = Hash32;  // SHA-256 of the cookie's value

class Sessions {
 public:
  explicit Sessions(base::Rng& rng) : rng_(rng) {}

  // A secret for a link that signs in once. The oldest goes when there are limits::kSignInLinks.
  std::string make_link(Now now);
  bool spend_link(Now now, std::string_view secret);

  struct Opened {
    std::string cookie;
    access::StoredRecord record;  // store it before the cookie is given out
    std::vector<Bytes> removed;   // records of sessions that made room
  };
  Opened open(Now now);
  // nullopt: no such session, or it has expired.
  [[nodiscard]] std::optional<SessionId> find(Now now, std::string_view cookie) const;
  [[nodiscard]] bool is_open(Now now, const SessionId& id) const;
  Bytes close(const SessionId& id);  // the key of the record to remove
  // A record read back at start; broken and expired ones are ignored.
  void load(Now now, ByteView key, ByteView value);

 private:
  base::Rng& rng_;
  std::map<SessionId, WallTime> expires_;
  struct Link {
    Hash32 hash;
    TimePoint expires;
  };
  std::vector<Link> links_;  // oldest first
};

std::string csrf_token(std::string_view cookie);
bool csrf_matches(std::string_view cookie, std::string_view given);

// What is kept of a passphrase: a salt and its scrypt hash (crypto::ScryptCost's defaults).
struct PassphraseVerifier {
  Bytes salt;
  Hash32 hash;
  [[nodiscard]] bool matches(const Hash32& hash_of_attempt) const;
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static Result<PassphraseVerifier> decode(ByteView value);
};

}  // namespace meshstow::http
