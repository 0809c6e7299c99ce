// protocol/messages.hpp: storage_request, storage_response, storage_error: values, encodings,
// signature.
//
// Source: seed specification "Message Formats"; design.md 5; facts/storage-message-vectors.json (C0
// to C10), which rules. Large `data` is never held: writers give what stands before and after it,
// readers (message_reader.hpp) hand it out in pieces.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"

namespace meshstow::protocol {

inline constexpr std::string_view kRequestPath = "/storage";
inline constexpr std::string_view kVersion = "1.0";

using LinkId = Hash16;
using Signer = std::function<Signature(ByteView)>;

// How the question was put, and so the answer: a MessagePack map, or JSON text as str or bin.
enum class Form { msgpack, json_string, json_binary };

enum class Operation { get, put, remove };  // GET, PUT, DELETE
std::string_view to_text(Operation operation);

enum class StoreCode { path_not_found, access_denied, storage_full, invalid_data, sync_conflict };
std::string_view to_text(StoreCode code);  // "STORE001" to "STORE005"
[[nodiscard]] std::optional<StoreCode> store_code(std::string_view text);
int exit_code(StoreCode code);  // 11 to 15

struct Headers {  // absent or text; spelt as in design.md 5
  std::optional<std::string> authorization, content_type, if_match, if_none_match, etag,
      content_length;
  [[nodiscard]] std::string_view bearer_token() const;  // empty without one
};

struct StorageRequest {
  Operation operation = Operation::get;
  std::string path;
  Headers headers;
  std::string timestamp;
};
struct StorageResponse {
  int status = 200;
  Headers headers;
  std::string timestamp;
};
struct StorageError {
  StoreCode code = StoreCode::invalid_data;
  std::string message;
  std::string path;  // cut to nothing above limits::kErrorPath
  std::optional<int> status;
  std::string timestamp;
};

using AnyMessage = std::variant<std::monostate, StorageRequest, StorageResponse, StorageError>;

// What one MessagePack byte string can hold. A body above it does not travel in one message.
inline constexpr std::uint64_t kMaxMessageData = 0xffffffff;

// ---- Writing. The whole value is head | data (as sent) | tail; `tail` is empty without data.
// An empty `signer` leaves the signature out (unidentified links, errors).
struct OutgoingData {
  std::uint64_t size = 0;  // at most kMaxMessageData
  Hash32 sha256;
};
struct OutgoingMessage {
  Bytes head;
  Bytes tail;
};
// For Form::msgpack `data` follows as raw bytes. For the JSON forms it must be given whole.
OutgoingMessage write_request(const StorageRequest& request,
                              const std::optional<OutgoingData>& data, const LinkId& link,
                              const Signer& signer);  // MessagePack
Bytes write_request_json(Form form, const StorageRequest& request,
                         const std::optional<ByteView>& data, const LinkId& link,
                         const Signer& signer);
OutgoingMessage write_response(const StorageResponse& response,
                               const std::optional<OutgoingData>& data, const LinkId& link,
                               const Signer& signer);  // MessagePack
Bytes write_response_json(Form form, const StorageResponse& response,
                          const std::optional<ByteView>& data, const LinkId& link,
                          const Signer& signer);
Bytes write_error(Form form, const StorageError& error, const LinkId& link, const Signer& signer);

}  // namespace meshstow::protocol
