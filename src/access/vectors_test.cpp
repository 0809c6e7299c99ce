// The sections of meshstow-vectors.json on envelopes, tokens and key rings (docs/PROTOCOL.md).
#include <gtest/gtest.h>

#include "access/access_for_test.hpp"
#include "access/capability_bytes.hpp"
#include "codec/hex.hpp"
#include "codec/iso8601.hpp"
#include "codec/vector_file_for_test.hpp"
#include "crypto/hash.hpp"

namespace meshstow::access {
namespace {

namespace json = boost::json;
using codec::to_hex;

// The identity "alice" of the message vectors is the owner.
json::object alice() {
  return codec::vectors("storage-message-vectors.json").at("key").as_object();
}

IdentityHash alice_hash() {
  return *IdentityHash::from(codec::bytes_of(alice(), "identity_hash_hex"));
}

// Bytes that count up from `first`.
template <std::size_t N>
FixedBytes<N> counting(Byte first) {
  FixedBytes<N> out;
  for (Byte& byte : out.bytes) byte = first++;
  return out;
}

SpaceKey space_key() { return SpaceKey(crypto::Secret32(counting<32>(0x40).view())); }

json::object envelope_vector(std::string_view name, std::string_view where, ByteView body) {
  const auto version = counting<16>(0x80);
  const auto iv = counting<12>(0xb0);
  EnvelopeSealer sealer(space_key(), alice_hash(), path(where), version, iv);
  Bytes sealed;
  sealer.update(body, sealed);
  sealer.finish(sealed);

  json::object out{{"name", name},
                   {"space_secret_hex", to_hex(space_key().secret().view())},
                   {"key_id_hex", to_hex(space_key().id())},
                   {"owner_hex", to_hex(alice_hash())},
                   {"path", where},
                   {"version_hex", to_hex(version)},
                   {"iv_hex", to_hex(iv)},
                   {"envelope_key_hex",
                    to_hex(space_key().derive("meshstow envelope key", version.view()).view())},
                   {"plaintext_length", body.size()},
                   {"envelope_length", sealed.size()},
                   {"envelope_sha256_hex", to_hex(crypto::sha256(sealed))}};
  if (body.size() < 100) {
    out["plaintext_hex"] = to_hex(body);
    out["envelope_hex"] = to_hex(sealed);
  }
  return out;
}

TEST(MeshstowVectors, envelopes_are_those_of_the_file) {
  json::array out;
  out.push_back(envelope_vector("one frame", "/private/notes/a.txt", base::as_bytes("hello")));
  out.push_back(envelope_vector("no bytes", "/shared/maps/\xc3\xa5", {}));
  // Bytes 00 to ff over and over: one frame more than the first one holds.
  Bytes large(kEnvelopeFrame + 1);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<Byte>(i);
  out.push_back(envelope_vector("two frames", "/private/notes/large", large));
  codec::expect_vectors("sealed_envelope", out);
}

json::object token_vector(const Capability& granted) {
  const crypto::Ed25519Key key(crypto::Secret32(codec::bytes_of(alice(), "ed25519_seed_hex")));
  Bytes seen;
  const std::string token = mint(granted, [&](ByteView bytes) {
    seen = base::to_bytes(bytes);
    return key.sign(bytes);
  });
  EXPECT_TRUE(verify_token(token, alice_hash(), key.public_key()));
  return {{"scopes", to_text(granted.scopes)},
          {"id_hex", to_hex(granted.id)},
          {"issuer_hex", to_hex(granted.issuer)},
          {"holder_hex", granted.holder ? json::value(to_hex(*granted.holder)) : json::value()},
          {"expires",
           granted.expires ? json::value(codec::format_iso8601(*granted.expires)) : json::value()},
          {"body_hex", to_hex(encode_capability(granted))},
          {"signed_hex", to_hex(seen)},
          {"token", token}};
}

TEST(MeshstowVectors, tokens_are_those_of_the_file) {
  Capability granted = capability({scope("storage:read:/private/notes/")});
  granted.issuer = alice_hash();
  json::array out;
  out.push_back(token_vector(granted));
  granted.expires = at(kNoon);
  granted.holder = counting<16>(0x10);
  out.push_back(token_vector(granted));
  granted.holder.reset();
  granted.scopes = {scope("notes:rw"), scope("*:r"), scope("storage:write:/shared/maps/a.txt"),
                    scope("storage:read:/public/"), scope("storage:read:/")};
  out.push_back(token_vector(granted));
  codec::expect_vectors("capability_token", out);
}

TEST(MeshstowVectors, key_rings_are_those_of_the_file) {
  KeyRing ring;
  ring.add(alice_hash(), space_key());
  ring.add(alice_hash(), SpaceKey(crypto::Secret32(counting<32>(0x60).view())));
  codec::expect_vectors(
      "key_ring_file",
      json::object{
          {"owner_hex", to_hex(alice_hash())},
          {"secrets_hex", json::array{to_hex(counting<32>(0x40)), to_hex(counting<32>(0x60))}},
          {"current_key_id_hex", to_hex(ring.current(alice_hash())->id())},
          {"file_hex", to_hex(ring.encode())}});
}

}  // namespace
}  // namespace meshstow::access
