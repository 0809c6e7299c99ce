#include "crypto/cipher.hpp"

#include <gtest/gtest.h>

#include "crypto/aead_batch.hpp"
#include "crypto/hash.hpp"
#include "crypto/keys.hpp"
#include "crypto/vectors_for_test.hpp"

namespace meshstow::crypto {
namespace {

TEST(TokenCipher, matches_every_vector) {
  for (const auto& vector : vectors().at("token").as_array()) {
    const TokenCipher cipher(bytes_of(vector, "key"));
    const Bytes plaintext = bytes_of(vector, "plaintext");
    const Bytes token = bytes_of(vector, "token");
    EXPECT_EQ(cipher.seal_with_iv(plaintext, fixed_of<16>(vector, "iv")), token);
    ASSERT_TRUE(cipher.open(token));
    EXPECT_EQ(*cipher.open(token), plaintext);
    const auto tampered = cipher.open(bytes_of(vector, "tampered_token_must_fail"));
    ASSERT_FALSE(tampered);
    EXPECT_EQ(tampered.error().code, Errc::malformed);
  }
}

TEST(TokenCipher, opens_what_an_identity_was_sent) {
  const auto& bob = vectors().at("identities").as_array().at(1);
  for (const auto& vector : vectors().at("identity_encrypt").as_array()) {
    Bytes secret = bytes_of(vector, "ratchet_private");
    if (secret.empty()) secret = base::to_bytes(ByteView(bytes_of(bob, "private")).first(32));
    const Bytes sealed = bytes_of(vector, "ciphertext");
    const auto shared =
        X25519Key(Secret32(secret)).agree(X25519Public::prefix_of(ByteView(sealed).first(32)));
    ASSERT_TRUE(shared);
    const TokenCipher cipher(hkdf<64>(shared->view(), bytes_of(vector, "hkdf_salt")).view());
    const auto plaintext = cipher.open(ByteView(sealed).subspan(32));
    ASSERT_TRUE(plaintext);
    EXPECT_EQ(*plaintext, bytes_of(vector, "plaintext"));
  }
}

TEST(TokenCipher, round_trips_every_length_around_the_block) {
  base::SeededRng rng(1);
  const TokenCipher cipher(rng.bytes<64>().view());
  for (std::size_t size = 0; size <= 70; ++size) {
    Bytes plaintext(size);
    rng.fill(plaintext);
    const Bytes token = cipher.seal(plaintext, rng);
    EXPECT_EQ(token.size(), kTokenOverhead + (size / 16 + 1) * 16);
    const auto opened = cipher.open(token);
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, plaintext);
  }
}

TEST(TokenCipher, refuses_every_flipped_byte_and_every_cut) {
  base::SeededRng rng(2);
  const TokenCipher cipher(rng.bytes<64>().view());
  const Bytes token = cipher.seal(base::as_bytes("hello reticulum, hello"), rng);
  for (std::size_t i = 0; i < token.size(); ++i) {
    Bytes changed = token;
    changed[i] ^= 1;
    EXPECT_FALSE(cipher.open(changed));
    EXPECT_FALSE(cipher.open(ByteView(token).first(i)));
  }
  EXPECT_TRUE(cipher.open(token));  // refusals leave the cipher usable
}

TEST(TokenCipher, refuses_bad_padding_under_a_good_hmac) {
  base::SeededRng rng(3);
  const Bytes key = base::to_bytes(rng.bytes<64>().view());
  const TokenCipher cipher(key);
  // Without its last block, the text ends in bytes that are no padding.
  const Bytes token = cipher.seal(Bytes(31, 'x'), rng);
  Bytes cut = base::to_bytes(ByteView(token).first(16 + 16));
  base::append(cut, hmac_sha256(ByteView(key).first(32), {cut}).view());
  const auto opened = cipher.open(cut);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::malformed);
}

TEST(TokenCipher, stays_usable_when_moved) {
  base::SeededRng rng(4);
  TokenCipher a(rng.bytes<32>().view());
  const Bytes token = a.seal(base::as_bytes("x"), rng);
  TokenCipher b = std::move(a);
  a = TokenCipher(rng.bytes<64>().view());
  EXPECT_TRUE(b.open(token));
  EXPECT_FALSE(a.open(token));
}

TEST(Aead, matches_rfc_8439) {
  const Secret32 key(unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
  const auto nonce = AeadNonce::from(unhex("070000004041424344454647")).value();
  const Bytes associated = unhex("50515253c0c1c2c3c4c5c6c7");
  const std::string_view text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  const Bytes sealed = aead_seal(key, nonce, associated, base::as_bytes(text));
  ASSERT_EQ(sealed.size(), text.size() + kAeadTag);
  EXPECT_EQ(base::to_bytes(ByteView(sealed).first(16)), unhex("d31a8d34648e60db7b86afbc53ef7ec2"));
  EXPECT_EQ(base::to_bytes(ByteView(sealed).last(16)), unhex("1ae10b594f09e26a7e902ecbd0600691"));
  const auto opened = aead_open(key, nonce, associated, sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(base::as_text(*opened), text);
}

TEST(Aead, seals_and_opens_in_a_batch_as_outside_of_one) {
  base::SeededRng rng(6);
  const Secret32 first(rng.bytes<32>().view());
  const Secret32 second(rng.bytes<32>().view());
  const Bytes text{1, 2, 3};
  const Bytes sealed = aead_seal(first, {}, {}, text);
  {
    const AeadBatch batch;
    const AeadBatch inner;
    EXPECT_NE(aead_seal(second, {}, {}, text), sealed);
    EXPECT_EQ(aead_seal(first, {}, {}, text), sealed);
    EXPECT_FALSE(aead_open(second, {}, {}, sealed));
    EXPECT_EQ(aead_open(first, {}, {}, sealed).value(), text);
  }
  EXPECT_FALSE(aead_open(second, {}, {}, sealed));
  EXPECT_EQ(aead_open(first, {}, {}, sealed).value(), text);
}

TEST(Aead, refuses_any_change) {
  base::SeededRng rng(5);
  const Secret32 key(rng.bytes<32>().view());
  const auto nonce = rng.bytes<12>();
  for (const std::string_view text :
       {"", "some text that is longer than one block of the cipher"}) {
    const Bytes associated{1, 2, 3};
    const Bytes sealed = aead_seal(key, nonce, associated, base::as_bytes(text));
    ASSERT_TRUE(aead_open(key, nonce, associated, sealed));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      Bytes changed = sealed;
      changed[i] ^= 0x80;
      EXPECT_EQ(aead_open(key, nonce, associated, changed).error().code, Errc::corrupt);
      EXPECT_FALSE(aead_open(key, nonce, associated, ByteView(sealed).first(i)));
    }
    EXPECT_FALSE(aead_open(key, nonce, {}, sealed));
    EXPECT_FALSE(aead_open(key, rng.bytes<12>(), associated, sealed));
    EXPECT_FALSE(aead_open(Secret32(rng.bytes<32>().view()), nonce, associated, sealed));
  }
}

}  // namespace
}  // namespace meshstow::crypto
