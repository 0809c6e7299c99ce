#include "access/capability.hpp"

#include "access/capability_bytes.hpp"
#include "base/limits.hpp"
#include "codec/base64.hpp"

namespace meshstow::access {
namespace {

// What stands in front of the signed bytes, so that a signature for a token is good for nothing
// else.
constexpr std::string_view kDomain = "meshstow capability 1";

Bytes signed_bytes(const IdentityHash& issuer, ByteView body) {
  return base::concat({base::as_bytes(kDomain), issuer.view(), body});
}

struct Parts {
  Bytes body;
  Signature signature;
};

Result<Parts> split(std::string_view text) {
  if (text.size() > limits::kTokenText) return fail(Errc::malformed, "a token cannot be so long");
  auto bytes = codec::from_base64url(text);
  if (!bytes || bytes->size() <= Signature::size()) return fail(Errc::malformed, "not a token");
  const std::size_t body_size = bytes->size() - Signature::size();
  Parts out{.signature = Signature::prefix_of(ByteView(*bytes).subspan(body_size))};
  bytes->resize(body_size);
  out.body = std::move(*bytes);
  return out;
}

}  // namespace

std::string mint(const Capability& capability, const Signer& issuer) {
  Bytes token = encode_capability(capability);
  const Signature signature = issuer(signed_bytes(capability.issuer, token));
  base::append(token, signature.view());
  return codec::to_base64url(token);
}

Result<Capability> verify_token(std::string_view text, const IdentityHash& issuer,
                                const crypto::Ed25519Public& issuer_key) {
  const auto parts = split(text);
  if (!parts) return fail(parts.error());
  auto capability = decode_capability(parts->body);
  if (!capability) return fail(capability.error());
  const ByteView prefix = capability->issuer.view().first(kIssuerPrefix);
  if (!std::equal(prefix.begin(), prefix.end(), issuer.bytes.begin())) {
    return fail(Errc::denied, "the token is for the space of another owner");
  }
  if (!crypto::verify(issuer_key, signed_bytes(issuer, parts->body), parts->signature)) {
    return fail(Errc::denied, "the signature of the token does not hold");
  }
  capability->issuer = issuer;
  return capability;
}

Result<Capability> peek_token(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return fail(parts.error());
  return decode_capability(parts->body);
}

}  // namespace meshstow::access
