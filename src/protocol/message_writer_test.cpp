#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "protocol/messages_for_test.hpp"

namespace meshstow::protocol {
namespace {

constexpr std::string_view kStamp = "2026-03-01T12:00:00.000001Z";

StorageRequest put_request() {
  return {
      .operation = Operation::put,
      .path = "/public/notes/\xc3\xa5 \"q\".txt",
      .headers = {.authorization = "Bearer abc", .content_type = "text/plain", .if_match = "\"e\""},
      .timestamp = std::string(kStamp)};
}

std::string text_inside(ByteView packed) {
  codec::MsgpackReader reader(packed);
  return base::to_string(reader.next()->bytes);
}

TEST(MessageWriter, every_form_of_a_request_reads_back_and_verifies) {
  const Bytes body = base::to_bytes(base::as_bytes("hello"));
  const OutgoingData data{body.size(), crypto::sha256(body)};
  const Bytes forms[] = {
      whole(write_request(put_request(), data, link_of_vectors(), alice_signs()), body),
      write_request_json(Form::json_string, put_request(), ByteView(body), link_of_vectors(),
                         alice_signs()),
      write_request_json(Form::json_binary, put_request(), ByteView(body), link_of_vectors(),
                         alice_signs())};
  std::set<Hash32> digests;
  for (const Bytes& packed : forms) {
    const ReadMessage read(packed, 3);
    ASSERT_TRUE(read.result) << read.result.error().detail;
    EXPECT_TRUE(read.verified());
    EXPECT_EQ(read.data, body);
    const auto& request = std::get<StorageRequest>(read.reader.message());
    EXPECT_EQ(request.path, put_request().path);
    EXPECT_EQ(request.headers.bearer_token(), "abc");
    EXPECT_EQ(request.headers.if_match, "\"e\"");
    digests.insert(read.reader.digest());
  }
  EXPECT_EQ(digests.size(), 1U);
}

TEST(MessageWriter, every_form_of_a_response_reads_back_and_verifies) {
  const StorageResponse response{
      .status = 200,
      .headers = {.content_type = "text/plain", .etag = "\"e\"", .content_length = "0"},
      .timestamp = std::string(kStamp)};
  const OutgoingData none{0, crypto::sha256(ByteView())};
  const Bytes forms[] = {whole(write_response(response, none, link_of_vectors(), alice_signs())),
                         write_response_json(Form::json_string, response, ByteView(),
                                             link_of_vectors(), alice_signs()),
                         write_response_json(Form::json_binary, response, ByteView(),
                                             link_of_vectors(), alice_signs())};
  for (const Bytes& packed : forms) {
    const ReadMessage read(packed);
    ASSERT_TRUE(read.result) << read.result.error().detail;
    EXPECT_TRUE(read.verified());
    EXPECT_TRUE(read.reader.has_data());
    EXPECT_EQ(read.reader.data_size(), 0U);
    EXPECT_EQ(std::get<StorageResponse>(read.reader.message()).headers.etag, "\"e\"");
  }
}

TEST(MessageWriter, members_stand_in_the_order_of_the_specification) {
  const Bytes body = base::to_bytes(base::as_bytes("hello"));
  const Bytes packed =
      write_request_json(Form::json_string, put_request(), ByteView(body), link_of_vectors(), {});
  EXPECT_EQ(text_inside(packed),
            "{\"type\":\"storage_request\",\"version\":\"1.0\",\"operation\":\"PUT\","
            "\"path\":\"/public/notes/\xc3\xa5 "
            "\\\"q\\\".txt\",\"headers\":{\"Authorization\":\"Bearer abc\","
            "\"Content-Type\":\"text/plain\",\"If-Match\":\"\\\"e\\\"\"},\"data\":\"aGVsbG8=\","
            "\"timestamp\":\"2026-03-01T12:00:00.000001Z\"}");
}

TEST(MessageWriter, errors_are_written_in_every_form_signed_or_not) {
  StorageError error{.code = StoreCode::access_denied,
                     .message = "a token is needed",
                     .path = "/private/x",
                     .status = 401,
                     .timestamp = std::string(kStamp)};
  for (const Form form : {Form::msgpack, Form::json_string, Form::json_binary}) {
    for (const Signer& signer : {alice_signs(), Signer()}) {
      const ReadMessage read(write_error(form, error, link_of_vectors(), signer));
      ASSERT_TRUE(read.result) << read.result.error().detail;
      EXPECT_EQ(read.reader.form(), form);
      EXPECT_EQ(read.verified().has_value(), static_cast<bool>(signer));
      EXPECT_TRUE(read.reader.verify(link_of_vectors(), alice().public_key(), false));
      const auto& back = std::get<StorageError>(read.reader.message());
      EXPECT_EQ(back.code, error.code);
      EXPECT_EQ(back.status, 401);
      EXPECT_EQ(back.path, "/private/x");
    }
  }
  error.path = "/public/" + std::string(limits::kErrorPath, 'x');
  const ReadMessage read(write_error(Form::msgpack, error, link_of_vectors(), {}));
  EXPECT_EQ(std::get<StorageError>(read.reader.message()).path, "");
}

// 431 bytes of a link packet at MTU 500, of which RNS takes 28 in a request and 19 in a response.
TEST(MessageWriter, small_messages_fit_one_packet) {
  constexpr std::size_t kRequest = 431 - 28;
  constexpr std::size_t kResponse = 431 - 19;
  StorageRequest get{.path = "/private/notes/today.txt", .timestamp = std::string(kStamp)};
  get.headers.authorization = "Bearer " + std::string(126, 'x');
  EXPECT_LE(write_request(get, {}, link_of_vectors(), alice_signs()).head.size(), kRequest);

  const StorageResponse answer{.headers = {.content_type = "text/plain",
                                           .etag = "\"0123456789abcdef\"",
                                           .content_length = "100"},
                               .timestamp = std::string(kStamp)};
  const Bytes body(100);
  const OutgoingData data{body.size(), crypto::sha256(body)};
  EXPECT_LE(whole(write_response(answer, data, link_of_vectors(), alice_signs()), body).size(),
            kResponse);

  const StorageError error{.code = StoreCode::access_denied,
                           .message = std::string(60, 'x'),
                           .path = get.path,
                           .status = 401,
                           .timestamp = std::string(kStamp)};
  EXPECT_LE(write_error(Form::msgpack, error, link_of_vectors(), alice_signs()).size(), kResponse);
}

TEST(Messages, codes_have_their_texts_and_exit_codes) {
  EXPECT_EQ(to_text(StoreCode::path_not_found), "STORE001");
  EXPECT_EQ(to_text(StoreCode::sync_conflict), "STORE005");
  EXPECT_EQ(store_code("STORE003"), StoreCode::storage_full);
  EXPECT_EQ(store_code("STORE006"), std::nullopt);
  EXPECT_EQ(exit_code(StoreCode::path_not_found), 11);
  EXPECT_EQ(exit_code(StoreCode::sync_conflict), 15);
}

TEST(Messages, a_bearer_token_is_found_in_any_case_of_the_scheme) {
  const auto token = [](const char* text) {
    return std::string(Headers{.authorization = text}.bearer_token());
  };
  EXPECT_EQ(token("Bearer abc"), "abc");
  EXPECT_EQ(token("bEARER abc"), "abc");
  EXPECT_EQ(token("Basic abc"), "");
  EXPECT_EQ(token("Bearer"), "");
  EXPECT_EQ(Headers{}.bearer_token(), "");
}

}  // namespace
}  // namespace meshstow::protocol
