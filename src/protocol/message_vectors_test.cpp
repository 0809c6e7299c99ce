// Every vector of storage-message-vectors.json, in every encoding that it has, in several cuts.
#include <gtest/gtest.h>

#include "codec/json.hpp"
#include "crypto/hash.hpp"
#include "protocol/message_fields.hpp"
#include "protocol/messages_for_test.hpp"

namespace meshstow::protocol {
namespace {

namespace json = boost::json;

struct Encoded {
  std::string name;
  Form form;
  Bytes packed;
};

// Each spelling of a vector: MessagePack, and JSON as text and as bytes.
std::vector<Encoded> encodings(const json::value& vector) {
  std::vector<Encoded> out;
  const std::string name = codec::text_of(vector, "name");
  for (const char* key : {"msgpack_hex", "also_msgpack_hex"}) {
    if (!vector.as_object().contains(key)) continue;
    out.push_back({name + " " + key, Form::msgpack, codec::bytes_of(vector, key)});
  }
  for (const char* key : {"json", "also_json"}) {
    if (!vector.as_object().contains(key)) continue;
    const std::string text = codec::text_of(vector, key);
    out.push_back({name + " string " + key, Form::json_string, packed_string(text)});
    out.push_back({name + " binary " + key, Form::json_binary, packed_binary(text)});
  }
  return out;
}

Bytes data_of(const json::value& vector) {
  return vector.as_object().contains("data_hex") ? codec::bytes_of(vector, "data_hex") : Bytes();
}

constexpr std::size_t kSteps[] = {1, 2, 7, 64, SIZE_MAX};

TEST(MessageVectors, valid_messages_are_read_and_verify_in_every_cut) {
  std::size_t count = 0;
  for (const json::value& vector : message_vectors().at("valid").as_array()) {
    for (const Encoded& each : encodings(vector)) {
      for (const std::size_t step : kSteps) {
        SCOPED_TRACE(each.name + " step " + std::to_string(step));
        const ReadMessage read(each.packed, step);
        ASSERT_TRUE(read.result) << read.result.error().detail;
        EXPECT_TRUE(read.verified());
        EXPECT_EQ(read.reader.form(), each.form);
        EXPECT_EQ(read.data, data_of(vector));
        EXPECT_EQ(read.reader.has_data(), vector.as_object().contains("data_hex"));
        ++count;
      }
    }
  }
  EXPECT_GE(count, std::size_t{16 * 3} * std::size(kSteps));
}

TEST(MessageVectors, all_spellings_of_one_message_have_one_digest) {
  std::set<Hash32> digests;
  for (const json::value& vector : message_vectors().at("valid").as_array()) {
    std::set<Hash32> of_this;
    for (const Encoded& each : encodings(vector)) {
      const ReadMessage read(each.packed);
      ASSERT_TRUE(read.result) << each.name;
      of_this.insert(read.reader.digest());
    }
    EXPECT_EQ(of_this.size(), 1U) << codec::text_of(vector, "name");
    digests.merge(of_this);
  }
  EXPECT_EQ(digests.size(), message_vectors().at("valid").as_array().size());
}

TEST(MessageVectors, refused_messages_are_refused_with_their_code) {
  for (const json::value& vector : message_vectors().at("refused").as_array()) {
    for (const Encoded& each : encodings(vector)) {
      for (const std::size_t step : kSteps) {
        SCOPED_TRACE(each.name + " step " + std::to_string(step));
        const ReadMessage read(each.packed, step);
        EXPECT_EQ(read.reader.form(), each.form);
        if (codec::text_of(vector, "code") == "STORE004") {
          ASSERT_FALSE(read.result);
          EXPECT_EQ(read.result.error().code, Errc::malformed);
          EXPECT_FALSE(read.verified());
        } else {
          ASSERT_TRUE(read.result) << read.result.error().detail;
          ASSERT_FALSE(read.verified());
          EXPECT_EQ(read.verified().error().code, Errc::denied);
        }
      }
    }
  }
}

TEST(MessageVectors, the_canonical_form_is_that_of_the_vectors) {
  for (const json::value& vector : message_vectors().at("valid").as_array()) {
    json::object members = vector.at("message").as_object();
    std::optional<Hash32> hash;
    if (members.erase("data") != 0) hash = crypto::sha256(data_of(vector));
    EXPECT_EQ(canonical_message(std::move(members), hash), codec::text_of(vector, "canonical"));
  }
}

// Writes what was read. Ed25519 gives one signature, so equal signatures say that equal values were
// signed; members that the writer does not know, or an empty `headers` that it leaves out, are not.
TEST(MessageVectors, written_again_they_have_the_same_signature) {
  std::size_t same_bytes = 0;
  std::size_t verified = 0;
  for (const json::value& vector : message_vectors().at("valid").as_array()) {
    SCOPED_TRACE(codec::text_of(vector, "name"));
    const Bytes packed = codec::bytes_of(vector, "msgpack_hex");
    const ReadMessage read(packed);
    const ByteView data = read.data;
    std::optional<OutgoingData> outgoing;
    if (read.reader.has_data()) outgoing = {data.size(), crypto::sha256(data)};

    Bytes again;
    if (const auto* request = std::get_if<StorageRequest>(&read.reader.message())) {
      again = whole(write_request(*request, outgoing, link_of_vectors(), alice_signs()), data);
    } else if (const auto* response = std::get_if<StorageResponse>(&read.reader.message())) {
      again = whole(write_response(*response, outgoing, link_of_vectors(), alice_signs()), data);
    } else {
      const auto& error = std::get<StorageError>(read.reader.message());
      again = write_error(Form::msgpack, error, link_of_vectors(), alice_signs());
    }
    const ReadMessage twice(again);
    ASSERT_TRUE(twice.result) << twice.result.error().detail;
    EXPECT_TRUE(twice.verified());
    EXPECT_EQ(twice.data, read.data);
    verified += twice.reader.digest() == read.reader.digest() ? 1 : 0;
    same_bytes += again == packed ? 1 : 0;
  }
  // Without headers, with headers in the answers, and the error: to the byte. Requests of the
  // vectors have data behind the timestamp, and six have an empty `headers`.
  EXPECT_EQ(verified, 10U);
  EXPECT_EQ(same_bytes, 6U);
}

}  // namespace
}  // namespace meshstow::protocol
