// Any bytes as an announce: taken only if the signature and the destination hash are right.
// Whatever is taken stops being so as soon as one bit of it changes.
#include "base/check.hpp"
#include "reticulum/announce.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  using namespace meshstow::reticulum;
  Bytes input(data, data + size);
  const auto packet = parse_packet(input);
  if (!packet) return 0;
  const auto announce = read_announce(*packet);
  if (!announce || !verify_announce(*packet, *announce)) return 0;
  MESHSTOW_CHECK(announce->destination == packet->destination);
  MESHSTOW_CHECK(!announce->app_data || !announce->app_data->empty());
  // The data and the destination are signed; the rest of the header is not.
  const std::size_t header = input.size() - packet->data.size();
  input[header + size % packet->data.size()] ^= 1;
  const auto changed = parse_packet(input).value();
  const auto forged = read_announce(changed);
  MESHSTOW_CHECK(!forged || !verify_announce(changed, *forged));
  return 0;
}
