#include <algorithm>
#include <boost/json/value.hpp>

#include "base/check.hpp"
#include "codec/json.hpp"

namespace meshstow::codec {
namespace {

// Bytes of UTF-8 in an order that makes whole strings compare as their UTF-16 code units do: only
// U+E000 to U+FFFF (lead bytes EE and EF) and what lies above (F0 to F4) change places, because the
// latter are written with surrogates, which are smaller.
unsigned utf16_rank(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0xee || byte == 0xef ? byte + 0x10U : byte;
}

bool before_in_utf16(std::string_view a, std::string_view b) {
  return std::ranges::lexicographical_compare(a, b, {}, utf16_rank, utf16_rank);
}

void append_string(std::string& out, std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\f': out += "\\f"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += {kDigits[static_cast<unsigned>(c) >> 4], kDigits[static_cast<unsigned>(c) & 15]};
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_value(std::string& out, const boost::json::value& value);

void append_object(std::string& out, const boost::json::object& object) {
  std::vector<const boost::json::key_value_pair*> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  std::ranges::sort(members, before_in_utf16,
                    [](const auto* member) { return std::string_view(member->key()); });
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) out += ',';
    append_string(out, member->key());
    out += ':';
    append_value(out, member->value());
  }
  out += '}';
}

void append_array(std::string& out, const boost::json::array& array) {
  out += '[';
  for (const auto& element : array) {
    if (&element != array.data()) out += ',';
    append_value(out, element);
  }
  out += ']';
}

// Recursion is as deep as the value, and values are at most limits::kJsonDepth deep.
void append_value(std::string& out, const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::object: return append_object(out, value.get_object());
    case boost::json::kind::array: return append_array(out, value.get_array());
    case boost::json::kind::string: return append_string(out, value.get_string());
    case boost::json::kind::int64: out += std::to_string(value.get_int64()); return;
    case boost::json::kind::uint64: out += std::to_string(value.get_uint64()); return;
    case boost::json::kind::bool_: out += value.get_bool() ? "true" : "false"; return;
    case boost::json::kind::null: out += "null"; return;
    case boost::json::kind::double_: break;
  }
  MESHSTOW_CHECK(!"a float has no place in a signed message");
}

}  // namespace

std::string canonical_json(const boost::json::value& value) {
  std::string out;
  append_value(out, value);
  return out;
}

}  // namespace meshstow::codec
