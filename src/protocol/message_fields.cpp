#include "protocol/message_fields.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/limits.hpp"
#include "codec/hex.hpp"
#include "codec/iso8601.hpp"
#include "codec/json.hpp"

namespace meshstow::protocol {
namespace {

namespace json = boost::json;

// Reads members and remembers the first thing that is wrong.
class FieldReader {
 public:
  FieldReader(const json::object& members, bool whole) : members_(members), whole_(whole) {}

  // nullptr if absent; that is an error where `missing` is given and the message is whole.
  const json::value* find(std::string_view key, const char* missing = nullptr) {
    const json::value* found = members_.if_contains(key);
    if (found == nullptr && whole_ && missing != nullptr) wrong(missing);
    return found;
  }
  void text(std::string_view key, const char* missing, const char* not_text, std::string& out) {
    const json::value* found = find(key, missing);
    if (found == nullptr) return;
    if (!found->is_string()) return wrong(not_text);
    out.assign(found->get_string().data(), found->get_string().size());
  }
  void wrong(const char* detail) {
    if (error_ == nullptr) error_ = detail;
  }
  [[nodiscard]] const char* error() const { return error_; }
  [[nodiscard]] bool has(std::string_view key) const { return members_.contains(key); }
  // Nothing that `data` waits for is still to come.
  [[nodiscard]] bool ready(std::initializer_list<std::string_view> keys) const {
    return whole_ || std::all_of(keys.begin(), keys.end(), [&](auto key) { return has(key); });
  }

