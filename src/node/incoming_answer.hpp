// node/incoming_answer.hpp: reads one answer of another node, and opens its data if they are
// sealed.
//
// Folder descriptions that are no envelope are passed on as they are: a plain storage node seals
// nothing. A document of a secret category that is none is refused.
#pragma once

#include <optional>

#include "access/storage_encryption.hpp"
#include "protocol/message_reader.hpp"

namespace meshstow::node {

class IncomingAnswer {
 public:
  // `keys` outlives it.
  IncomingAnswer(const access::KeyRing& keys, const StoragePath& path);
  IncomingAnswer(const IncomingAnswer&) = delete;
  IncomingAnswer& operator=(const IncomingAnswer&) = delete;

  // Appends to `body` what is readable. Errc::denied, Errc::corrupt: the seal; else the message.
  [[nodiscard]] Result<void> take(ByteView piece, Bytes& body);
  [[nodiscard]] Result<void> end(Bytes& body);
  [[nodiscard]] const protocol::MessageReader& reader() const { return reader_; }
  // After end(): as readable, and as it was sent (longer, if it was sealed).
  [[nodiscard]] std::uint64_t body_size() const { return body_size_; }
  [[nodiscard]] std::uint64_t sent_size() const { return sent_size_; }

 private:
  [[nodiscard]] Result<void> take_data(ByteView piece);
  [[nodiscard]] Result<void> look(bool all);
  void hand_out(Bytes& body);

  enum class Look { undecided, plain, sealed };
  const access::KeyRing& keys_;
  StoragePath path_;
  Look look_;
  Bytes first_;  // until it is known what they are
  std::optional<access::EnvelopeOpener> opener_;
  Bytes body_;
  std::uint64_t body_size_ = 0;
  std::uint64_t sent_size_ = 0;
  protocol::MessageReader reader_;
};

}  // namespace meshstow::node
