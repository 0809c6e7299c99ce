// protocol/messages_for_test.hpp: the vectors' key and link, and short ways to read a message.
#pragma once

#include "codec/msgpack.hpp"
#include "codec/vectors_for_test.hpp"
#include "crypto/keys.hpp"
#include "protocol/message_reader.hpp"

namespace meshstow::protocol {

inline const boost::json::object& message_vectors() {
  static const boost::json::object all = codec::vectors("storage-message-vectors.json");
  return all;
}

inline const crypto::Ed25519Key& alice() {
  static const crypto::Ed25519Key key(
      crypto::Secret32(codec::bytes_of(message_vectors().at("key"), "ed25519_seed_hex")));
  return key;
}

inline Signer alice_signs() {
  return [](ByteView bytes) { return alice().sign(bytes); };
}

inline LinkId link_of_vectors() {
  return *LinkId::from(codec::bytes_of(boost::json::value(message_vectors()), "link_id_hex"));
}

inline Bytes packed_string(std::string_view text) {
  return codec::MsgpackWriter().string(text).take();
}

inline Bytes packed_binary(std::string_view text) {
  return codec::MsgpackWriter().binary(base::as_bytes(text)).take();
}

// A message that was fed in pieces of `step` bytes.
struct ReadMessage {
  Bytes data;
  MessageReader reader;
  Result<void> result;

  explicit ReadMessage(ByteView packed, std::size_t step = SIZE_MAX)
      : reader([this](ByteView piece) -> Result<void> {
          base::append(data, piece);
          return {};
        }) {
    while (result && !packed.empty()) {
      const ByteView piece = packed.first(std::min(step, packed.size()));
      result = reader.feed(piece);
      packed = packed.subspan(piece.size());
    }
    if (result) result = reader.finish();
  }
  ReadMessage(const ReadMessage&) = delete;
  ReadMessage& operator=(const ReadMessage&) = delete;

  [[nodiscard]] Result<void> verified() const {
    return reader.verify(link_of_vectors(), alice().public_key());
  }
};

inline Bytes whole(const OutgoingMessage& message, ByteView data = {}) {
  return base::concat({message.head, data, message.tail});
}

}  // namespace meshstow::protocol
