#include <boost/json.hpp>
#include <limits>

#include "base/check.hpp"
#include "codec/base64.hpp"
#include "codec/hex.hpp"
#include "codec/json.hpp"
#include "codec/msgpack.hpp"
#include "crypto/hash.hpp"
#include "protocol/message_fields.hpp"

namespace meshstow::protocol {
namespace {

namespace json = boost::json;

std::optional<Signature> sign(const json::object& members, const std::optional<Hash32>& data,
                              const LinkId& link, const Signer& signer) {
  if (!signer) return std::nullopt;
  return signer(signed_bytes(link, canonical_message(members, data)));
}

void write_member(codec::MsgpackWriter& writer, const json::key_value_pair& member) {
  writer.string(member.key());
  codec::msgpack_from_json(writer, member.value());
}

// What is sent in MessagePack: `before` (data) `after` (signature).
OutgoingMessage write_msgpack(const json::object& before, const json::object& after,
                              const std::optional<OutgoingData>& data,
                              const std::optional<Signature>& signature) {
  const std::size_t count = before.size() + after.size() + (data ? 1 : 0) + (signature ? 1 : 0);
  codec::MsgpackWriter head;
  head.map(static_cast<std::uint32_t>(count));
  for (const auto& member : before) write_member(head, member);
  codec::MsgpackWriter tail;
  codec::MsgpackWriter& rest = data ? tail : head;
  if (data) {
    MESHSTOW_CHECK(data->size <= kMaxMessageData);
    head.string("data").binary_header(static_cast<std::uint32_t>(data->size));
  }
  for (const auto& member : after) write_member(rest, member);
  if (signature) rest.string("signature").binary(signature->view());
  return {.head = head.take(), .tail = tail.take()};
}

Bytes write_json(Form form, json::object members, const json::object& after,
                 const std::optional<ByteView>& data, const std::optional<Signature>& signature) {
  if (data) members.emplace("data", codec::to_base64(*data));
  for (const auto& member : after) members.emplace(member.key(), member.value());
  if (signature) members.emplace("signature", codec::to_hex(*signature));
  const std::string text = json::serialize(members);
  codec::MsgpackWriter writer;
  if (form == Form::json_string) {
    writer.string(text);
  } else {
    writer.binary(base::as_bytes(text));
  }
  return writer.take();
}

json::object timestamp_member(const std::string& timestamp) {
  json::object out;
  out.emplace("timestamp", timestamp);
  return out;
}

json::object joined(json::object members, const json::object& after) {
  for (const auto& member : after) members.emplace(member.key(), member.value());
  return members;
}

template <class Message>
OutgoingMessage write_map(const Message& message, const std::optional<OutgoingData>& data,
                          const LinkId& link, const Signer& signer) {
  const json::object before = members_before_data(message, data.has_value());
  const json::object after = timestamp_member(message.timestamp);
  const auto hash = data ? std::optional(data->sha256) : std::nullopt;
  return write_msgpack(before, after, data, sign(joined(before, after), hash, link, signer));
}

template <class Message>
Bytes write_text(Form form, const Message& message, const std::optional<ByteView>& data,
                 const LinkId& link, const Signer& signer) {
  MESHSTOW_CHECK(form != Form::msgpack);
  json::object before = members_before_data(message, data.has_value());
  const json::object after = timestamp_member(message.timestamp);
  const auto hash = data ? std::optional(crypto::sha256(*data)) : std::nullopt;
  const auto signature = sign(joined(before, after), hash, link, signer);
  return write_json(form, std::move(before), after, data, signature);
}

}  // namespace

OutgoingMessage write_request(const StorageRequest& request,
                              const std::optional<OutgoingData>& data, const LinkId& link,
                              const Signer& signer) {
  return write_map(request, data, link, signer);
}

Bytes write_request_json(Form form, const StorageRequest& request,
                         const std::optional<ByteView>& data, const LinkId& link,
                         const Signer& signer) {
  return write_text(form, request, data, link, signer);
}

OutgoingMessage write_response(const StorageResponse& response,
                               const std::optional<OutgoingData>& data, const LinkId& link,
                               const Signer& signer) {
  return write_map(response, data, link, signer);
}

Bytes write_response_json(Form form, const StorageResponse& response,
                          const std::optional<ByteView>& data, const LinkId& link,
                          const Signer& signer) {
  return write_text(form, response, data, link, signer);
}

Bytes write_error(Form form, const StorageError& error, const LinkId& link, const Signer& signer) {
  json::object members = members_of(error);
  const auto signature = sign(members, std::nullopt, link, signer);
  if (form != Form::msgpack) return write_json(form, std::move(members), {}, {}, signature);
  return write_msgpack(members, {}, {}, signature).head;
}

}  // namespace meshstow::protocol
