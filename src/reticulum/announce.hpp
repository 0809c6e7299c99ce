// reticulum/announce.hpp: making and checking announces.
// Source: facts/reticulum.md 4.
#pragma once

#include <optional>

#include "reticulum/identity.hpp"
#include "reticulum/packet.hpp"

namespace meshstow::reticulum {

// 5 random bytes | 5 bytes of Unix seconds. The time orders the announces of one destination in
// everybody's path table; it need not be true, only grow.
using AnnounceRandom = FixedBytes<10>;
AnnounceRandom announce_random(base::Rng& rng, std::uint64_t seconds);
std::uint64_t announce_seconds(const AnnounceRandom& random);

struct Announce {
  DestinationHash destination;
  PublicIdentity identity;
  Hash10 name;
  AnnounceRandom random;
  std::optional<crypto::X25519Public> ratchet;
  std::optional<Bytes> app_data;  // nothing: none was sent
};

struct AnnounceFields {
  Hash10 name;
  AnnounceRandom random;
  std::optional<crypto::X25519Public> ratchet;
  ByteView app_data;
  bool path_response = false;
};

// The whole packet. Errc::limit: the application data does not fit the MTU.
[[nodiscard]] Result<Bytes> make_announce(const Identity& identity, const AnnounceFields& fields);

// Without the signature, which is dear: see verify_announce. Errc::malformed: too short.
// Errc::denied: the destination hash is not derived from the name and the key.
[[nodiscard]] Result<Announce> read_announce(const Packet& packet);
// Whether `announce`, read from `packet`, was signed with its key.
[[nodiscard]] bool verify_announce(const Packet& packet, const Announce& announce);

}  // namespace meshstow::reticulum
