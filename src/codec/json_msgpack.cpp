#include <boost/json/value.hpp>

#include "codec/json.hpp"
#include "codec/json_builder.hpp"
#include "codec/msgpack.hpp"

namespace meshstow::codec {
namespace {

bool add_scalar(JsonBuilder& builder, const MsgpackToken& token) {
  switch (token.type) {
    case MsgpackType::boolean: return builder.boolean(token.boolean);
    case MsgpackType::string: return builder.string(base::as_text(token.bytes));
    case MsgpackType::integer:
      return token.above_int64 ? builder.refuse("integer out of range")
                               : builder.integer(token.integer);
    case MsgpackType::nil: return builder.refuse("nil is no value");
    case MsgpackType::float64: return builder.refuse("float is no value");
    case MsgpackType::binary: return builder.refuse("byte string is no value here");
    default: return builder.refuse("extension is no value");
  }
}

bool add_token(JsonBuilder& builder, const MsgpackToken& token) {
  if (builder.expects_key()) {
    if (token.type != MsgpackType::string) return builder.refuse("key is not text");
    return builder.key(base::as_text(token.bytes));
  }
  if (token.type == MsgpackType::map) return builder.begin_object();
  if (token.type == MsgpackType::array) return builder.begin_array();
  return add_scalar(builder, token);
}

// Tokens that must follow for the container that `token` opens; 0 for a scalar.
std::uint64_t tokens_due(const MsgpackToken& token) {
  if (token.type == MsgpackType::map) return 2ULL * token.count;
  return token.type == MsgpackType::array ? token.count : 0;
}

bool is_container(const MsgpackToken& token) {
  return token.type == MsgpackType::map || token.type == MsgpackType::array;
}

}  // namespace

Result<boost::json::value> json_from_msgpack(MsgpackReader& reader) {
  JsonBuilder builder;
  std::vector<std::uint64_t> due;  // in each open container
  while (!builder.done()) {
    const auto token = reader.next();
    if (!token) return fail(token.error());
    if (!due.empty()) --due.back();
    bool accepted = add_token(builder, *token);
    if (accepted && is_container(*token)) due.push_back(tokens_due(*token));
    while (accepted && !due.empty() && due.back() == 0) {
      due.pop_back();
      accepted = builder.end();
    }
    if (!accepted) return fail(Errc::malformed, builder.refusal());
  }
  return builder.take();
}

// Recursion is as deep as the value.
void msgpack_from_json(MsgpackWriter& writer, const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::object:
      writer.map(static_cast<std::uint32_t>(value.get_object().size()));
      for (const auto& member : value.get_object()) {
        writer.string(member.key());
        msgpack_from_json(writer, member.value());
      }
      return;
    case boost::json::kind::array:
      writer.array(static_cast<std::uint32_t>(value.get_array().size()));
      for (const auto& element : value.get_array()) msgpack_from_json(writer, element);
      return;
    case boost::json::kind::string: writer.string(value.get_string()); return;
    case boost::json::kind::int64: writer.integer(value.get_int64()); return;
    case boost::json::kind::uint64: writer.unsigned_integer(value.get_uint64()); return;
    case boost::json::kind::bool_: writer.boolean(value.get_bool()); return;
    case boost::json::kind::double_: writer.float64(value.get_double()); return;
    case boost::json::kind::null: writer.nil(); return;
  }
}

}  // namespace meshstow::codec
