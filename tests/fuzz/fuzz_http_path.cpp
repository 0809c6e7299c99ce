// Any bytes as a path below the storage root: what is accepted is a path of the space, and written
// back with every character escaped it is the same one.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "codec/percent.hpp"
#include "http/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  const std::string raw = "/" + base::to_string(ByteView(data, size));
  const auto path = http::space_path(raw);
  if (path) {
    MESHSTOW_CHECK(StoragePath::parse(path->text()).has_value());
    const auto told = http::client_path(*path);
    if (told) {
      const auto again = http::space_path(codec::percent_encode_path(*told));
      MESHSTOW_CHECK(again && *again == *path);
    } else {
      MESHSTOW_CHECK(http::is_reserved_name(*path));
    }
  }
  if (const auto form = http::parse_form(base::as_text(ByteView(data, size)))) {
    const auto again = http::parse_form(http::encode_form(*form));
    MESHSTOW_CHECK(again && *again == *form);
  }
  (void)http::split_target(raw);
  return 0;
}
