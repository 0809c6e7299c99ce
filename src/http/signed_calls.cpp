#include "http/signed_calls.hpp"

#include <array>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "codec/hex.hpp"
#include "crypto/hash.hpp"

namespace meshstow::http {
namespace {

template <std::size_t N>
std::optional<std::array<std::string_view, N>> split(std::string_view text) {
  std::array<std::string_view, N> out;
  for (std::size_t i = 0; i < N; ++i) {
    const std::size_t end = text.find(' ');
    if ((end == std::string_view::npos) != (i + 1 == N)) return std::nullopt;
    out[i] = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), out[i].size() + 1));
  }
  return out;
}

template <std::size_t N>
std::optional<FixedBytes<N>> fixed_from_base64url(std::string_view text) {
  const auto bytes = codec::from_base64url(text);
  return bytes ? FixedBytes<N>::from(*bytes) : std::nullopt;
}

}  // namespace

std::string text_to_sign(const Call& call, std::string_view body, std::string_view nonce,
                         std::string_view unique) {
  std::string out = "meshstow call 2";
  for (const std::string_view part : {call.origin, call.method, call.target, body, nonce, unique}) {
    (out += '\n') += part;
  }
  return out;
}

SignedCalls::SignedCalls(base::Rng& rng) : rng_(rng) {
  now_.nonce = codec::to_base64url(rng_.bytes<16>().view());
}

void SignedCalls::renew(Now now) {
  if (!began_) began_ = now.mono;
  const bool full = now_.seen.size() >= limits::kSignedCalls;
  const auto age = now.mono - *began_;
  if (!full && age < kNonceLifetime) return;
  began_ = now.mono;
  before_ = std::exchange(now_, {});
  now_.nonce = codec::to_base64url(rng_.bytes<16>().view());
  if (age >= 2 * kNonceLifetime) before_ = {};
}

const std::string& SignedCalls::nonce(Now now) {
  renew(now);
  return now_.nonce;
}

SignedCalls::Proof SignedCalls::check(Now now, const Sessions& sessions, std::string_view header,
                                      const Call& call, Proved& proved) {
  renew(now);
  constexpr std::string_view kSecret = "secret ";
  constexpr std::string_view kKey = "key ";
  if (header.starts_with(kKey)) {
    return check_signature(now, sessions, header.substr(kKey.size()), call, proved);
  }
  if (!header.starts_with(kSecret)) return Proof::none;
  const auto shown = SessionKey::of_secret(header.substr(kSecret.size()));
  const SessionKey* found = shown ? sessions.find(now, shown->id) : nullptr;
  if (found == nullptr || found->public_key) return Proof::none;
  proved = {.session = found->id, .body = {}};
  return Proof::good;
}

SignedCalls::Proof SignedCalls::check_signature(Now now, const Sessions& sessions,
                                                std::string_view words, const Call& call,
                                                Proved& proved) {
  const auto parts = split<5>(words);
  if (!parts) return Proof::none;
  const auto& [id_text, nonce, unique_text, body_text, signature_text] = *parts;
  const auto id = codec::fixed_from_hex<32>(id_text);
  const auto unique = fixed_from_base64url<16>(unique_text);
  const auto body = fixed_from_base64url<32>(body_text);
  const auto signature = fixed_from_base64url<64>(signature_text);
  const SessionKey* found = id ? sessions.find(now, *id) : nullptr;
  if (!unique || !signature || found == nullptr || !found->public_key) return Proof::none;
  const bool fits = call.is_upload ? body_text == kBodyNotCovered : body.has_value();
  if (!fits) return Proof::none;
  Period* period = nonce == now_.nonce                                ? &now_
                   : !before_.nonce.empty() && nonce == before_.nonce ? &before_
                                                                      : nullptr;
  if (period == nullptr) return Proof::stale;
  const std::string text = text_to_sign(call, body_text, nonce, unique_text);
  if (!crypto::verify_p256(*found->public_key, base::as_bytes(text), *signature)) {
    return Proof::none;
  }
  if (period->seen.size() >= 2 * limits::kSignedCalls) return Proof::stale;
  if (!period->seen.insert(crypto::hash16({id->view(), unique->view()})).second) {
    return Proof::none;
  }
  proved = {.session = *id, .body = body};
  return Proof::good;
}

}  // namespace meshstow::http
