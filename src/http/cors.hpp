// http/cors.hpp: cross-origin headers of everything that apps use (remotestorage-http.md 1.8).
//
// The dashboard and its API carry none. Cookies are never an authority where these headers are
// sent, so that echoing the origin gives nothing away.
#pragma once

#include <string_view>

#include "http/message.hpp"

namespace meshstow::http {

void add_cors(HeaderBlock& headers, std::string_view origin);  // origin empty: "*"
// The answer to OPTIONS. `methods`: "GET, HEAD, PUT, DELETE".
Reply preflight_reply(const Request& request, std::string_view methods);

}  // namespace meshstow::http
