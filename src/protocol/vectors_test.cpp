// The sections of meshstow-vectors.json on messages and announcements (docs/PROTOCOL.md).
#include <gtest/gtest.h>

#include "codec/hex.hpp"
#include "codec/iso8601.hpp"
#include "codec/vector_file_for_test.hpp"
#include "crypto/hash.hpp"
#include "protocol/announcement.hpp"
#include "protocol/messages_for_test.hpp"

namespace meshstow::protocol {
namespace {

namespace json = boost::json;
using codec::to_hex;

constexpr const char* kStamp = "2026-03-01T12:00:00.000001Z";

// What was signed last, for the vector.
struct Recorder {
  Bytes seen;
  Signer signer() {
    return [this](ByteView bytes) {
      seen = base::to_bytes(bytes);
      return alice().sign(bytes);
    };
  }
};

std::string text_inside(ByteView packed) {
  return base::to_string(codec::MsgpackReader(packed).next()->bytes);
}

json::object message_vector(std::string_view name, const Recorder& recorder, ByteView data,
                            ByteView msgpack, ByteView json_string) {
  const ReadMessage read(msgpack);
  EXPECT_TRUE(read.verified());
  EXPECT_TRUE(ReadMessage(json_string).verified());
  const ByteView canonical = ByteView(recorder.seen).subspan(LinkId::size());
  return {{"name", name},
          {"link_id_hex", to_hex(link_of_vectors())},
          {"sender_public_hex", to_hex(alice().public_key())},
          {"data_hex", to_hex(data)},
          {"canonical", base::as_text(canonical)},
          {"signed_hex", to_hex(recorder.seen)},
          {"signature_hex", to_hex(alice().sign(recorder.seen))},
          {"msgpack_hex", to_hex(msgpack)},
          {"json", text_inside(json_string)},
          {"digest_hex", to_hex(read.reader.digest())}};
}

TEST(MeshstowVectors, messages_are_those_of_the_file) {
  Recorder recorder;
  const LinkId link = link_of_vectors();
  const ByteView body = base::as_bytes("hello");
  const OutgoingData data{body.size(), crypto::sha256(body)};
  json::array out;

  const StorageRequest get{.path = "/public/notes/today.txt", .timestamp = kStamp};
  const Bytes get_map = write_request(get, {}, link, recorder.signer()).head;
  const Bytes get_text = write_request_json(Form::json_string, get, {}, link, recorder.signer());
  out.push_back(message_vector("GET", recorder, {}, get_map, get_text));

  const StorageRequest put{.operation = Operation::put,
                           .path = "/public/notes/today.txt",
                           .headers = {.content_type = "text/plain", .if_none_match = "*"},
                           .timestamp = kStamp};
  const Bytes put_map = whole(write_request(put, data, link, recorder.signer()), body);
  const Bytes put_text = write_request_json(Form::json_string, put, body, link, recorder.signer());
  out.push_back(message_vector("PUT", recorder, body, put_map, put_text));

  const StorageResponse answer{
      .headers = {.content_type = "text/plain", .etag = "\"a1b2c3d4\"", .content_length = "5"},
      .timestamp = kStamp};
  const Bytes answer_map = whole(write_response(answer, data, link, recorder.signer()), body);
  const Bytes answer_text =
      write_response_json(Form::json_string, answer, body, link, recorder.signer());
  out.push_back(message_vector("answer to GET", recorder, body, answer_map, answer_text));

  const StorageError error{.code = StoreCode::sync_conflict,
                           .message = "If-None-Match does not hold",
                           .path = "/public/notes/today.txt",
                           .status = 412,
                           .timestamp = kStamp};
  const Bytes error_map = write_error(Form::msgpack, error, link, recorder.signer());
  const Bytes error_text = write_error(Form::json_string, error, link, recorder.signer());
  out.push_back(message_vector("error", recorder, {}, error_map, error_text));
  codec::expect_vectors("messages", out);
}

TEST(MeshstowVectors, announcements_are_those_of_the_file) {
  json::array out;
  const std::vector<std::string> stores{"store"};
  const std::vector<std::string> syncs{"store", "sync"};
  const std::uint64_t large = std::uint64_t{64} << 30;
  for (const auto& [capabilities, space] :
       {std::pair{stores, std::uint64_t{0}}, {stores, large}, {syncs, large}}) {
    const Announcement announcement{.capabilities = capabilities,
                                    .space_available = space,
                                    .timestamp = *codec::parse_iso8601("2026-03-01T12:00:00Z"),
                                    .fingerprint = FixedBytes<8>{{1, 2, 3, 4, 5, 6, 7, 8}}};
    out.push_back(
        json::object{{"capabilities", json::array(capabilities.begin(), capabilities.end())},
                     {"space_available", space},
                     {"timestamp", base::unix_seconds(announcement.timestamp)},
                     {"fingerprint_hex", to_hex(*announcement.fingerprint)},
                     {"app_data_hex", to_hex(write_announcement(announcement))}});
  }
  codec::expect_vectors("announcement", out);
}

}  // namespace
}  // namespace meshstow::protocol
