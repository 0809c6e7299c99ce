// Any bytes as the query of WebFinger, and as a redirect address: an answer, and only http(s)
// origins.
#include "http/origin.hpp"
#include "http/server_for_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  static http::ServerForFuzz* const server = new http::ServerForFuzz();
  const std::string text = base::to_string(ByteView(data, size));
  const std::vector<http::HeaderField> headers{{"Host", "localhost:8181"}};
  const std::string target = "/.well-known/webfinger?" + text;
  http::Request request;
  request.method = "GET";
  request.target = target;
  request.headers = headers;
  const int status = server->ask(request, {});
  MESHSTOW_CHECK(status == 200 || status == 400 || status == 404 || status == 414);
  if (const auto redirect = http::parse_redirect_address(text)) {
    MESHSTOW_CHECK(redirect->origin.starts_with("http://") ||
                   redirect->origin.starts_with("https://"));
    MESHSTOW_CHECK(redirect->origin.find('@') == std::string::npos);
    MESHSTOW_CHECK(redirect->location.starts_with(redirect->origin));
    // What is shown names one host, however often it is read.
    MESHSTOW_CHECK(http::origin_of_url(redirect->location) == redirect->origin);
  }
  http::Endpoint endpoint;
  endpoint.port = 8181;
  endpoint.host = "localhost";
  const auto match = http::match_host(endpoint, text);
  MESHSTOW_CHECK(match.kind != http::HostMatch::Kind::storage || match.name == "localhost");
  return 0;
}
