// http/webfinger.hpp: discovery (RFC 7033; remotestorage-http.md 1.1).
#pragma once

#include <string>

#include "http/core.hpp"

namespace meshstow::http {

inline constexpr std::string_view kSpecVersion = "draft-dejong-remotestorage-26";
// Ours, beside the properties of the draft: docs/HTTP.md "Extensions".
inline constexpr std::string_view kEventsProperty = "urn:meshstow:event-stream";
inline constexpr std::string_view kQuotaProperty = "urn:meshstow:quota";

Reply webfinger_reply(const Core& core, const Context& context, std::string_view query);

}  // namespace meshstow::http
