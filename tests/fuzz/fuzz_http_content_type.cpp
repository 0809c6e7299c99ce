// Any bytes as the content type of a document: what is sent is that, or a type of bytes without
// meaning; and what is sent as it is can be read in one way only.
#include <algorithm>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "http/content_type.hpp"

namespace meshstow::http {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

void check_safe(const std::string& type) {
  MESHSTOW_CHECK(std::ranges::none_of(type, is_control));
  // Nothing is left open that could swallow what comes after it, or be ended by it.
  MESHSTOW_CHECK(is_safe_content_type(type + "; a=\"b, c\""));
  MESHSTOW_CHECK(!is_safe_content_type(type + ", text/html"));
  MESHSTOW_CHECK(!is_safe_content_type(" " + type));
  HeaderBlock headers;
  headers.add("Content-Type", type);
  MESHSTOW_CHECK(headers.text() == "Content-Type: " + type + "\r\n");
}

}  // namespace
}  // namespace meshstow::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  const std::string type = base::to_string(ByteView(data, size));
  const std::string sent(http::sent_content_type(type));
  MESHSTOW_CHECK(sent == type || sent == "application/octet-stream");
  MESHSTOW_CHECK(http::is_safe_content_type(sent));
  MESHSTOW_CHECK(http::needs_sandbox(type) || http::is_safe_content_type(type));
  http::check_safe(sent);
  return 0;
}
