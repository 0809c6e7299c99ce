// http/replies.hpp: the answers that many routes give. Internal to src/http.
#pragma once

#include <string>
#include <string_view>

#include "http/core.hpp"
#include "http/message.hpp"
#include "storage/types.hpp"

namespace meshstow::http {

// CORS for apps; nothing for the dashboard.
void add_context_headers(HeaderBlock& headers, const Context& context);

// A short text for people. `close`: the rest of the request's body is not wanted.
Reply error_reply(const Context& context, int status, std::string_view message);
Reply method_not_allowed(const Context& context, std::string_view allowed);
// 503 with Retry-After: it passes.
Reply busy_reply(const Context& context, std::string_view message);
Reply too_many_requests(const Context& context, std::chrono::seconds retry_after);
// 401 or 403 with WWW-Authenticate (RFC 6750 3).
Reply denied_reply(const Context& context, access::Verdict verdict, bool token_shown);
// `is_write`: a not_modified is then a failed precondition.
Reply failure_reply(const Context& context, const storage::Failure& failure, bool is_write);
Reply json_reply(const Context& context, int status, std::string json,
                 std::string_view type = "application/json");
Reply redirect_reply(int status, std::string_view location);

// Headers of our own pages: no script but ours, no frame around them, no referrer to others. What
// they hold is not private: whoever knows the address gets it. Private things come by signed calls.
Reply page_reply(const Context& context, int status, std::string html);

// If-None-Match names this tag: what the client has is what it would get.
[[nodiscard]] bool has_already(const Request& request, const storage::ETag& tag);

// "no-cache", and "no-cache, public" below /public/ (C6).
std::string_view cache_control(const StoragePath& path);

}  // namespace meshstow::http
