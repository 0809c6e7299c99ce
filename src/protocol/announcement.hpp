// protocol/announcement.hpp: the announce data of a storage node, 24 to 32 bytes for a node that
// only stores.
//
// MessagePack array [capabilities, space_available in bytes, Unix seconds, 8-byte fingerprint]; a
// JSON object with the seed's field names is understood too. Source: design.md 5.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace meshstow::protocol {

struct Announcement {
  std::vector<std::string> capabilities;  // "store", "sync"
  std::uint64_t space_available = 0;
  WallTime timestamp{};
  std::optional<FixedBytes<8>> fingerprint;
};
Bytes write_announcement(const Announcement& announcement);
[[nodiscard]] Result<Announcement> read_announcement(ByteView app_data);

}  // namespace meshstow::protocol
