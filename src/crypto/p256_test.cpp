#include "crypto/p256.hpp"

#include <gtest/gtest.h>

#include "crypto/p256_for_test.hpp"
#include "crypto/vectors_for_test.hpp"

namespace meshstow::crypto {
namespace {

// RFC 6979, A.2.5.
const P256Public kKey =
    P256Public::from(unhex("0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
                           "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"))
        .value();

struct Vector {
  const char* message;
  const char* signature;
};
const Vector kVectors[] = {
    {"sample",
     "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
     "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
    {"test",
     "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
     "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"},
};

Signature signature_of(const Vector& vector) {
  return Signature::from(unhex(vector.signature)).value();
}

TEST(P256, takes_the_signatures_of_the_rfc_and_no_other) {
  for (const Vector& vector : kVectors) {
    EXPECT_TRUE(
        verify_p256(kKey, base::as_bytes(std::string_view(vector.message)), signature_of(vector)));
    for (std::size_t i = 0; i < Signature::size(); ++i) {
      Signature wrong = signature_of(vector);
      wrong.data()[i] ^= 1;
      EXPECT_FALSE(verify_p256(kKey, base::as_bytes(std::string_view(vector.message)), wrong));
    }
  }
  EXPECT_FALSE(
      verify_p256(kKey, base::as_bytes(std::string_view("test")), signature_of(kVectors[0])));
  EXPECT_FALSE(verify_p256(kKey, {}, Signature{}));
}

TEST(P256, keys_that_are_no_points_of_the_curve_are_refused) {
  EXPECT_TRUE(is_p256_key(kKey));
  P256Public off = kKey;
  off.data()[64] ^= 1;
  P256Public hybrid = kKey;
  hybrid.data()[0] = 6;
  P256Public beyond;
  beyond.bytes.fill(0xff);
  beyond.data()[0] = 4;
  for (const P256Public& key : {off, hybrid, beyond, P256Public{}}) {
    EXPECT_FALSE(is_p256_key(key));
    EXPECT_FALSE(
        verify_p256(key, base::as_bytes(std::string_view("sample")), signature_of(kVectors[0])));
  }
}

TEST(P256, takes_what_a_fresh_key_signs) {
  const P256KeyForTest mine;
  const P256KeyForTest other;
  EXPECT_TRUE(is_p256_key(mine.public_key()));
  const Signature signature = mine.sign(base::as_bytes(std::string_view("call")));
  EXPECT_TRUE(verify_p256(mine.public_key(), base::as_bytes(std::string_view("call")), signature));
  EXPECT_FALSE(
      verify_p256(other.public_key(), base::as_bytes(std::string_view("call")), signature));
}

}  // namespace
}  // namespace meshstow::crypto
