#include "codec/json.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "codec/msgpack.hpp"
#include "codec/vectors_for_test.hpp"

namespace meshstow::codec {
namespace {

// How the canonical form of a whole message is made (C1, C2): without `signature`, and with the
// hash of `data` in place of `data`. Here the vector tells the hash.
std::string canonical_of_message(boost::json::value message, const std::string& expected) {
  auto& members = message.as_object();
  members.erase("signature");
  if (members.contains("data")) {
    const boost::json::value canonical = boost::json::parse(expected);
    members["data"] = canonical.at("data");
  }
  return canonical_json(message);
}

// The message of MessagePack with its byte strings left out: `data` and `signature` are not JSON.
boost::json::value message_from_msgpack(const Bytes& packed) {
  MsgpackReader reader(packed);
  boost::json::object out;
  const std::uint32_t count = reader.map().value();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string key(reader.string().value());
    if (reader.binary()) {
      out.emplace(key, "bytes");
    } else {
      out.emplace(key, json_from_msgpack(reader).value());
    }
  }
  EXPECT_TRUE(reader.at_end());
  return out;
}

std::string canonical_or_error(std::string_view text) {
  const auto value = parse_strict_json(text);
  return value ? canonical_json(*value) : value.error().detail;
}

TEST(Json, every_form_of_a_valid_message_has_the_canonical_form_of_its_vector) {
  const auto all = vectors("storage-message-vectors.json");
  for (const auto& vector : all.at("valid").as_array()) {
    const std::string canonical = text_of(vector, "canonical");
    EXPECT_EQ(to_hex(base::as_bytes(canonical)), text_of(vector, "canonical_hex"));
    for (const char* form : {"json", "also_json"}) {
      if (!vector.as_object().contains(form)) continue;
      auto message = parse_strict_json(text_of(vector, form));
      ASSERT_TRUE(message) << text_of(vector, "name") << ": " << message.error().detail;
      EXPECT_EQ(canonical_of_message(*message, canonical), canonical);
    }
    for (const char* form : {"msgpack_hex", "also_msgpack_hex"}) {
      if (!vector.as_object().contains(form)) continue;
      const auto message = message_from_msgpack(bytes_of(vector, form));
      EXPECT_EQ(canonical_of_message(message, canonical), canonical);
    }
  }
}

TEST(Json, messages_with_values_that_are_none_are_refused_in_both_forms) {
  const auto all = vectors("storage-message-vectors.json");
  int seen = 0;
  for (const auto& vector : all.at("refused").as_array()) {
    const std::string name = text_of(vector, "name");
    if (text_of(vector, "code") != "STORE004") continue;
    if (name == "base64_unpadded") {
      const auto message = parse_strict_json(text_of(vector, "json"));
      ASSERT_TRUE(message);
      EXPECT_FALSE(from_base64(std::string_view(message->at("data").as_string())));
      continue;
    }
    ++seen;
    EXPECT_FALSE(parse_strict_json(text_of(vector, "json"))) << name;
    const Bytes packed = bytes_of(vector, "msgpack_hex");
    MsgpackReader reader(packed);
    EXPECT_FALSE(json_from_msgpack(reader)) << name;
  }
  EXPECT_EQ(seen, 3);
}

TEST(Json, numbers_are_integers_that_every_reader_agrees_on) {
  EXPECT_EQ(canonical_or_error("[0, -1, 9007199254740991, -9007199254740991]"),
            "[0,-1,9007199254740991,-9007199254740991]");
  EXPECT_EQ(canonical_or_error("-0"), "0");
  for (const char* text : {"9007199254740992", "-9007199254740992", "18446744073709551616", "1.0",
                           "1.5", "1e0", "1E2", "-0.0", "0e0", "01", "+1", "1.", ".5", "0x1", "NaN",
                           "Infinity", "-", "123456789012345678901234567890"}) {
    EXPECT_FALSE(parse_strict_json(text)) << text;
  }
}

TEST(Json, only_one_value_of_the_grammar_is_taken) {
  EXPECT_EQ(canonical_or_error(" \t\r\n{ \"a\" : [ true , false , { } , [ ] , \"\" ] } \n"),
            R"({"a":[true,false,{},[],""]})");
  for (const char* text : {"",
                           " ",
                           "null",
                           "[null]",
                           "{\"a\":null}",
                           "{} {}",
                           "[1,]",
                           "{\"a\":1,}",
                           "[1",
                           "{\"a\"",
                           "{\"a\":}",
                           "{a:1}",
                           "{'a':1}",
                           "/* x */ 1",
                           "1 // x",
                           "tru",
                           "\"a",
                           "\xef\xbb\xbf{}",
                           "{\"a\":1,\"a\":1}",
                           "{\"a\":1,\"\\u0061\":1}",
                           "[[{\"k\":1,\"k\":2}]]"}) {
    EXPECT_FALSE(parse_strict_json(text)) << text;
  }
  EXPECT_FALSE(parse_strict_json(std::string_view("1\0", 2)));
}

TEST(Json, text_is_unicode_without_lone_surrogates) {
  EXPECT_EQ(canonical_or_error(R"("\ud83d\ude00\u00e9")"), "\"\xf0\x9f\x98\x80\xc3\xa9\"");
  for (const char* text : {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\ud83d\ud83d")",
                           R"("\u12")", "\"\xed\xa0\xbd\"", "\"\xff\"", "\"\xc0\x80\"", "\"\n\"",
                           "\"\x01\"", R"("\x")", "{\"\xff\":1}", R"({"\ud83d":1})"}) {
    EXPECT_FALSE(parse_strict_json(text)) << text;
  }
}

TEST(Json, long_text_that_comes_in_parts_is_kept_whole) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(canonical_or_error("{\"" + text + "\\t\":\"" + text + "\\n" + text + "\"}"),
            "{\"" + text + "\\t\":\"" + text + "\\n" + text + "\"}");
}

