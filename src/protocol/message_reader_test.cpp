#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "protocol/messages_for_test.hpp"

namespace meshstow::protocol {
namespace {

using codec::MsgpackWriter;

constexpr std::string_view kStamp = "2026-03-01T12:00:00.000001Z";

// The members of a GET, to be changed: name and packed value.
using Members = std::vector<std::pair<std::string, Bytes>>;

Bytes text(std::string_view value) { return packed_string(value); }

Members get_members() {
  return {{"type", text("storage_request")},
          {"version", text("1.0")},
          {"operation", text("GET")},
          {"path", text("/public/notes/a")},
          {"headers", MsgpackWriter().map(0).take()},
          {"timestamp", text(kStamp)}};
}

Members with(Members members, const std::string& name, Bytes value) {
  for (auto& member : members) {
    if (member.first == name) {
      member.second = std::move(value);
      return members;
    }
  }
  members.emplace_back(name, std::move(value));
  return members;
}

Members without(Members members, std::string_view name) {
  std::erase_if(members, [&](const auto& member) { return member.first == name; });
  return members;
}

Bytes packed(const Members& members) {
  MsgpackWriter writer;
  writer.map(static_cast<std::uint32_t>(members.size()));
  for (const auto& [name, value] : members) writer.string(name).raw(value);
  return writer.take();
}

std::string detail_of(ByteView message) {
  const ReadMessage read(message);
  if (read.result) return "";
  EXPECT_EQ(read.result.error().code, Errc::malformed);
  return read.result.error().detail;
}

TEST(MessageReader, says_what_is_wrong_with_a_member) {
  const Members get = get_members();
  EXPECT_EQ(detail_of(packed(get)), "");
  EXPECT_EQ(detail_of(packed({})), "type is missing");
  EXPECT_EQ(detail_of(packed(without(get, "type"))), "type is missing");
  EXPECT_EQ(detail_of(packed(with(get, "type", text("x")))),
            "type is not that of a storage message");
  EXPECT_EQ(detail_of(packed(with(get, "type", text("sync_request")))),
            "sync_request is not served here");
  EXPECT_EQ(detail_of(packed(without(get, "version"))), "version is missing");
  EXPECT_EQ(detail_of(packed(with(get, "version", text("1.1")))), "version is not 1.0");
  EXPECT_EQ(detail_of(packed(with(get, "version", MsgpackWriter().integer(1).take()))),
            "version is not 1.0");
  EXPECT_EQ(detail_of(packed(without(get, "operation"))), "operation is missing");
  EXPECT_EQ(detail_of(packed(with(get, "operation", text("get")))),
            "operation is none of GET, PUT, DELETE");
  EXPECT_EQ(detail_of(packed(without(get, "path"))), "path is missing");
  EXPECT_EQ(detail_of(packed(with(get, "path", MsgpackWriter().integer(1).take()))),
            "path is not text");
  EXPECT_EQ(detail_of(packed(with(get, "headers", MsgpackWriter().array(0).take()))),
            "headers is not a map");
  EXPECT_EQ(detail_of(packed(without(get, "timestamp"))), "timestamp is missing");
  EXPECT_EQ(detail_of(packed(with(get, "timestamp", text("yesterday")))),
            "timestamp is not of the form 2026-03-01T12:00:00.000001Z");
  EXPECT_EQ(detail_of(packed(with(get, "operation", text("PUT")))), "a PUT without data");
}

TEST(MessageReader, says_what_is_wrong_with_a_value) {
  const Members get = get_members();
  const auto headers = [](const Bytes& value) {
    return MsgpackWriter().map(1).string("If-Match").raw(value).take();
  };
  EXPECT_EQ(detail_of(packed(with(get, "headers", headers(text("\"a\""))))), "");
  EXPECT_EQ(detail_of(packed(with(get, "headers", headers(MsgpackWriter().integer(5).take())))),
            "the value of a header is not text");
  for (const Bytes& value :
       {MsgpackWriter().nil().take(), MsgpackWriter().float64(1).take(), packed_binary("x"),
        Bytes{0xd4, 1, 2}, MsgpackWriter().integer(9007199254740992).take(),
        MsgpackWriter().map(1).integer(1).integer(1).take(), Bytes{0xa1, 0xff},
        MsgpackWriter().map(2).string("a").integer(1).string("a").integer(1).take()}) {
    EXPECT_NE(detail_of(packed(with(get, "note", value))), "");
  }
  EXPECT_EQ(detail_of(packed(with(get, "data", text("hello")))), "data is not a byte string");
  EXPECT_EQ(detail_of(Bytes{0x81, 0xc1}), "a byte that begins no MessagePack value");
  EXPECT_EQ(detail_of(Bytes{0x81, 0x01, 0x01}), "a key is not text");
  EXPECT_EQ(detail_of(base::concat({packed(get), Bytes{0xc0}})), "bytes follow the message");
}

TEST(MessageReader, refuses_a_member_that_is_there_twice) {
  for (const char* name : {"type", "path", "note", "data", "signature"}) {
    Members twice = with(get_members(), "note", text("x"));
    twice = with(twice, "data", packed_binary("x"));
    twice = with(twice, "signature", packed_binary(std::string(64, 'x')));
    const auto first = std::find_if(twice.begin(), twice.end(),
                                    [&](const auto& member) { return member.first == name; });
    twice.push_back(*first);
    EXPECT_EQ(detail_of(packed(twice)), "a member is there twice") << name;
  }
}

TEST(MessageReader, refuses_every_truncation) {
  const Bytes message = packed(with(with(get_members(), "data", packed_binary("hello")), "note",
                                    MsgpackWriter().array(2).integer(1).string("x").take()));
  for (std::size_t size = 1; size < message.size(); ++size) {
    EXPECT_EQ(detail_of(ByteView(message).first(size)), "the message ends too early") << size;
  }
}

TEST(MessageReader, answers_are_maps_where_nothing_was_readable) {
  const ReadMessage broken(packed_string("{\"type\": \"storage_request\", "));
  ASSERT_FALSE(broken.result);
  EXPECT_EQ(broken.reader.form(), Form::msgpack);
  // JSON that only breaks our rules is answered in JSON.
  const ReadMessage null(packed_binary("{\"type\": null}"));
  ASSERT_FALSE(null.result);
  EXPECT_EQ(null.reader.form(), Form::json_binary);
  EXPECT_EQ(ReadMessage(packed_string("  {}")).reader.form(), Form::json_string);
}

TEST(MessageReader, answers_what_is_no_message_with_a_map) {
  for (const Bytes& value :
       {Bytes{}, MsgpackWriter().nil().take(), MsgpackWriter().integer(7).take(),
        MsgpackWriter().array(1).map(0).take(), packed_string(""), packed_string("hello"),
        packed_binary(" [1]"), packed_string("   "), Bytes{0xd9}, Bytes{0xc1}, Bytes{0xdb, 0xff}}) {
    const ReadMessage read(value);
    EXPECT_FALSE(read.result);
    EXPECT_EQ(read.result.error().code, Errc::malformed);
    EXPECT_EQ(read.reader.form(), Form::msgpack);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(read.reader.message()));
  }
}

TEST(MessageReader, hands_data_out_while_it_arrives) {
  const Bytes body(100'000, 0x5a);
  StorageRequest request{
      .operation = Operation::put, .path = "/public/notes/a", .timestamp = std::string(kStamp)};
  const OutgoingData data{body.size(), crypto::sha256(body)};
  const OutgoingMessage message = write_request(request, data, link_of_vectors(), alice_signs());

  std::uint64_t seen = 0;
  MessageReader reader([&](ByteView piece) -> Result<void> {
    seen += piece.size();
    return {};
  });
  ASSERT_TRUE(reader.feed(message.head));
  EXPECT_TRUE(reader.has_data());
  EXPECT_EQ(reader.data_size(), body.size());
  EXPECT_EQ(std::get<StorageRequest>(reader.message()).path, "/public/notes/a");
  ASSERT_TRUE(reader.feed(ByteView(body).first(1000)));
  EXPECT_EQ(seen, 1000U);
  ASSERT_TRUE(reader.feed(ByteView(body).subspan(1000)));
  ASSERT_TRUE(reader.feed(message.tail));
  ASSERT_TRUE(reader.finish());
  EXPECT_EQ(seen, body.size());
  EXPECT_EQ(std::get<StorageRequest>(reader.message()).timestamp, kStamp);
  EXPECT_TRUE(reader.verify(link_of_vectors(), alice().public_key()));
}

TEST(MessageReader, holds_data_that_comes_before_what_it_belongs_to) {
  Members put = with(get_members(), "operation", text("PUT"));
  put.insert(put.begin(), {"data", packed_binary("hello")});
  const Bytes message = packed(put);
  bool early = false;
  Bytes data;
  bool finishing = false;
  MessageReader reader([&](ByteView piece) -> Result<void> {
    early |= !finishing;
    base::append(data, piece);
    return {};
  });
  for (const Byte& byte : message) ASSERT_TRUE(reader.feed(ByteView(&byte, 1)));
  finishing = true;
  ASSERT_TRUE(reader.finish());
  EXPECT_FALSE(early);
  EXPECT_EQ(base::as_text(data), "hello");
}

TEST(MessageReader, refuses_at_the_data_what_is_wrong_before_it) {
  Members put = with(get_members(), "version", text("2.0"));
  MsgpackWriter writer;
  writer.map(static_cast<std::uint32_t>(put.size() + 1));
  for (const auto& [name, value] : put) writer.string(name).raw(value);
  writer.string("data").binary_header(1'000'000);
  MessageReader reader(nullptr);
  const auto fed = reader.feed(writer.bytes());
  ASSERT_FALSE(fed);
  EXPECT_STREQ(fed.error().detail, "version is not 1.0");
  EXPECT_FALSE(reader.feed(Bytes(10)));
  EXPECT_FALSE(reader.finish());
}

TEST(MessageReader, stops_when_the_sink_does) {
  const Bytes message = packed(with(get_members(), "data", packed_binary("hello")));
  int calls = 0;
  MessageReader reader([&](ByteView) -> Result<void> {
    ++calls;
    return fail(Errc::limit, "full");
  });
  for (const Byte& byte : message) (void)reader.feed(ByteView(&byte, 1));
  EXPECT_EQ(calls, 1);
  ASSERT_FALSE(reader.finish());
  EXPECT_STREQ(reader.finish().error().detail, "full");
}

TEST(MessageReader, limits_everything_that_it_holds) {
  const auto code = [](const Bytes& message) {
    const ReadMessage read(message, 4096);
    return read.result ? Errc::internal : read.result.error().code;
  };
  const Bytes big = text(std::string(limits::kMessageHead, 'x'));
  EXPECT_EQ(code(packed(with(get_members(), "note", big))), Errc::limit);
  EXPECT_EQ(code(packed(with(get_members(), "path", big))), Errc::limit);
  // Claims that are never kept cost nothing.
  EXPECT_EQ(code(Bytes{0xdf, 0xff, 0xff, 0xff, 0xff}), Errc::malformed);
  EXPECT_EQ(code(Bytes{0x81, 0xa1, 'a', 0xdd, 0xff, 0xff, 0xff, 0xff}), Errc::malformed);
  // A JSON message, and data that must be held, say their size first.
  EXPECT_EQ(code(Bytes{0xdb, 0x10, 0, 0, 0, '{'}), Errc::limit);
  EXPECT_EQ(code(Bytes{0x82, 0xa4, 'd', 'a', 't', 'a', 0xc6, 0x10, 0, 0, 0, 1}), Errc::limit);
}

TEST(MessageReader, says_what_it_holds_and_lets_go_of_it) {
  const auto sink = [](ByteView) { return Result<void>(); };
  MessageReader first(sink);
  MsgpackWriter writer;
  writer.map(2).string("data").binary_header(limits::kDataBeforePath);
  ASSERT_TRUE(first.feed(writer.bytes()));
  EXPECT_EQ(first.held_bytes(), 0U);
  ASSERT_TRUE(first.feed(Bytes(1000, 1)));
  EXPECT_EQ(first.held_bytes(), 1000U);
  first.forget();
  EXPECT_EQ(first.held_bytes(), 0U);
  EXPECT_FALSE(first.feed(Bytes(1, 1)));

  MessageReader json(sink);
  const Bytes text = packed_string("{\"type\": ");
  ASSERT_TRUE(json.feed(ByteView(text).first(6)));
  EXPECT_EQ(json.held_bytes(), 5U);

  MessageReader beyond(sink);
  MsgpackWriter large;
  large.map(2).string("data").binary_header(limits::kDataBeforePath + 1);
  EXPECT_EQ(beyond.feed(large.bytes()).error().code, Errc::limit);
  EXPECT_EQ(beyond.held_bytes(), 0U);
}

TEST(MessageReader, refuses_what_is_nested_too_deeply_in_both_encodings) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  const auto json = [&](std::size_t depth) {
    return packed_string(
        R"({"type":"storage_request","version":"1.0","operation":"GET","path":"/",)"
        R"("timestamp":"2026-03-01T12:00:00Z","note":)" +
        nested(depth) + "}");
  };
  const auto map = [&](std::size_t depth) {
    MsgpackWriter writer;
    for (std::size_t i = 1; i < depth; ++i) writer.array(1);
    return packed(with(get_members(), "note", writer.array(0).take()));
  };
  EXPECT_EQ(detail_of(json(limits::kJsonDepth - 1)), "");
  EXPECT_NE(detail_of(json(limits::kJsonDepth)), "");
  EXPECT_EQ(detail_of(map(limits::kMsgpackDepth - 1)), "");
  EXPECT_NE(detail_of(map(limits::kMsgpackDepth)), "");
  EXPECT_NE(detail_of(map(60'000)), "");
}

TEST(MessageReader, tells_a_missing_signature_from_a_wrong_one) {
  const ReadMessage unsigned_message(packed(get_members()));
  ASSERT_TRUE(unsigned_message.result);
  const auto& reader = unsigned_message.reader;
  EXPECT_TRUE(reader.verify(link_of_vectors(), alice().public_key(), false));
  ASSERT_FALSE(unsigned_message.verified());
  EXPECT_STREQ(unsigned_message.verified().error().detail, "signature is missing");

  for (const Bytes& value : {packed_binary("short"), packed_string(std::string(128, 'a')),
                             packed_binary(std::string(64, 'x')), MsgpackWriter().nil().take()}) {
    const ReadMessage read(packed(with(get_members(), "signature", value)));
    ASSERT_TRUE(read.result);
    EXPECT_FALSE(read.reader.verify(link_of_vectors(), alice().public_key(), false));
    EXPECT_EQ(read.verified().error().code, Errc::denied);
  }
}

TEST(MessageReader, ignores_unknown_headers_and_members_but_keeps_them_signed) {
  const Bytes headers =
      MsgpackWriter().map(2).string("X-Other").string("1").string("ETag").string("\"e\"").take();
  const ReadMessage read(packed(with(get_members(), "headers", headers)));
  ASSERT_TRUE(read.result);
  const auto& request = std::get<StorageRequest>(read.reader.message());
  EXPECT_EQ(request.headers.etag, "\"e\"");
  const ReadMessage other(packed(get_members()));
  EXPECT_NE(read.reader.digest(), other.reader.digest());
}

}  // namespace
}  // namespace meshstow::protocol
