#include "http/cors.hpp"

namespace meshstow::http {

void add_cors(HeaderBlock& headers, std::string_view origin) {
  headers.add("Access-Control-Allow-Origin", origin.empty() ? "*" : origin);
  headers.add("Access-Control-Expose-Headers",
              "ETag, Content-Type, Content-Length, Content-Range, Accept-Ranges, Last-Modified, "
              "Retry-After, WWW-Authenticate");
  headers.add("Vary", "Origin");
}

Reply preflight_reply(const Request& request, std::string_view methods) {
  Reply reply;
  reply.head.status = 204;
  reply.head.framing = Framing::none;
  HeaderBlock& headers = reply.head.headers;
  add_cors(headers, request.header("Origin").value_or(""));
  headers.add("Access-Control-Allow-Methods", methods);
  headers.add(
      "Access-Control-Allow-Headers",
      "Authorization, Content-Type, Content-Length, Origin, If-Match, If-None-Match, If-Range, "
      "Range, X-Requested-With, Accept, Cache-Control, Last-Event-ID");
  if (request.header("Access-Control-Request-Private-Network") == "true") {
    headers.add("Access-Control-Allow-Private-Network", "true");
  }
  headers.add("Access-Control-Max-Age", "7200");
  headers.add("Allow", std::string(methods) + ", OPTIONS");
  return reply;
}

}  // namespace meshstow::http
