// Any bytes as a Bearer token: never accepted, unless it is the one that was given out.
#include "http/server_for_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  static http::ServerForFuzz* const server = new http::ServerForFuzz();
  const std::string authorization = "Bearer " + base::to_string(ByteView(data, size));
  const std::vector<http::HeaderField> headers{{"Host", "localhost:8181"},
                                               {"Authorization", authorization}};
  http::Request request;
  request.method = "GET";
  request.target = "/storage/me/notes/";
  request.headers = headers;
  const int status = server->ask(request, {});
  MESHSTOW_CHECK(status == 401 || status == 429 || authorization == server->bearer());
  return 0;
}
