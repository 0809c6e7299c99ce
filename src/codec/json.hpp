// codec/json.hpp: JSON into Boost.JSON values with the rules of storage messages, and RFC 8785.
//
// `parse_strict_json` is for signed messages (facts/storage-message-vectors.json C3): it refuses a
// key given twice, null, any number with a fraction or exponent or outside +-(2^53 - 1), text that
// is not valid UTF-8 or holds unpaired surrogates, nesting beyond limits::kJsonDepth. All:
// Errc::malformed.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::codec {

[[nodiscard]] Result<boost::json::value> parse_strict_json(std::string_view text);

// RFC 8785: no white space, keys in UTF-16 code unit order, minimal escapes. Integers only.
std::string canonical_json(const boost::json::value& value);

// The next MessagePack value under the same rules (text keys, no nil, float, bin, ext).
[[nodiscard]] Result<boost::json::value> json_from_msgpack(class MsgpackReader& reader);
void msgpack_from_json(class MsgpackWriter& writer, const boost::json::value& value);

}  // namespace meshstow::codec
