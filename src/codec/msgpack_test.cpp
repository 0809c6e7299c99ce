#include "codec/msgpack.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "codec/vectors_for_test.hpp"

namespace meshstow::codec {
namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

// The value that a vector's description names.
Bytes packed(const std::string& value) {
  MsgpackWriter out;
  if (value == "nil") return out.nil().take();
  if (value == "true" || value == "false") return out.boolean(value == "true").take();
  if (value.starts_with("float ")) return out.float64(std::stod(value.substr(6))).take();
  if (value == "str 'abc'") return out.string("abc").take();
  if (value == "str 32 chars") return out.string(std::string(32, 'x')).take();
  if (value == "bin 3") return out.binary(base::as_bytes("abc")).take();
  if (value == "bin 256") return out.binary(Bytes(256, 'a')).take();
  if (value == "array 3") return out.array(3).integer(1).integer(2).integer(3).take();
  if (value == "array 16") {
    out.array(16);
    for (int i = 0; i < 16; ++i) out.integer(i);
    return out.take();
  }
  if (value == "map") {
    out.map(2).string("a").integer(1).string("b").binary(base::as_bytes("z"));
    return out.take();
  }
  return out.integer(std::stoll(value)).take();
}

Errc error_of(std::string_view hex) {
  const Bytes bytes = unhex(hex);
  const auto value = MsgpackReader(bytes).raw_value();
  if (!value) return value.error().code;
  ADD_FAILURE() << hex << " was accepted";
  return Errc::internal;
}

TEST(Msgpack, writes_every_vector) {
  const auto all = vectors("reticulum-vectors.json");
  for (const auto& vector : all.at("msgpack").as_array()) {
    const std::string value = text_of(vector, "value");
    EXPECT_EQ(packed(value), bytes_of(vector, "packed")) << value;
  }
}

TEST(Msgpack, reads_every_vector_to_its_end) {
  const auto all = vectors("reticulum-vectors.json");
  for (const auto& vector : all.at("msgpack").as_array()) {
    const Bytes bytes = bytes_of(vector, "packed");
    MsgpackReader reader(bytes);
    const auto raw = reader.raw_value();
    ASSERT_TRUE(raw) << text_of(vector, "value");
    EXPECT_EQ(base::to_bytes(*raw), bytes);
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(Msgpack, integers_round_trip_in_their_shortest_form) {
  const std::int64_t edges[] = {
      0,  1,   127, 128,  255,  256,    65535,  65536,       4294967295,  4294967296, kHighest,
      -1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649, kLowest};
  const std::size_t sizes[] = {1, 1, 1, 2, 2, 3, 3, 5, 5, 9, 9, 1, 1, 2, 2, 3, 3, 5, 5, 9, 9};
  for (std::size_t i = 0; i < std::size(edges); ++i) {
    const Bytes bytes = MsgpackWriter().integer(edges[i]).take();
    EXPECT_EQ(bytes.size(), sizes[i]) << edges[i];
    MsgpackReader reader(bytes);
    EXPECT_EQ(reader.integer().value(), edges[i]);
  }
}

TEST(Msgpack, an_integer_above_int64_is_marked) {
  const Bytes bytes = MsgpackWriter().unsigned_integer(~0ULL).take();
  MsgpackReader reader(bytes);
  EXPECT_FALSE(reader.integer());
  EXPECT_EQ(reader.number().value(), 18446744073709551616.0);
  EXPECT_TRUE(MsgpackReader(bytes).next()->above_int64);
}

TEST(Msgpack, longer_forms_than_needed_are_understood) {
  for (const char* hex : {"05", "cc05", "cd0005", "ce00000005", "cf0000000000000005", "d005",
                          "d10005", "d200000005", "d30000000000000005"}) {
    const Bytes bytes = unhex(hex);
    MsgpackReader reader(bytes);
    EXPECT_EQ(reader.integer().value(), 5) << hex;
  }
  for (const char* hex : {"a161", "d90161", "da000161", "db0000000161"}) {
    const Bytes bytes = unhex(hex);
    MsgpackReader reader(bytes);
    EXPECT_EQ(reader.string().value(), "a") << hex;
  }
  for (const char* hex : {"9105", "dc000105", "dd0000000105"}) {
    const Bytes bytes = unhex(hex);
    MsgpackReader reader(bytes);
    EXPECT_EQ(reader.array().value(), 1U) << hex;
  }
  for (const char* hex : {"810506", "de00010506", "df000000010506"}) {
    const Bytes bytes = unhex(hex);
    MsgpackReader reader(bytes);
    EXPECT_EQ(reader.map().value(), 1U) << hex;
  }
}

TEST(Msgpack, numbers_are_floats_of_either_width_or_integers) {
  const Bytes bytes = unhex("ca3fc00000cb3ff8000000000000fe");
  MsgpackReader reader(bytes);
  EXPECT_EQ(reader.number().value(), 1.5);
  EXPECT_EQ(reader.number().value(), 1.5);
  EXPECT_EQ(reader.number().value(), -2.0);
  EXPECT_TRUE(reader.at_end());
}

TEST(Msgpack, extensions_are_tokens_with_their_payload) {
  for (const char* hex : {"d40161", "c7010161", "c800010161", "c9000000010161"}) {
    const Bytes bytes = unhex(hex);
    MsgpackReader reader(bytes);
    const auto token = reader.next();
    ASSERT_TRUE(token) << hex;
    EXPECT_EQ(token->type, MsgpackType::extension);
    EXPECT_EQ(base::to_bytes(token->bytes), Bytes{'a'});
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(Msgpack, a_step_of_the_wrong_type_leaves_the_reader_where_it_was) {
  const Bytes bytes = MsgpackWriter().array(2).string("a").binary(Bytes{1}).take();
  MsgpackReader reader(bytes);
  EXPECT_EQ(reader.map().error().code, Errc::malformed);
  EXPECT_EQ(reader.array().value(), 2U);
  EXPECT_FALSE(reader.binary());
  EXPECT_EQ(reader.string().value(), "a");
  EXPECT_FALSE(reader.string());
  EXPECT_FALSE(reader.integer());
  EXPECT_FALSE(reader.number());
  EXPECT_EQ(reader.binary().value().size(), 1U);
  EXPECT_TRUE(reader.at_end());
}

TEST(Msgpack, text_must_be_utf8_and_bytes_need_not) {
  const Bytes bytes = unhex("a2c328c402c328");
  MsgpackReader reader(bytes);
  EXPECT_EQ(reader.string().error().code, Errc::malformed);
  ASSERT_TRUE(reader.next());
  EXPECT_TRUE(reader.binary());
}

TEST(Msgpack, raw_values_are_skipped_whole_at_any_depth) {
  const Bytes inner = MsgpackWriter().array(2).map(1).string("k").array(0).nil().take();
  const Bytes bytes = MsgpackWriter().array(2).raw(inner).raw(inner).take();
  MsgpackReader reader(bytes);
  ASSERT_EQ(reader.array().value(), 2U);
  EXPECT_EQ(base::to_bytes(reader.raw_value().value()), inner);
  EXPECT_EQ(base::to_bytes(reader.raw_value().value()), inner);
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.raw_value());
}

TEST(Msgpack, refuses_what_ends_too_early_or_is_reserved) {
  for (const char* hex : {"c1", "cc", "cd00", "ca000000", "cb00000000000000", "a1", "d9", "d905aa",
                          "c4", "c6ffffffff00", "d401", "c70501", "9301", "81a161"}) {
    EXPECT_EQ(error_of(hex), Errc::malformed) << hex;
  }
}

TEST(Msgpack, refuses_counts_that_cannot_be_true_at_once) {
  const Bytes many = unhex("ddffffffff00");
  MsgpackReader arrays(many);
  EXPECT_EQ(arrays.array().error().code, Errc::malformed);
  const Bytes pairs = unhex("820102");
  MsgpackReader maps(pairs);
  EXPECT_EQ(maps.map().error().code, Errc::malformed);
}

TEST(Msgpack, bounds_depth) {
  const auto nested = [](std::size_t depth) {
    Bytes out(depth, 0x91);
    out.push_back(0xc0);
    return out;
  };
  const Bytes allowed = nested(limits::kMsgpackDepth);
  EXPECT_TRUE(MsgpackReader(allowed).raw_value());
  const Bytes deep = nested(limits::kMsgpackDepth + 1);
  EXPECT_EQ(MsgpackReader(deep).raw_value().error().code, Errc::limit);
  const Bytes deeper = nested(1'000'000);
  EXPECT_EQ(MsgpackReader(deeper).raw_value().error().code, Errc::limit);
  // Siblings are not depth.
  MsgpackWriter wide;
  wide.array(100);
  for (int i = 0; i < 100; ++i) wide.array(1).array(0);
  EXPECT_TRUE(MsgpackReader(wide.bytes(), 3).raw_value());
  EXPECT_FALSE(MsgpackReader(wide.bytes(), 2).raw_value());
}

}  // namespace
}  // namespace meshstow::codec
