// Any bytes as a record of the store: what is read is written back as the same record.
#include "base/check.hpp"
#include "storage/entry.hpp"
#include "storage/space_record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  using namespace meshstow::storage;
  const ByteView bytes(data, size);
  if (const auto entry = decode_entry(bytes)) {
    const Bytes written = encode(*entry);
    const auto again = decode_entry(written);
    MESHSTOW_CHECK(again && encode(*again) == written);
  }
  if (const auto record = decode_space_record(bytes)) {
    const Bytes written = encode(*record);
    const auto again = decode_space_record(written);
    MESHSTOW_CHECK(again && encode(*again) == written);
  }
  if (const auto usage = decode_usage_record(bytes)) {
    const auto again = decode_usage_record(encode(*usage));
    MESHSTOW_CHECK(again && *again == *usage);
  }
  if (const auto settings = decode_settings(bytes)) {
    const Bytes written = encode(*settings);
    const auto again = decode_settings(written);
    MESHSTOW_CHECK(again && encode(*again) == written);
  }
  return 0;
}
