// reticulum/link.hpp: one link whose key is agreed, from either side.
//
// Initiator: made when the proof is accepted, active at once. Responder: made when the request is
// answered, and active when the initiator's round trip packet has come; packets that overtook it
// wait. What the link itself does (keepalive, identification, closing) is here; contents are in
// transfers.hpp and requests.hpp. Owner: LinkTable. Stays where it is in memory. Source:
// facts/reticulum.md 6, 7.
#pragma once

#include "reticulum/destination.hpp"
#include "reticulum/link_channel.hpp"
#include "reticulum/link_life.hpp"
#include "reticulum/requests.hpp"
#include "reticulum/transfers.hpp"

namespace meshstow::reticulum {

struct LinkStart {
  LinkId id;
  InterfaceId interface = 0;
  std::uint32_t mtu = kMtu;
  DestinationHash destination;
  Duration round_trip{};              // initiator: measured
  LocalDestination* local = nullptr;  // responder: whose link it is
  std::uint8_t hops = 0;
};

class Link {
 public:
  enum class State { handshake, active, closed };

  // Announces itself with LinkEstablished and the round trip packet if we are the initiator.
  Link(Services& services, TimePoint now, const LinkStart& start, const crypto::Secret64& key);

  void handle_packet(TimePoint now, const Packet& packet, const Hash32& hash);
  [[nodiscard]] TimePoint deadline() const;
  void handle_deadline(TimePoint now);

  // Ends the link: contents fail, the peer is told unless it was the one who closed. Once.
  void close(TimePoint now, CloseReason reason);

  [[nodiscard]] Result<void> identify(TimePoint now, const Identity& as);
  [[nodiscard]] Result<void> send_data(TimePoint now, ByteView plaintext);
  [[nodiscard]] Result<SentRequest> send_request(Now now, std::string_view path, ByteView value,
                                                 RequestOptions options);
  [[nodiscard]] Result<SentRequest> send_request(Now now, StreamedRequest request,
                                                 RequestOptions options);
  [[nodiscard]] Result<std::optional<TransferId>> respond(TimePoint now, const RequestId& to,
                                                          ByteView value, bool compress);
  [[nodiscard]] Result<TransferId> respond_streamed(TimePoint now, const RequestId& to,
                                                    std::uint64_t value_size, bool compress);
  [[nodiscard]] Result<TransferId> send_resource(TimePoint now, ByteView data,
                                                 std::optional<Bytes> metadata, bool compress);
  [[nodiscard]] Transfers& transfers() { return transfers_; }
  // Its peer has shown a right of `party`.
  void favour(TimePoint now, const Hash16& party);
  // Whether an answer of that size leaves as one packet.
  [[nodiscard]] bool fits_packet(std::size_t value_size) const;

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] InterfaceId interface() const { return channel_.interface(); }
  [[nodiscard]] bool incoming() const { return start_.local != nullptr; }
  [[nodiscard]] LinkPart part() const { return channel_.part(); }
  [[nodiscard]] const Sharer& sharer() const { return channel_.sharer(); }
  [[nodiscard]] const std::optional<PublicIdentity>& remote_identity() const { return remote_; }
  [[nodiscard]] LinkEstablished info() const;

 private:
  struct Early {
    Packet packet;
    Bytes data;
    Hash32 hash;
  };
  void activate(TimePoint now, Duration round_trip);
  void hold(const Packet& packet, const Hash32& hash);
  void handle_round_trip(TimePoint now, ByteView plaintext);
  void handle_keepalive(TimePoint now, ByteView data);
  void handle_sealed(TimePoint now, const Packet& packet, const Hash32& hash);
  void handle_identification(ByteView plaintext);
  void handle_data(TimePoint now, Bytes plaintext, const Hash32& hash);
  void handle_request(TimePoint now, ByteView plaintext, const Hash32& hash);
  void handle_response(TimePoint now, ByteView plaintext);
  void hand_out_packet(ContentStarted started, ByteView value);
  [[nodiscard]] Result<void> check_active() const;
  void send_keepalive(TimePoint now, Byte which);

  Services& services_;
  LinkStart start_;
  LinkChannel channel_;
  LinkLife life_;
  Requests requests_;
  Transfers transfers_;
  State state_ = State::handshake;
  TimePoint began_;
  TimePoint handshake_deadline_ = kNever;
  std::optional<PublicIdentity> remote_;
  std::deque<Early> early_;
};

}  // namespace meshstow::reticulum