 private:
  const json::object& members_;
  bool whole_;
  const char* error_ = nullptr;
};

std::string_view text_of(const json::value& value) {
  return {value.get_string().data(), value.get_string().size()};
}

std::optional<std::string>* header_slot(Headers& headers, std::string_view name) {
  if (name == "Authorization") return &headers.authorization;
  if (name == "Content-Type") return &headers.content_type;
  if (name == "If-Match") return &headers.if_match;
  if (name == "If-None-Match") return &headers.if_none_match;
  if (name == "ETag") return &headers.etag;
  if (name == "Content-Length") return &headers.content_length;
  return nullptr;
}

void read_headers(FieldReader& fields, Headers& out) {
  const json::value* found = fields.find("headers");
  if (found == nullptr) return;
  if (!found->is_object()) return fields.wrong("headers is not a map");
  for (const auto& member : found->get_object()) {
    if (!member.value().is_string()) return fields.wrong("the value of a header is not text");
    if (auto* slot = header_slot(out, member.key())) *slot = std::string(text_of(member.value()));
  }
}

void read_version(FieldReader& fields) {
  const json::value* found = fields.find("version", "version is missing");
  if (found != nullptr && (!found->is_string() || text_of(*found) != kVersion)) {
    fields.wrong("version is not 1.0");
  }
}

void read_timestamp(FieldReader& fields, std::string& out) {
  fields.text("timestamp", "timestamp is missing", "timestamp is not text", out);
  if (fields.has("timestamp") && !codec::parse_iso8601(out)) {
    fields.wrong("timestamp is not of the form 2026-03-01T12:00:00.000001Z");
  }
}

void read_operation(FieldReader& fields, Operation& out) {
  constexpr const char* kNone = "operation is none of GET, PUT, DELETE";
  const json::value* found = fields.find("operation", "operation is missing");
  if (found == nullptr) return;
  if (!found->is_string()) return fields.wrong(kNone);
  for (const Operation each : {Operation::get, Operation::put, Operation::remove}) {
    if (text_of(*found) == to_text(each)) {
      out = each;
      return;
    }
  }
  fields.wrong(kNone);
}

std::optional<int> read_status(FieldReader& fields, const char* missing) {
  constexpr std::int64_t kLowest = 100;
  constexpr std::int64_t kHighest = 599;
  const json::value* found = fields.find("status", missing);
  if (found == nullptr) return std::nullopt;
  if (!found->is_int64() || found->get_int64() < kLowest || found->get_int64() > kHighest) {
    fields.wrong("status is not an integer from 100 to 599");
    return std::nullopt;
  }
  return static_cast<int>(found->get_int64());
}

AnyMessage read_request(FieldReader& fields) {
  StorageRequest out;
  read_version(fields);
  read_operation(fields, out.operation);
  fields.text("path", "path is missing", "path is not text", out.path);
  read_headers(fields, out.headers);
  read_timestamp(fields, out.timestamp);
  if (!fields.ready({"operation", "path", "headers"})) return {};
  return out;
}

AnyMessage read_response(FieldReader& fields) {
  StorageResponse out;
  read_version(fields);
  out.status = read_status(fields, "status is missing").value_or(out.status);
  read_headers(fields, out.headers);
  read_timestamp(fields, out.timestamp);
  if (!fields.ready({"status", "headers"})) return {};
  return out;
}

AnyMessage read_error(FieldReader& fields) {
  StorageError out;
  std::string code;
  fields.text("code", "code is missing", "code is not text", code);
  if (fields.has("code")) {
    const auto known = store_code(code);
    if (!known) fields.wrong("code is none of STORE001 to STORE005");
    out.code = known.value_or(StoreCode::invalid_data);
  }
  fields.text("message", "message is missing", "message is not text", out.message);
  fields.text("path", "path is missing", "path is not text", out.path);
  out.status = read_status(fields, nullptr);
  read_timestamp(fields, out.timestamp);
  if (!fields.ready({"code"})) return {};
  return out;
}

json::object header_members(const Headers& headers) {
  json::object out;
  const auto add = [&](std::string_view name, const std::optional<std::string>& value) {
    if (value) out.emplace(name, *value);
  };
  add("Authorization", headers.authorization);
  add("Content-Type", headers.content_type);
  add("If-Match", headers.if_match);
  add("If-None-Match", headers.if_none_match);
  add("ETag", headers.etag);
  add("Content-Length", headers.content_length);
  return out;
}

// Headers stand before data even if there are none, so that a reader need not hold the data.
void add_headers(json::object& members, const Headers& headers, bool with_data) {
  json::object out = header_members(headers);
  if (with_data || !out.empty()) members.emplace("headers", std::move(out));
}

}  // namespace

Result<AnyMessage> interpret(const json::object& members, bool whole) {
  FieldReader fields(members, whole);
  AnyMessage out;
  if (const json::value* type = fields.find("type", "type is missing")) {
    const std::string_view name = type->is_string() ? text_of(*type) : std::string_view();
    if (name == "storage_request") {
      out = read_request(fields);
    } else if (name == "storage_response") {
      out = read_response(fields);
    } else if (name == "storage_error") {
      out = read_error(fields);
    } else {
      fields.wrong(name == "sync_request" ? "sync_request is not served here"
                                          : "type is not that of a storage message");
    }
  }
  if (fields.error() != nullptr) return fail(Errc::malformed, fields.error());
  return out;
}

json::object members_before_data(const StorageRequest& request, bool with_data) {
  json::object out;
  out.emplace("type", "storage_request");
  out.emplace("version", kVersion);
  out.emplace("operation", to_text(request.operation));
  out.emplace("path", request.path);
  add_headers(out, request.headers, with_data);
  return out;
}

json::object members_before_data(const StorageResponse& response, bool with_data) {
  json::object out;
  out.emplace("type", "storage_response");
  out.emplace("version", kVersion);
  out.emplace("status", response.status);
  add_headers(out, response.headers, with_data);
  return out;
}

json::object members_of(const StorageError& error) {
  json::object out;
  out.emplace("type", "storage_error");
  out.emplace("code", to_text(error.code));
  out.emplace("message", error.message);
  out.emplace("path", error.path.size() <= limits::kErrorPath ? error.path : std::string());
  if (error.status) out.emplace("status", *error.status);
  out.emplace("timestamp", error.timestamp);
  return out;
}

std::string canonical_message(json::object members, const std::optional<Hash32>& data) {
  if (data) members["data"] = codec::to_hex(*data);
  return codec::canonical_json(members);
}

Bytes signed_bytes(const LinkId& link, std::string_view canonical) {
  return base::concat({link.view(), base::as_bytes(canonical)});
}

}  // namespace meshstow::protocol
