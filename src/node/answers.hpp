// node/answers.hpp: the words of refusals and the bytes of answers.
// Source: design.md 5 (codes and statuses), docs/PROTOCOL.md.
#pragma once

#include "node/server_context.hpp"
#include "protocol/message_reader.hpp"
#include "protocol/messages.hpp"
#include "storage/types.hpp"

namespace meshstow::node {

// Why a request is not done. `message` never holds a path: the error has the asker's own in `path`.
struct Refused {
  protocol::StoreCode code = protocol::StoreCode::invalid_data;
  int status = 400;
  std::string message;
};

Refused invalid(std::string message);
Refused too_large(std::string message);
Refused busy(std::string message);  // it passes: ask again later
Refused refused_by_reader(const Error& error);
Refused refused_by_store(const storage::Failure& failure);
Refused refused_access(const access::Decision& decision, bool identified);

// Whom an answer goes to and in which form.
struct Asker {
  reticulum::LinkId link;
  reticulum::RequestId request;
  protocol::Form form = protocol::Form::msgpack;
};

// Makes signed answers of one node.
class AnswerWriter {
 public:
  explicit AnswerWriter(const reticulum::Identity& device);

  [[nodiscard]] Bytes refusal(Now now, const Asker& asker, const Refused& why,
                              std::string_view path) const;
  // What was answered before, to the same question in another form. nullopt: not ours.
  [[nodiscard]] std::optional<Bytes> in_form_of(const Asker& asker, ByteView answer) const;
  // A whole answer.
  [[nodiscard]] Bytes response(Now now, const Asker& asker, protocol::StorageResponse response,
                               const std::optional<ByteView>& data) const;
  // What stands around data that are too large to hold (MessagePack).
  [[nodiscard]] protocol::OutgoingMessage around(Now now, const Asker& asker,
                                                 protocol::StorageResponse response,
                                                 const protocol::OutgoingData& data) const;

 private:
  [[nodiscard]] Bytes write(const Asker& asker, const protocol::StorageResponse& response,
                            const std::optional<ByteView>& data) const;
  protocol::Signer signer_;
};

}  // namespace meshstow::node
