// Any bytes as HTTP requests to a whole service over a store in memory: each gets one response with
// a status that we give, CORS where apps ask, and what was acknowledged is there.
//
// The input is lines: "METHOD TARGET", then "Name: value" lines, an empty line, and a body to the
// end.
#include "http/server_for_fuzz.hpp"

namespace meshstow {
namespace {

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

}  // namespace
}  // namespace meshstow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  static http::ServerForFuzz* const server = new http::ServerForFuzz();
  std::string_view rest = base::as_text(ByteView(data, size));
  const std::string_view first = take_line(rest);
  const std::size_t space = first.find(' ');
  std::vector<http::HeaderField> headers{{"Host", "localhost:8181"}};
  // Half of the inputs show a token that covers everything, or they would never get far.
  if (size % 2 == 0) headers.push_back({"Authorization", server->bearer()});
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    headers.push_back({line.substr(0, colon), line.substr(colon + 2)});
  }
  http::Request request;
  request.method = first.substr(0, space);
  request.target = space == std::string_view::npos ? "/" : first.substr(space + 1);
  request.headers = headers;
  request.has_body = !rest.empty();
  if (size % 3 != 0) request.content_length = rest.size();
  server->ask(request, rest);
  return 0;
}
