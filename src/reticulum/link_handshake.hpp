// reticulum/link_handshake.hpp: the bytes by which two nodes agree on a link.
//
// Pure functions; the states are in link_attempt.hpp (initiator) and link.hpp.
// Source: facts/reticulum.md 6.1.
#pragma once

#include <optional>

#include "reticulum/identity.hpp"
#include "reticulum/packet.hpp"

namespace meshstow::reticulum {

// 3 bits mode (always 1, AES-256-CBC) | 21 bits MTU.
inline constexpr std::uint32_t kLargestLinkMtu = (1U << 21) - 1;
FixedBytes<3> pack_signalling(std::uint32_t mtu);
// The MTU. Errc::malformed: a mode that is not ours, or an MTU below kMtu.
[[nodiscard]] Result<std::uint32_t> parse_signalling(ByteView three_bytes);

struct LinkRequest {
  crypto::X25519Public encryption;
  crypto::Ed25519Public signing;
  std::optional<std::uint32_t> mtu;  // nothing: an old peer, or a relay took it away
};
Bytes pack_link_request(const LinkRequest& request);
[[nodiscard]] Result<LinkRequest> parse_link_request(ByteView data);

// Of a link request packet; the signalling bytes do not count.
LinkId link_id_of(const Packet& request);

struct LinkProof {
  crypto::X25519Public encryption;
  std::optional<std::uint32_t> mtu;
};
Bytes make_link_proof(const Identity& responder, const LinkId& link, const LinkProof& proof);
// Errc::malformed: of another length or mode. Errc::denied: not signed by `responder`.
[[nodiscard]] Result<LinkProof> read_link_proof(ByteView data, const LinkId& link,
                                                const PublicIdentity& responder);

// Errc::malformed: the peer's key is of low order.
[[nodiscard]] Result<crypto::Secret64> agree_link_key(const crypto::X25519Key& own,
                                                      const crypto::X25519Public& peer,
                                                      const LinkId& link);

// What the initiator sends to show who it is: public key | signature over link id | public key.
Bytes make_identification(const Identity& initiator, const LinkId& link);
[[nodiscard]] Result<PublicIdentity> read_identification(ByteView data, const LinkId& link);

}  // namespace meshstow::reticulum
