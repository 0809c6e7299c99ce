// Any bytes as an archive of an app: never more than was allowed comes out of it.
#include "base/check.hpp"
#include "base/limits.hpp"
#include "io/app_links.hpp"
#include "io/archive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  constexpr std::size_t kMost = 1 << 20;
  auto files = io::read_archive(ByteView(data, size), kMost);
  if (!files) return 0;
  std::size_t total = 0;
  for (const auto& file : *files) total += file.bytes.size();
  MESHSTOW_CHECK(total <= kMost && files->size() <= limits::kAppFiles);
  if (const auto app = io::follow_links(std::move(*files))) {
    MESHSTOW_CHECK(app->size() <= limits::kAppFiles);
  }
  return 0;
}
