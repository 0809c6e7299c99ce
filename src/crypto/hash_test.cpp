#include "crypto/hash.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "crypto/vectors_for_test.hpp"

namespace meshstow::crypto {
namespace {

TEST(Sha256, gives_the_published_digest) {
  const Bytes expected = unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(base::to_bytes(sha256(base::as_bytes("abc")).view()), expected);
  EXPECT_EQ(base::to_bytes(sha256({base::as_bytes("a"), {}, base::as_bytes("bc")}).view()),
            expected);
}

TEST(Sha256, starts_anew_after_finish) {
  Sha256 hash;
  hash.update(base::as_bytes("a"));
  hash.update(base::as_bytes("bc"));
  EXPECT_EQ(hash.finish(), sha256(base::as_bytes("abc")));
  EXPECT_EQ(hash.finish(), sha256(ByteView{}));
  Sha256 moved = std::move(hash);
  moved.update(base::as_bytes("x"));
  EXPECT_EQ(moved.finish(), sha256(base::as_bytes("x")));
}

TEST(Sha256, an_object_is_undisturbed_by_the_free_functions) {
  Sha256 hash;
  hash.update(base::as_bytes("a"));
  (void)sha256(base::as_bytes("something else"));
  hash.update(base::as_bytes("bc"));
  EXPECT_EQ(hash.finish(), sha256(base::as_bytes("abc")));
}

TEST(Hash, addresses_are_the_first_bytes_of_sha256) {
  for (const auto& identity : vectors().at("identities").as_array()) {
    const Bytes public_key = bytes_of(identity, "public");
    EXPECT_EQ(hash16(public_key), fixed_of<16>(identity, "identity_hash"));
    const ByteView all = public_key;
    EXPECT_EQ(hash16({all.first(32), all.last(32)}), hash16(all));
  }
  for (const auto& destination : vectors().at("destinations").as_array()) {
    std::string_view name = destination.at("full_name").get_string();
    EXPECT_EQ(hash10(base::as_bytes(name)), fixed_of<10>(destination, "name_hash"));
  }
}

TEST(Hmac, matches_rfc_4231_and_takes_an_empty_key) {
  EXPECT_EQ(base::to_bytes(hmac_sha256(base::as_bytes("Jefe"), {base::as_bytes("what do ya want "),
                                                                base::as_bytes("for nothing?")})
                               .view()),
            unhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  EXPECT_EQ(base::to_bytes(hmac_sha256({}, {}).view()),
            unhex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}

TEST(Hkdf, matches_every_vector_even_beyond_255_blocks) {
  for (const auto& vector : vectors().at("hkdf").as_array()) {
    Bytes out(static_cast<std::size_t>(vector.at("length").as_int64()));
    hkdf(out, bytes_of(vector, "ikm"), bytes_of(vector, "salt"), bytes_of(vector, "context"));
    if (vector.as_object().contains("okm")) {
      EXPECT_EQ(out, bytes_of(vector, "okm"));
    } else {
      EXPECT_EQ(sha256(out), fixed_of<32>(vector, "okm_sha256"));
      EXPECT_EQ(base::to_bytes(ByteView(out).last(32)), bytes_of(vector, "okm_tail32"));
    }
  }
}

TEST(Scrypt, matches_rfc_7914) {
  const auto key = scrypt("pleaseletmein", base::as_bytes("SodiumChloride"), {16384, 8, 1});
  ASSERT_TRUE(key);
  EXPECT_EQ(base::to_bytes(key->view()),
            unhex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"));
}

TEST(Scrypt, refuses_costs_beyond_memory_and_sense) {
  EXPECT_TRUE(scrypt("", {}, {16, 1, 1}));
  EXPECT_EQ(scrypt("p", {}, {1 << 17, 8, 1}).error().code, Errc::limit);
  EXPECT_EQ(scrypt("p", {}, {1ULL << 63, 8, 1}).error().code, Errc::limit);
  EXPECT_EQ(scrypt("p", {}, {2, 0xffffffff, 1}).error().code, Errc::limit);
  EXPECT_EQ(scrypt("p", {}, {2, 1, limits::kScryptParallel + 1}).error().code, Errc::limit);
  EXPECT_EQ(scrypt("p", {}, {1000, 8, 1}).error().code, Errc::malformed);
  EXPECT_EQ(scrypt("p", {}, {0, 8, 1}).error().code, Errc::malformed);
  EXPECT_EQ(scrypt("p", {}, {16, 0, 1}).error().code, Errc::malformed);
}

TEST(HmacKey, gives_the_hmac_of_each_message_and_so_does_its_copy) {
  const Bytes key(20, 0x0b);
  const auto message = base::as_bytes("Hi There");
  const HmacKey keyed(key);
  const HmacKey copy(keyed);
  for (int use = 0; use < 2; ++use) {
    EXPECT_EQ(keyed.of({message}), hmac_sha256(key, {message}));
    EXPECT_EQ(copy.of({message.first(3), message.subspan(3)}), hmac_sha256(key, {message}));
    EXPECT_EQ(keyed.of({}), hmac_sha256(key, {}));
  }
}

}  // namespace
}  // namespace meshstow::crypto
