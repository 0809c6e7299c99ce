#include "crypto/keys.hpp"

#include <gtest/gtest.h>

#include "crypto/vectors_for_test.hpp"

namespace meshstow::crypto {
namespace {

TEST(X25519, agrees_as_in_the_vectors_from_both_sides) {
  const auto& vector = vectors().at("ecdh");
  const X25519Key alice{Secret32(bytes_of(vector, "private"))};
  const auto shared = alice.agree(fixed_of<32>(vector, "peer_public"));
  ASSERT_TRUE(shared);
  EXPECT_EQ(base::to_bytes(shared->view()), bytes_of(vector, "shared"));

  base::SeededRng rng(1);
  const X25519Key bob = X25519Key::generate(rng);
  EXPECT_TRUE(equal_in_constant_time(alice.agree(bob.public_key())->view(),
                                     bob.agree(alice.public_key())->view()));
}

TEST(X25519, refuses_keys_of_low_order) {
  base::SeededRng rng(2);
  const X25519Key key = X25519Key::generate(rng);
  const char* low_order[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                             "0100000000000000000000000000000000000000000000000000000000000000",
                             "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                             "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                             "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                             "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                             "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
  for (const char* peer : low_order) {
    const auto agreed = key.agree(X25519Public::from(unhex(peer)).value());
    ASSERT_FALSE(agreed) << peer;
    EXPECT_EQ(agreed.error().code, Errc::malformed);
  }
}

TEST(Keys, of_the_vector_identities_have_their_public_halves) {
  for (const auto& identity : vectors().at("identities").as_array()) {
    const Bytes both = bytes_of(identity, "private");
    const X25519Key agreement{Secret32(ByteView(both).first(32))};
    const Ed25519Key signing{Secret32(ByteView(both).last(32))};
    EXPECT_EQ(base::concat({agreement.public_key().view(), signing.public_key().view()}),
              bytes_of(identity, "public"));
    EXPECT_EQ(base::to_bytes(signing.seed().view()), base::to_bytes(ByteView(both).last(32)));
  }
}

TEST(Ed25519, signs_as_in_the_vectors_and_verifies_only_what_was_signed) {
  for (const auto& identity : vectors().at("identities").as_array()) {
    if (!identity.as_object().contains("signature")) continue;
    const Bytes both = bytes_of(identity, "private");
    const Ed25519Key key{Secret32(ByteView(both).last(32))};
    const Bytes message = bytes_of(identity, "sign_message");
    const Signature signature = key.sign(message);
    EXPECT_EQ(signature, fixed_of<64>(identity, "signature"));
    EXPECT_TRUE(verify(key.public_key(), message, signature));

    Signature changed = signature;
    changed.bytes[40] ^= 1;
    EXPECT_FALSE(verify(key.public_key(), message, changed));
    EXPECT_FALSE(verify(key.public_key(), ByteView(message).first(message.size() - 1), signature));
    base::SeededRng rng(3);
    EXPECT_FALSE(verify(Ed25519Key::generate(rng).public_key(), message, signature));
    EXPECT_FALSE(verify(Ed25519Public{}, message, Signature{}));
  }
}

TEST(Ed25519, signs_the_empty_message) {
  base::SeededRng rng(4);
  const Ed25519Key key = Ed25519Key::generate(rng);
  EXPECT_TRUE(verify(key.public_key(), {}, key.sign({})));
}

TEST(Keys, are_copied_as_values) {
  base::SeededRng rng(5);
  auto original = std::make_unique<Ed25519Key>(Ed25519Key::generate(rng));
  const Ed25519Key copy = *original;
  original.reset();
  EXPECT_TRUE(verify(copy.public_key(), base::as_bytes("m"), copy.sign(base::as_bytes("m"))));
}

TEST(Secret, compares_content_and_length) {
  EXPECT_TRUE(equal_in_constant_time(base::as_bytes("abc"), base::as_bytes("abc")));
  EXPECT_FALSE(equal_in_constant_time(base::as_bytes("abc"), base::as_bytes("abd")));
  EXPECT_FALSE(equal_in_constant_time(base::as_bytes("abc"), base::as_bytes("ab")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
}

TEST(Secret, wipes_bytes) {
  Bytes bytes{1, 2, 3};
  wipe(bytes);
  EXPECT_EQ(bytes, (Bytes{0, 0, 0}));
  wipe({});
}

}  // namespace
}  // namespace meshstow::crypto
