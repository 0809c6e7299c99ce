#include "http/authorization_codes.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "crypto/hash.hpp"

namespace meshstow::http {

std::string AuthorizationCodes::add(Now now, base::Rng& rng, GrantedCode grant) {
  std::erase_if(codes_, [&](const auto& entry) { return entry.second.expires <= now.mono; });
  if (codes_.size() >= limits::kAuthorizationCodes) {
    codes_.erase(std::min_element(codes_.begin(), codes_.end(), [](const auto& a, const auto& b) {
      return a.second.expires < b.second.expires;
    }));
  }
  std::string code = codec::to_base64url(rng.bytes<24>().view());
  grant.expires = now.mono + kCodeLifetime;
  codes_.emplace(code, std::move(grant));
  return code;
}

GrantedCode* AuthorizationCodes::find(Now now, std::string_view code) {
  const auto found = codes_.find(code);
  if (found == codes_.end() || found->second.expires <= now.mono) return nullptr;
  return &found->second;
}

bool verifier_matches(std::string_view verifier, std::string_view challenge) {
  constexpr std::size_t kShortest = 43;
  constexpr std::size_t kLongest = 128;
  if (verifier.size() < kShortest || verifier.size() > kLongest) return false;
  const Hash32 hash = crypto::sha256(base::as_bytes(verifier));
  const std::string expected = codec::to_base64url(hash.view());
  return crypto::equal_in_constant_time(base::as_bytes(expected), base::as_bytes(challenge));
}

}  // namespace meshstow::http
