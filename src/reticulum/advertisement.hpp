// reticulum/advertisement.hpp: how one segment of a resource is offered.
// Source: facts/reticulum.md 8.2.
#pragma once

#include <optional>

#include "reticulum/identity.hpp"
#include "reticulum/wire.hpp"

namespace meshstow::reticulum {

using ResourceRandom = FixedBytes<4>;

struct Advertisement {
  std::uint64_t transfer_size = 0;   // t: of this segment's sealed stream
  std::uint64_t content_size = 0;    // d: of all segments together, uncompressed
  std::uint64_t part_count = 0;      // n
  Hash32 hash;                       // h
  ResourceRandom random;             // r
  Hash32 first_hash;                 // o: hash of the first segment
  std::uint64_t segment = 1;         // i, from 1
  std::uint64_t segment_count = 1;   // l
  std::optional<RequestId> request;  // q
  bool encrypted = true;             // f, bit by bit
  bool compressed = false;
  bool split = false;
  bool is_request = false;
  bool is_response = false;
  bool has_metadata = false;
  Bytes hashmap;  // m: the first piece

  friend bool operator==(const Advertisement&, const Advertisement&) = default;
};

Byte pack_flags(const Advertisement& advertisement);
Bytes pack_advertisement(const Advertisement& advertisement);
// Errc::malformed: not a map with all the keys, or the numbers contradict each other. Unknown keys
// are ignored.
[[nodiscard]] Result<Advertisement> parse_advertisement(ByteView packed);

}  // namespace meshstow::reticulum
