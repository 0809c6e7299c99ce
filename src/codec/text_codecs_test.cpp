// Tests of the small text formats: base64, percent-encoding, timestamps, HTTP dates; and of bzip2.
#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "codec/base64.hpp"
#include "codec/bzip2.hpp"
#include "codec/hex.hpp"
#include "codec/http_date.hpp"
#include "codec/iso8601.hpp"
#include "codec/percent.hpp"

namespace meshstow::codec {
namespace {

TEST(Base64, matches_rfc_4648) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(to_base64(base::as_bytes(plain)), encoded);
    EXPECT_EQ(base::as_text(from_base64(encoded).value()), plain);
  }
  EXPECT_EQ(to_base64(Bytes{0xfb, 0xff}), "+/8=");
  EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
  EXPECT_EQ(from_base64url("-_8").value(), (Bytes{0xfb, 0xff}));
}

TEST(Base64, round_trips_every_length) {
  base::SeededRng rng(1);
  for (std::size_t size = 0; size < 100; ++size) {
    Bytes bytes(size);
    rng.fill(bytes);
    EXPECT_EQ(from_base64(to_base64(bytes)).value(), bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)).value(), bytes);
  }
}

TEST(Base64, refuses_every_other_spelling) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Z", "====", "=", "Zh==", "Zm9=", "Zm9v\n",
                           " Zm9v", "Zm 9", "-_8=", "Zm=v", "Z===", "Zm9vZg==Zg==", "Zg=a"}) {
    EXPECT_EQ(from_base64(text).error().code, Errc::malformed) << text;
  }
  for (const char* text : {"Zg==", "Z", "Zh", "Zm9", "+/8", "Zm 9"}) {
    EXPECT_FALSE(from_base64url(text)) << text;
  }
}

TEST(Percent, decodes_once_and_keeps_the_plus) {
  EXPECT_EQ(percent_decode("a%20b+c%2Fd%2f").value(), "a b+c/d/");
  EXPECT_EQ(percent_decode("%2541").value(), "%41");
  EXPECT_EQ(percent_decode("%E2%82%AC\xe2\x82\xac").value(), "\xe2\x82\xac\xe2\x82\xac");
  EXPECT_EQ(percent_decode("").value(), "");
  for (const char* text :
       {"%", "%2", "%g0", "a%", "%-1", "%+1", "% 1", "%FF", "%ED%A0%80", "\xff"}) {
    EXPECT_EQ(percent_decode(text).error().code, Errc::malformed) << text;
  }
}

TEST(Percent, encodes_all_but_the_unreserved) {
  EXPECT_EQ(percent_encode("aZ09-._~ /%\xc3\xa9"), "aZ09-._~%20%2F%25%C3%A9");
  EXPECT_EQ(percent_encode_path("/a b/c?"), "/a%20b/c%3F");
}

TEST(Iso8601, reads_and_writes_the_timestamps_of_messages) {
  const WallTime noon = parse_iso8601("2026-03-01T12:00:00.000001Z").value();
  EXPECT_EQ(noon.time_since_epoch().count(), 1772366400000001);
  EXPECT_EQ(format_iso8601(noon), "2026-03-01T12:00:00.000001Z");
  EXPECT_EQ(parse_iso8601("2026-03-01T12:00:00+00:00").value(), noon - Duration{1});
  EXPECT_EQ(parse_iso8601("2026-03-01T12:00:00.0000019Z").value(), noon);
  EXPECT_EQ(parse_iso8601("2026-03-01T12:00:00.000001999Z").value(), noon);
  EXPECT_EQ(parse_iso8601("2026-03-01T12:00:00.5Z").value(), noon + Duration{499'999});
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:00Z").value(), WallTime{});
  EXPECT_TRUE(parse_iso8601("2024-02-29T23:59:59Z"));
  EXPECT_EQ(format_iso8601(parse_iso8601("0000-01-01T00:00:00Z").value()),
            "0000-01-01T00:00:00.000000Z");
}

TEST(Iso8601, refuses_other_forms_and_days_that_are_not) {
  for (const char* text : {"",
                           "2026-03-01",
                           "2026-03-01T12:00:00",
                           "2026-03-01 12:00:00Z",
                           "2026-03-01T12:00:00z",
                           "2026-03-01T12:00:00.Z",
                           "2026-03-01T12:00:00.1234567890Z",
                           "2026-03-01T12:00:00+01:00",
                           "2026-03-01T12:00:00-00:00",
                           "2026-03-01T12:00:00ZZ",
                           "2026-03-01T12:00:00,5Z",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "2026-01-01T24:00:00Z",
                           "2026-01-01T00:60:00Z",
                           "2026-01-01T00:00:60Z",
                           "-026-01-01T00:00:00Z",
                           "02026-01-01T00:00:00Z",
                           "2026-1-01T00:00:00Z",
                           " 2026-03-01T12:00:00Z"}) {
    EXPECT_EQ(parse_iso8601(text).error().code, Errc::malformed) << text;
  }
}

TEST(Iso8601, times_that_four_digits_cannot_say_become_the_nearest) {
  EXPECT_EQ(format_iso8601(WallTime::max()), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_iso8601(WallTime::min()), "0000-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_iso8601(WallTime{Duration{-1}}), "1969-12-31T23:59:59.999999Z");
}

TEST(HttpDate, is_an_imf_fixdate) {
  EXPECT_EQ(format_http_date(base::wall_from_unix_seconds(784111777)),
            "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Bzip2, round_trips) {
  base::SeededRng rng(1);
  for (const std::size_t size : {0, 1, 1000, 65535, 65536, 65537, 300'000}) {
    Bytes data(size);
    for (Byte& byte : data) byte = static_cast<Byte>('a' + rng.below(3));
    const Bytes packed = bzip2_compress(data);
    const auto unpacked = bzip2_decompress(packed, size);
    ASSERT_TRUE(unpacked) << size;
    EXPECT_EQ(*unpacked, data);
    if (size > 0) {
      EXPECT_EQ(bzip2_decompress(packed, size - 1).error().code, Errc::limit);
    }
  }
}

// Made with Python: bz2.compress(b"hello hello hello from python").hex()
TEST(Bzip2, writes_and_reads_the_same_bytes_as_python) {
  const Bytes packed =
      from_hex(
          "425a683931415926535957836c6a000005118040000347d420200022bf5419ea8c840d03"
          "41260d8d49d1c64a5f5dfc5dc914e142415e0db1a8")
          .value();
  const std::string_view text = "hello hello hello from python";
  EXPECT_EQ(bzip2_compress(base::as_bytes(text)), packed);
  const auto unpacked = bzip2_decompress(packed, 100);
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(base::as_text(*unpacked), text);
}

TEST(Bzip2, refuses_bombs_cuts_and_what_follows) {
  const Bytes bomb = bzip2_compress(Bytes(40'000'000, 0));
  EXPECT_LT(bomb.size(), 1000U);
  EXPECT_EQ(bzip2_decompress(bomb, 1'000'000).error().code, Errc::limit);

  const Bytes packed = bzip2_compress(base::as_bytes("some text, some text, some text"));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_EQ(bzip2_decompress(ByteView(packed).first(size), 100).error().code, Errc::malformed);
  }
  Bytes longer = packed;
  longer.push_back(0);
  EXPECT_EQ(bzip2_decompress(longer, 100).error().code, Errc::malformed);
  Bytes changed = packed;
  changed[packed.size() / 2] ^= 4;
  EXPECT_FALSE(bzip2_decompress(changed, 100));
}

}  // namespace
}  // namespace meshstow::codec
