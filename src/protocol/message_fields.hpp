// protocol/message_fields.hpp: members of a message to values and back, and the bytes that are
// signed. Internal to src/protocol.
#pragma once

#include <boost/json/object.hpp>

#include "protocol/messages.hpp"

namespace meshstow::protocol {

// `members` is the message without `data` and `signature`. With `whole` every member that the type
// needs must be there; without, `data` is about to come and the members that it waits for must be.
// Errc::malformed, with a detail that names what is wrong. monostate: not yet enough (not `whole`
// only).
[[nodiscard]] Result<AnyMessage> interpret(const boost::json::object& members, bool whole);

// In the order in which they are sent, without `data` and what follows it.
boost::json::object members_before_data(const StorageRequest& request, bool with_data);
boost::json::object members_before_data(const StorageResponse& response, bool with_data);
boost::json::object members_of(const StorageError& error);

// RFC 8785 form of the message without `signature` and with `data` as its hash (C1, C2, C6).
std::string canonical_message(boost::json::object members, const std::optional<Hash32>& data);
// C0: the link id in front.
Bytes signed_bytes(const LinkId& link, std::string_view canonical);

}  // namespace meshstow::protocol
