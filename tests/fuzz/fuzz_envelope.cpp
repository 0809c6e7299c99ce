// Any bytes as an envelope, as a key ring, and as a body: what was sealed opens in any cut, and no
// longer after any change.
//
// The first two bytes choose the cut, and the byte that is changed and how.
#include "access/storage_encryption.hpp"
#include "base/check.hpp"

namespace meshstow {
namespace {

using access::IdentityHash;

struct Place {
  access::SpaceKey key{crypto::Secret32(Bytes(32, 1))};
  access::KeyRing keys;
  IdentityHash owner{};
  StoragePath path = StoragePath::parse("/private/notes/a").value();
  Place() { keys.add(owner, key); }
};

const Place& place() {
  static const Place made;
  return made;
}

Result<Bytes> open(ByteView sealed, std::size_t step) {
  access::EnvelopeOpener opener(place().keys, place().owner, place().path);
  Bytes out;
  while (!sealed.empty()) {
    const ByteView piece = sealed.first(std::min(step, sealed.size()));
    if (const auto updated = opener.update(piece, out); !updated) return fail(updated.error());
    sealed = sealed.subspan(piece.size());
  }
  if (const auto finished = opener.finish(out); !finished) return fail(finished.error());
  return out;
}

Bytes seal(ByteView body, std::size_t step) {
  access::EnvelopeSealer sealer(place().key, place().owner, place().path, {}, {});
  Bytes out;
  while (!body.empty()) {
    const ByteView piece = body.first(std::min(step, body.size()));
    sealer.update(piece, out);
    body = body.subspan(piece.size());
  }
  sealer.finish(out);
  return out;
}

void check(std::size_t step, Byte change, ByteView input) {
  // Nobody makes a valid envelope by chance.
  MESHSTOW_CHECK(!open(input, step) || input.size() >= access::EnvelopeSealer::sealed_size(0));
  if (const auto ring = access::KeyRing::decode(input)) {
    MESHSTOW_CHECK(ring->encode() == base::to_bytes(input));
  }
  Bytes sealed = seal(input, step);
  MESHSTOW_CHECK(sealed.size() == access::EnvelopeSealer::sealed_size(input.size()));
  MESHSTOW_CHECK(open(sealed, step) == base::to_bytes(input));
  sealed[change * (sealed.size() - 1) / 255] ^= static_cast<Byte>(1 << (change % 8));
  MESHSTOW_CHECK(!open(sealed, SIZE_MAX));
}

}  // namespace
}  // namespace meshstow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  meshstow::check(std::size_t{bytes[0]} * 251 + 1, bytes[1], {bytes + 2, size - 2});
  return 0;
}
