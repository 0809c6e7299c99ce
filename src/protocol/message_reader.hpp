// protocol/message_reader.hpp: reads one storage message from bytes that arrive in pieces.
//
// Feed the packed value as it comes. `data` of a MessagePack message is handed out as it passes,
// once the members before it are known. Held whole are `data` that stand before `path` or
// `headers`, up to limits::kDataBeforePath, and JSON messages, up to limits::kJsonMessage:
// held_bytes() says what to count. All else is bounded by limits::kMessageHead. Errc::malformed
// becomes STORE004 (400), Errc::limit STORE004 (413).
#pragma once

#include <memory>

#include "protocol/messages.hpp"

namespace meshstow::protocol {

// Gets `data` in order, never an empty piece. Return an error to stop. May be empty: data is only
// hashed.
using DataSink = std::function<Result<void>(ByteView piece)>;

class MessageReader {
 public:
  explicit MessageReader(DataSink sink);
  ~MessageReader();
  MessageReader(MessageReader&&) noexcept;

  [[nodiscard]] Result<void> feed(ByteView bytes);
  [[nodiscard]] Result<void> finish();  // after the last byte: is it whole, nothing after it?

  // The members that stand before `data`: set from the first call of the sink on, and after
  // finish().
  [[nodiscard]] const AnyMessage& message() const;
  // How to answer. What turns out to be neither a map nor JSON is answered with a map.
  [[nodiscard]] Form form() const;
  [[nodiscard]] bool has_data() const;
  // MessagePack: known when data begins. JSON: after finish().
  [[nodiscard]] std::optional<std::uint64_t> data_size() const;
  [[nodiscard]] std::size_t held_bytes() const;
  void forget();  // gives up: holds nothing any more, and nothing more may be fed

  // After finish(): Errc::denied if the signature is missing (where `required`) or wrong.
  [[nodiscard]] Result<void> verify(const LinkId& link, const crypto::Ed25519Public& sender,
                                    bool required = true) const;
  // SHA-256 of the canonical JSON of the whole message: equal for equal requests (answers are
  // remembered by it).
  [[nodiscard]] Hash32 digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::protocol
