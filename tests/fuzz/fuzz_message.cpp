// Any bytes as a storage message: how they are cut changes nothing, and what is accepted says the
// same, and verifies, when it is written again.
//
// The first byte chooses the cuts.
#include "base/check.hpp"
#include "crypto/hash.hpp"
#include "protocol/message_reader.hpp"

namespace meshstow {
namespace {

using protocol::Form;
using protocol::MessageReader;

struct Outcome {
  Bytes data;
  MessageReader reader;
  Result<void> result;

  // Pieces of `step` bytes; 0: of 1, 2, 3, ... bytes.
  Outcome(ByteView input, std::size_t step)
      : reader([this](ByteView piece) -> Result<void> {
          MESHSTOW_CHECK(!piece.empty() && reader.has_data());
          base::append(data, piece);
          return {};
        }) {
    for (std::size_t next = 1; result && !input.empty(); ++next) {
      const ByteView piece = input.first(std::min(step == 0 ? next : step, input.size()));
      result = reader.feed(piece);
      input = input.subspan(piece.size());
    }
    if (result) result = reader.finish();
  }
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;
};

void check_equal(const Outcome& a, const Outcome& b) {
  MESHSTOW_CHECK(a.result.has_value() == b.result.has_value());
  MESHSTOW_CHECK(a.reader.form() == b.reader.form());
  if (!a.result) {
    MESHSTOW_CHECK(a.result.error() == b.result.error());
    return;
  }
  MESHSTOW_CHECK(a.data == b.data && a.reader.has_data() == b.reader.has_data());
  MESHSTOW_CHECK(a.reader.digest() == b.reader.digest());
  MESHSTOW_CHECK(a.reader.message().index() == b.reader.message().index());
}

const crypto::Ed25519Key& key() {
  static const crypto::Ed25519Key made(crypto::Secret32(Bytes(32, 7)));
  return made;
}

template <class Message>
Bytes write(Form form, const Message& message, const std::optional<ByteView>& data,
            const protocol::LinkId& link, const protocol::Signer& signer) {
  constexpr bool kIsRequest = std::is_same_v<Message, protocol::StorageRequest>;
  if (form != Form::msgpack) {
    if constexpr (kIsRequest) return write_request_json(form, message, data, link, signer);
    if constexpr (!kIsRequest) return write_response_json(form, message, data, link, signer);
  }
  std::optional<protocol::OutgoingData> outgoing;
  if (data) outgoing = protocol::OutgoingData{data->size(), crypto::sha256(*data)};
  protocol::OutgoingMessage out;
  if constexpr (kIsRequest) out = write_request(message, outgoing, link, signer);
  if constexpr (!kIsRequest) out = write_response(message, outgoing, link, signer);
  return base::concat({out.head, data.value_or(ByteView()), out.tail});
}

Bytes write(Form form, const protocol::StorageError& message, const std::optional<ByteView>&,
            const protocol::LinkId& link, const protocol::Signer& signer) {
  return write_error(form, message, link, signer);
}

Bytes write(Form, std::monostate, const std::optional<ByteView>&, const protocol::LinkId&,
            const protocol::Signer&) {
  base::check_failed("an accepted message has a type", __FILE__, __LINE__);
}

void check_rewritten(const Outcome& read) {
  const protocol::LinkId link{};
  const auto signer = [](ByteView bytes) { return key().sign(bytes); };
  std::optional<ByteView> data;
  if (read.reader.has_data()) data = ByteView(read.data);
  std::optional<Hash32> digest;
  for (const Form form : {Form::msgpack, Form::json_string, Form::json_binary}) {
    const Bytes again =
        std::visit([&](const auto& message) { return write(form, message, data, link, signer); },
                   read.reader.message());
    const Outcome twice(again, 7);
    MESHSTOW_CHECK(twice.result && twice.reader.form() == form);
    MESHSTOW_CHECK(twice.reader.verify(link, key().public_key()).has_value());
    MESHSTOW_CHECK(twice.reader.message().index() == read.reader.message().index());
    const bool is_error = std::holds_alternative<protocol::StorageError>(read.reader.message());
    MESHSTOW_CHECK(is_error || twice.data == read.data);
    MESHSTOW_CHECK(digest.value_or(twice.reader.digest()) == twice.reader.digest());
    digest = twice.reader.digest();
  }
}

}  // namespace
}  // namespace meshstow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using meshstow::Outcome;
  if (size == 0) return 0;
  const meshstow::ByteView input(bytes + 1, size - 1);
  const Outcome whole(input, SIZE_MAX);
  const Outcome cut(input, bytes[0]);
  meshstow::check_equal(whole, cut);
  if (whole.result) meshstow::check_rewritten(whole);
  return 0;
}
