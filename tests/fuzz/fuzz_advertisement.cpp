// What parses as a resource advertisement says the same when packed again, and its numbers agree.
#include "base/check.hpp"
#include "reticulum/advertisement.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  using namespace meshstow::reticulum;
  const auto advertisement = parse_advertisement(ByteView(data, size));
  if (!advertisement) return 0;
  MESHSTOW_CHECK(advertisement->segment >= 1);
  MESHSTOW_CHECK(advertisement->segment <= advertisement->segment_count);
  MESHSTOW_CHECK(advertisement->hashmap.size() <= kHashmapPiece * kPartHash);
  const auto again = parse_advertisement(pack_advertisement(*advertisement));
  MESHSTOW_CHECK(again && *again == *advertisement);
  return 0;
}
