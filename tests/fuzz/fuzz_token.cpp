// Any text as a token and as a list of scopes: what is accepted has one spelling, and nothing is
// accepted as signed that was not.
#include "access/access_control.hpp"
#include "base/check.hpp"
#include "codec/base64.hpp"

namespace meshstow {
namespace {

constexpr std::size_t kSignatureBytes = 64;

Bytes body_of(std::string_view token) {
  Bytes out = codec::from_base64url(token).value();
  out.resize(out.size() - kSignatureBytes);
  return out;
}

void check_token(std::string_view text) {
  static const crypto::Ed25519Key issuer(crypto::Secret32(Bytes(32, 7)));
  const access::AccessControl control(access::IdentityHash{}, issuer.public_key());
  const auto where = StoragePath::parse("/private/notes/a").value();
  MESHSTOW_CHECK(!control.decide({}, text, where, access::Operation::read, WallTime{}).allowed());

  const auto seen = access::peek_token(text);
  if (!seen) return;
  const auto signer = [](ByteView) { return Signature{}; };
  MESHSTOW_CHECK(body_of(access::mint(*seen, signer)) == body_of(text));
}

void check_scopes(std::string_view text) {
  const auto scopes = access::parse_scopes(text);
  if (!scopes) return;
  MESHSTOW_CHECK(access::parse_scopes(access::to_text(*scopes)) == *scopes);
  const access::Capability capability{.scopes = *scopes};
  const auto signer = [](ByteView) { return Signature{}; };
  const std::string token = access::mint(capability, signer);
  const auto seen = access::peek_token(token);
  MESHSTOW_CHECK(!seen || seen->scopes == *scopes);
}

}  // namespace
}  // namespace meshstow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = meshstow::base::as_text({bytes, size});
  meshstow::check_token(text);
  meshstow::check_scopes(text);
  // Most texts are no base64: the bytes themselves as a token, too.
  meshstow::check_token(meshstow::codec::to_base64url({bytes, size}));
  return 0;
}
