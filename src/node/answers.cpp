#include "node/answers.hpp"

#include "codec/iso8601.hpp"
#include "crypto/hash.hpp"

namespace meshstow::node {

using protocol::StoreCode;
using storage::Refusal;

Refused invalid(std::string message) { return {StoreCode::invalid_data, 400, std::move(message)}; }

Refused too_large(std::string message) {
  return {StoreCode::invalid_data, 413, std::move(message)};
}

Refused busy(std::string message) { return {StoreCode::storage_full, 503, std::move(message)}; }

Refused refused_by_reader(const Error& error) {
  const std::string message = std::string("the message cannot be read: ") + error.detail;
  return error.code == Errc::limit ? too_large(message) : invalid(message);
}

Refused refused_by_store(const storage::Failure& failure) {
  const std::string detail = failure.detail;
  const auto with_detail = [&](const std::string& text) {
    return detail.empty() ? text : text + ": " + detail;
  };
  switch (failure.refusal) {
    case Refusal::not_found: return {StoreCode::path_not_found, 404, "no such document"};
    case Refusal::precondition_failed:
      return {StoreCode::sync_conflict, 412,
              failure.current
                  ? "the condition does not hold; the current ETag is " + failure.current->quoted()
                  : "the condition does not hold; there is no such document"};
    case Refusal::name_clash:
      return {StoreCode::sync_conflict, 409, "a document and a folder cannot have one name"};
    case Refusal::full: return {StoreCode::storage_full, 507, with_detail("storage is full")};
    case Refusal::too_large: return too_large(with_detail("the document is too large"));
    case Refusal::malformed: return invalid(with_detail("the store cannot take this"));
    case Refusal::corrupt:
      return {StoreCode::invalid_data, 500, "the stored document is damaged and is not served"};
    // Answered as an error only where a condition is a command, not a question.
    case Refusal::not_modified: return {StoreCode::sync_conflict, 412, "not modified"};
    case Refusal::unavailable: break;
  }
  return busy(with_detail("the store is not available now"));
}

Refused refused_access(const access::Decision& decision, bool identified) {
  if (!identified) {
    return {StoreCode::access_denied, 401,
            "identify on this link first: without it only documents under /public/ can be read"};
  }
  const int status = decision.verdict == access::Verdict::unauthenticated ? 401 : 403;
  return {StoreCode::access_denied, status, decision.reason};
}

AnswerWriter::AnswerWriter(const reticulum::Identity& device)
    : signer_([&device](ByteView message) { return device.sign(message); }) {}

Bytes AnswerWriter::refusal(Now now, const Asker& asker, const Refused& why,
                            std::string_view path) const {
  protocol::StorageError error;
  error.code = why.code;
  error.status = why.status;
  error.message = why.message;
  error.path = std::string(path);
  error.timestamp = codec::format_iso8601(now.wall);
  return protocol::write_error(asker.form, error, asker.link, signer_);
}

std::optional<Bytes> AnswerWriter::in_form_of(const Asker& asker, ByteView answer) const {
  Bytes data;
  protocol::MessageReader reader([&](ByteView piece) {
    base::append(data, piece);
    return Result<void>();
  });
  if (!reader.feed(answer) || !reader.finish()) return std::nullopt;
  if (const auto* error = std::get_if<protocol::StorageError>(&reader.message())) {
    return protocol::write_error(asker.form, *error, asker.link, signer_);
  }
  const auto* response = std::get_if<protocol::StorageResponse>(&reader.message());
  if (response == nullptr) return std::nullopt;
  return write(asker, *response, reader.has_data() ? std::optional<ByteView>(data) : std::nullopt);
}

Bytes AnswerWriter::response(Now now, const Asker& asker, protocol::StorageResponse response,
                             const std::optional<ByteView>& data) const {
  response.timestamp = codec::format_iso8601(now.wall);
  return write(asker, response, data);
}

Bytes AnswerWriter::write(const Asker& asker, const protocol::StorageResponse& response,
                          const std::optional<ByteView>& data) const {
  if (asker.form != protocol::Form::msgpack) {
    return protocol::write_response_json(asker.form, response, data, asker.link, signer_);
  }
  std::optional<protocol::OutgoingData> outgoing;
  if (data) outgoing = {.size = data->size(), .sha256 = crypto::sha256(*data)};
  const auto message = protocol::write_response(response, outgoing, asker.link, signer_);
  return base::concat({message.head, data.value_or(ByteView()), message.tail});
}

protocol::OutgoingMessage AnswerWriter::around(Now now, const Asker& asker,
                                               protocol::StorageResponse response,
                                               const protocol::OutgoingData& data) const {
  response.timestamp = codec::format_iso8601(now.wall);
  return protocol::write_response(response, data, asker.link, signer_);
}

}  // namespace meshstow::node
