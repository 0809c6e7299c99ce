// Any bytes as the announce data of a storage node: what is accepted says the same when it is
// written anew.
#include "base/check.hpp"
#include "protocol/announcement.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using meshstow::protocol::read_announcement;
  const auto read = read_announcement({bytes, size});
  if (!read) return 0;
  const auto again = read_announcement(meshstow::protocol::write_announcement(*read));
  MESHSTOW_CHECK(again.has_value());
  MESHSTOW_CHECK(again->capabilities == read->capabilities);
  MESHSTOW_CHECK(again->space_available == read->space_available);
  MESHSTOW_CHECK(meshstow::base::unix_seconds(again->timestamp) ==
                 meshstow::base::unix_seconds(read->timestamp));
  MESHSTOW_CHECK(again->fingerprint == read->fingerprint);
  return 0;
}
