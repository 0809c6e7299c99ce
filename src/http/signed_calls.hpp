// http/signed_calls.hpp: the proof that a call comes from the browser that is signed in.
//
//   Meshstow-Proof: key SESSION NONCE UNIQUE BODY SIGNATURE
//   Meshstow-Proof: secret SECRET
//
// Browsers send the cookies of a host to every port of it, whoever listens there; so no cookie
// carries a right. A signature covers the origin, the method, the target, the hash of the body (but
// of uploads, which stream), a nonce of ours and 16 bytes that the browser never uses again. Nonces
// are new with every start, so that nobody who held our port before could have had anything signed
// for now, and change every kNonceLifetime, so that only the calls of two of them are remembered
// against replays. A browser that cannot make keys shows a secret. Internal to src/http.
#pragma once

#include <chrono>
#include <set>
#include <string>

#include "http/sessions.hpp"

namespace meshstow::http {

inline constexpr std::string_view kProofHeader = "Meshstow-Proof";
inline constexpr std::string_view kNonceHeader = "Meshstow-Nonce";  // with a 401: sign with this
inline constexpr std::chrono::minutes kNonceLifetime{5};

struct Call {
  std::string_view origin;  // as browsers write it: "http://127.0.0.1:8181"
  std::string_view method;
  std::string_view target;  // path and query
  bool is_upload = false;   // its body streams: no hash of it is known when it begins
};

// What stands for the body of an upload, where other calls have a hash.
inline constexpr std::string_view kBodyNotCovered = "-";

// What is signed. `body`: the base64url SHA-256 of the body, be it empty, or kBodyNotCovered.
std::string text_to_sign(const Call& call, std::string_view body, std::string_view nonce,
                         std::string_view unique);

class SignedCalls {
 public:
  explicit SignedCalls(base::Rng& rng);

  // To sign with; good for one to two lifetimes.
  const std::string& nonce(Now now);

  enum class Proof {
    none,   // no proof, or one that is wrong, was used before, or is of no open session
    stale,  // of an open session, under a nonce that is over
    good,
  };
  struct Proved {
    SessionId session;
    std::optional<Hash32> body;  // of the only one it is good for; none: an upload, or a secret
  };
  // `proved` is set for a good one.
  Proof check(Now now, const Sessions& sessions, std::string_view header, const Call& call,
              Proved& proved);

 private:
  void renew(Now now);
  Proof check_signature(Now now, const Sessions& sessions, std::string_view words, const Call& call,
                        Proved& proved);

  struct Period {
    std::string nonce;
    std::set<Hash16> seen;
  };
  base::Rng& rng_;
  Period now_, before_;
  std::optional<TimePoint> began_;
};

}  // namespace meshstow::http
