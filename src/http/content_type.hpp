// http/content_type.hpp: what a browser is told about the bytes that somebody stored. Internal to
// src/http.
//
// Types are stored and listed as they were given, and what does not parse means whatever a browser
// makes of it. So whether it parses is decided here, once, for every answer with stored bytes.
#pragma once

#include <string_view>

#include "http/message.hpp"

namespace meshstow::http {

// A media type with parameters (RFC 9110 8.3.1), that no browser takes for several documents.
[[nodiscard]] bool is_safe_content_type(std::string_view type);

// What GET, HEAD and ranges send for a stored type: itself, or application/octet-stream.
[[nodiscard]] std::string_view sent_content_type(std::string_view stored);

// Browsers show no PDF in a sandbox, and its scripts do not reach the page: the type alone, without
// parameters, may do without.
[[nodiscard]] bool needs_sandbox(std::string_view stored);

// An origin of nobody, without scripts: for whatever holds something that was stored or sent to us.
void add_sandbox(HeaderBlock& headers);

}  // namespace meshstow::http
