// http/authorization_codes.hpp: codes of the authorization code grant with PKCE (RFC 6749 4.1, RFC
// 7636). In memory, for a minute. A code that is shown twice revokes the token that it gave (RFC
// 6749 4.1.2).
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "access/token_book.hpp"
#include "base/rng.hpp"

namespace meshstow::http {

inline constexpr std::chrono::seconds kCodeLifetime{60};

struct GrantedCode {
  std::string redirect_uri;
  std::string origin;     // of it
  std::string challenge;  // base64url of the SHA-256 of the verifier
  std::vector<access::Scope> scopes;
  std::optional<std::chrono::seconds> lifetime;
  TimePoint expires{};
  bool spent = false;
  std::optional<access::TokenId> token;  // what it gave
};

class AuthorizationCodes {
 public:
  std::string add(Now now, base::Rng& rng, GrantedCode grant);
  // nullptr: unknown or expired.
  GrantedCode* find(Now now, std::string_view code);

 private:
  std::map<std::string, GrantedCode, std::less<>> codes_;
};

// Does `verifier` (43 to 128 unreserved characters) hash to `challenge`?
bool verifier_matches(std::string_view verifier, std::string_view challenge);

}  // namespace meshstow::http
