// reticulum/wire.hpp: numbers and names that every Reticulum node shares. Not ours to choose.
// Units: bytes unless the type or name says otherwise. Source: facts/reticulum.md 3, 6, 8.
#pragma once

#include <chrono>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace meshstow::reticulum {

enum class PacketType : Byte { data = 0, announce = 1, link_request = 2, proof = 3 };
enum class DestinationType : Byte { single = 0, group = 1, plain = 2, link = 3 };

enum class PacketContext : Byte {
  none = 0x00,
  resource_part = 0x01,
  resource_advertisement = 0x02,
  resource_part_request = 0x03,
  resource_hashmap_update = 0x04,
  resource_proof = 0x05,
  resource_cancel = 0x06,
  resource_reject = 0x07,
  cache_request = 0x08,
  request = 0x09,
  response = 0x0A,
  path_response = 0x0B,
  channel = 0x0E,
  keepalive = 0xFA,
  link_identify = 0xFB,
  link_close = 0xFC,
  link_rtt = 0xFE,
  link_request_proof = 0xFF,
};

inline constexpr std::size_t kMtu = 500;  // of a packet, and of links that agreed on no more
inline constexpr std::size_t kHeader1Size = 19;
inline constexpr std::size_t kHeader2Size = 35;
inline constexpr std::size_t kPayload = kMtu - kHeader2Size - 1;
inline constexpr std::size_t kSinglePayload = 383;  // plaintext of one encrypted packet
inline constexpr Byte kMaxWireHops = 127;

// What one sealed packet, and one resource part, hold on a link of that MTU.
constexpr std::size_t link_payload(std::size_t link_mtu) {
  return (link_mtu - 1 - kHeader1Size - 48) / 16 * 16 - 1;
}
constexpr std::size_t resource_part_size(std::size_t link_mtu) {
  return link_mtu - kHeader2Size - 1;
}

inline constexpr std::size_t kPartHash = 4;
inline constexpr std::size_t kHashmapPiece = 74;     // part hashes, whatever the link MTU
inline constexpr std::size_t kCollisionGuard = 224;  // parts; hashes are unique within this span
inline constexpr std::size_t kMostPartsAsked = 75;
inline constexpr std::size_t kSegmentContent = 1'048'575;
// One segment's stream: random prefix, IV, padding and HMAC beside the content.
inline constexpr std::size_t kLargestTransfer = kSegmentContent + 4 + 16 + 16 + 32;
inline constexpr std::uint64_t kLargestCompressed = 64ULL * 1024 * 1024;  // whole content

inline constexpr Duration kPerHopTimeout = std::chrono::seconds(6);
inline constexpr Duration kPathRequestTimeout = std::chrono::seconds(15);
// What somebody waits for is asked once more, since one lost packet would make it fail.
inline constexpr Duration kPathRequestRepeat = kPathRequestTimeout / 2;
inline constexpr Duration kFastLink =
    std::chrono::milliseconds(20);  // round trips below: see facts 7

// Seconds as they stand in messages, made a Duration; nonsense (NaN, negative, huge) is held in
// range.
constexpr Duration duration_from_seconds(double seconds, Duration largest) {
  if (!(seconds > 0)) return Duration{0};
  const double micros = seconds * 1e6;
  if (micros >= static_cast<double>(largest.count())) return largest;
  return Duration{static_cast<Duration::rep>(micros)};
}

}  // namespace meshstow::reticulum