TEST(Json, escapes_are_the_shortest_of_rfc_8785) {
  EXPECT_EQ(canonical_or_error(R"("\u0000\u0008\u0009\u000a\u000c\u000d\u001f\"\\\/\u007f\u2028")"),
            "\"\\u0000\\b\\t\\n\\f\\r\\u001f\\\"\\\\/\x7f\xe2\x80\xa8\"");
}

TEST(Json, keys_are_in_utf16_order) {
  // The example of RFC 8785, 3.2.3.
  EXPECT_EQ(canonical_or_error(
                R"({"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7})"),
            "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
            "\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
  EXPECT_EQ(canonical_or_error(R"({"ab":1,"a":2,"":3})"), R"({"":3,"a":2,"ab":1})");
}

TEST(Json, depth_is_bounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(parse_strict_json(nested(limits::kJsonDepth)));
  EXPECT_FALSE(parse_strict_json(nested(limits::kJsonDepth + 1)));
  EXPECT_FALSE(parse_strict_json(std::string(1'000'000, '[')));
  EXPECT_FALSE(parse_strict_json(std::string(1'000'000, '{')));
}

TEST(JsonMsgpack, values_round_trip) {
  const auto value = parse_strict_json(
      R"({"a":[1,-1,{"b":[]},{}],"":"text","c":true,"d":false,"e":9007199254740991})");
  ASSERT_TRUE(value);
  MsgpackWriter writer;
  msgpack_from_json(writer, *value);
  MsgpackReader reader(writer.bytes());
  const auto again = json_from_msgpack(reader);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *value);
  EXPECT_TRUE(reader.at_end());
}

TEST(JsonMsgpack, refuses_what_json_has_not) {
  for (const char* hex : {"c0", "cb3ff0000000000000", "c40161", "d40161", "8101a161",
                          "82a16101a16102", "a1ff", "81a1ff01", "cf0020000000000000",
                          "d3ffe0000000000000", "cfffffffffffffffff", "92c3c0", "81a161", "91"}) {
    const Bytes packed = unhex(hex);
    MsgpackReader reader(packed);
    const auto value = json_from_msgpack(reader);
    ASSERT_FALSE(value) << hex;
    EXPECT_EQ(value.error().code, Errc::malformed);
  }
  const Bytes deep(limits::kJsonDepth + 2, 0x91);
  MsgpackReader reader(deep, 100);
  EXPECT_FALSE(json_from_msgpack(reader));
}

TEST(JsonMsgpack, reads_one_value_from_the_middle) {
  const Bytes packed = MsgpackWriter().array(3).map(0).string("x").integer(7).take();
  MsgpackReader reader(packed);
  ASSERT_EQ(reader.array().value(), 3U);
  EXPECT_EQ(canonical_json(json_from_msgpack(reader).value()), "{}");
  EXPECT_EQ(canonical_json(json_from_msgpack(reader).value()), "\"x\"");
  EXPECT_EQ(reader.integer().value(), 7);
}

}  // namespace
}  // namespace meshstow::codec
