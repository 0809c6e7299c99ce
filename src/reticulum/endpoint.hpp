// reticulum/endpoint.hpp: a Reticulum leaf node as one sans-IO state machine.
//
// Time, whole packets and calls come in; packets to send, events and the next deadline go out:
// after any call that takes `now`, drain poll() until it yields a Deadline, then call
// handle_deadline when that time has come. Framing (HDLC) and sockets are the driver's. Relaying is
// not done here.
//
// Owner: the node. Threading: one thread. Memory is bounded by base/limits.hpp.
// Source: facts/reticulum.md 2 to 8, 10.1, 13.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "reticulum/identity.hpp"
#include "reticulum/statistics.hpp"

namespace meshstow::reticulum {

using InterfaceId = std::uint32_t;
using TransferId =
    std::uint64_t;  // one content (request, response or resource) on its way; never reused

struct InterfaceInfo {
  std::string name;
  std::uint64_t bitrate_bps = 10'000'000;
  std::uint32_t hardware_mtu = 8192;
  bool raises_link_mtu = true;   // facts 12.1: may links offer hardware_mtu
  bool shared_instance = false;  // we are a client of a local shared instance (facts 13)
};

struct EndpointOptions {
  // RNS loses a one-packet answer that arrives before it has registered its request (facts 7);
  // on links with a round trip under kFastLink such an answer leaves this much later.
  Duration quick_answer_delay = std::chrono::milliseconds(6);
  bool answers_path_requests = true;
};

struct DestinationOptions {
  bool accepts_links = true;
  bool accepts_resources = false;  // bare resources (not requests or responses)
  bool proves_packets = true;
  std::vector<crypto::X25519Key> ratchets;  // newest first; empty: announces carry none
  // Announces are later than this, Unix seconds, whatever the clock says: peers ignore a
  // destination for good whose time went back.
  std::uint64_t announced_before = 0;
  // Largest request in bytes of packed content; larger ones are rejected before transfer.
  std::uint64_t max_request = UINT64_MAX;
};

// ---- What comes out -------------------------------------------------------------------------

struct AnnounceHeard {
  DestinationHash destination;
  PublicIdentity identity;
  Hash10 name;
  std::optional<Bytes> app_data;
  std::uint8_t hops = 0;
  InterfaceId interface = 0;
  bool path_response = false;
};
struct PathFound {
  DestinationHash destination;
  std::uint8_t hops = 0;
};
struct PathFailed {
  DestinationHash destination;
};
struct PacketReceived {
  DestinationHash destination;
  Bytes plaintext;
};
struct PacketProved {
  PacketHash packet;
  Duration round_trip{};
};
struct PacketUnproved {
  PacketHash packet;
};

enum class CloseReason { local, remote, timed_out, no_path, interface_lost };
struct LinkEstablished {
  LinkId link;
  DestinationHash destination;
  bool incoming = false;
  std::uint32_t mtu = 500;
  Duration round_trip{};
};
struct LinkIdentified {
  LinkId link;
  PublicIdentity identity;
};
struct LinkClosed {
  LinkId link;
  CloseReason reason = CloseReason::local;
};
struct LinkData {
  LinkId link;
  Bytes plaintext;
};

enum class ContentKind { request, response, resource };
// The start of an incoming value. A value that fitted one packet is whole in the first
// ContentPiece, and ContentDone follows at once. `size` counts the bytes of the value itself (for a
// resource its data).
struct ContentStarted {
  TransferId transfer = 0;
  ContentKind kind = ContentKind::resource;
  LinkId link;
  RequestId request;  // request, response
  Hash16 path_hash;   // request: of its path
  std::uint64_t size = 0;
  bool one_packet = false;
  std::optional<Bytes> metadata;  // resource: packed value, or nothing
};
// In order, without gaps. The next segment is not fetched until content_taken() was called.
struct ContentPiece {
  TransferId transfer = 0;
  std::uint64_t offset = 0;
  Bytes bytes;
};
struct ContentDone {
  TransferId transfer = 0;
};
struct ContentFailed {
  TransferId transfer = 0;
  Errc why = Errc::unavailable;
};

// Outgoing content that was announced with a size and no bytes: answer with supply().
struct ContentWanted {
  TransferId transfer = 0;
  std::uint64_t offset = 0;
  std::size_t size = 0;
};
struct ContentSent {
  TransferId transfer = 0;
};  // proved by the peer
struct ContentUnsent {
  TransferId transfer = 0;
  Errc why = Errc::unavailable;
};  // denied: rejected by the peer
// Either direction, about ten times a second. Incoming: also before ContentStarted, hence `link`
// and `request`.
struct ContentProgress {
  TransferId transfer = 0;
  std::uint64_t done = 0, total = 0;  // content bytes, head included
  LinkId link{};
  std::optional<RequestId> request;  // of a request or response
};
struct RequestTimedOut {
  LinkId link;
  RequestId request;
};

using Event = std::variant<AnnounceHeard, PathFound, PathFailed, PacketReceived, PacketProved,
                           PacketUnproved, LinkEstablished, LinkIdentified, LinkClosed, LinkData,
                           ContentStarted, ContentPiece, ContentDone, ContentFailed, ContentWanted,
                           ContentSent, ContentUnsent, ContentProgress, RequestTimedOut>;

struct Transmit {
  InterfaceId interface = 0;
  Bytes packet;
};
struct Deadline {
  TimePoint when = kNever;
};
using Output = std::variant<Transmit, Event, Deadline>;

// ---- What goes in ---------------------------------------------------------------------------

struct RequestOptions {
  std::optional<Duration> timeout;  // for the answer to begin; default 6 * rtt + 11.25 s
  bool compress = true;             // sealed content does not shrink: pass false
};

// A request whose value is too large to hold. `id` = first 16 bytes of SHA-256(prefix | value), and
// prefix = request_prefix(wall time, path): the caller, who reads the value once beforehand anyway
// (to sign its hash), computes it.
struct StreamedRequest {
  Bytes prefix;
  std::uint64_t value_size = 0;
  RequestId id;
};
Bytes request_prefix(WallTime at, std::string_view path);
Hash16 path_hash(std::string_view path);

struct SentRequest {
  RequestId id;
  std::optional<TransferId> transfer;  // set if it travels as a resource
};

struct KnownDestination {
  PublicIdentity identity;
  std::optional<Bytes> app_data;
};

// A log of known destinations without what later records replaced.
[[nodiscard]] Bytes compact_known(ByteView records);

class Endpoint {
 public:
  // `rng` outlives the endpoint.
  Endpoint(base::Rng& rng, EndpointOptions options = {});
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // Interfaces. Ids are the driver's; a lost interface closes its links.
  void interface_up(Now now, InterfaceId id, InterfaceInfo info);
  void interface_down(Now now, InterfaceId id);
  // One whole packet as it came off the framing. Anything wrong with it: dropped, nothing changes.
  // Announces and link requests only wait, since anybody can send them and each costs a signature.
  void handle_packet(Now now, InterfaceId from, ByteView packet);
  // Also a turn for what waits: limits::kChecksPerTurn of it, interface by interface. While
  // anything waits the Deadline is past: call again, but see to everybody else first.
  void handle_deadline(Now now);
  [[nodiscard]] Output poll();

  // Destinations of ours. The full name is "app.aspect.aspect".
  DestinationHash add_destination(Now now, const Identity& identity, std::string_view full_name,
                                  DestinationOptions options = {});
  // Sets what later announces and answers to path requests carry.
  void set_app_data(const DestinationHash& destination, Bytes app_data);
  [[nodiscard]] Result<void> announce(Now now, const DestinationHash& destination);
  // The time in the last announce or answer to a path request, Unix seconds; before the first one,
  // announced_before.
  [[nodiscard]] std::uint64_t announced_at(const DestinationHash& destination) const;

  // Other nodes.
  void request_path(Now now, const DestinationHash& destination);  // -> PathFound or PathFailed
  [[nodiscard]] std::optional<std::uint8_t> hops_to(const DestinationHash& destination) const;
  [[nodiscard]] std::optional<KnownDestination> known(const DestinationHash& destination) const;
  // Known destinations as a log, which survives restarts: records of at most so many that changed
  // since the last call, to be appended to those before. Empty: none did.
  [[nodiscard]] Bytes take_known_changes(std::size_t most);
  // Errc::malformed: what follows the records that were taken is none (a crash cut it).
  [[nodiscard]] Result<void> import_known(ByteView records);

  // Single packets. Errc::not_found: identity unknown, request a path first; Errc::limit: too long.
  [[nodiscard]] Result<PacketHash> send_packet(Now now, const DestinationHash& to,
                                               std::string_view full_name, ByteView plaintext);

  // Links. Errc::not_found if the identity is unknown (request a path first); Errc::limit: too many
  // of ours at present. Asks for a path by itself when none is known. -> LinkEstablished or
  // LinkClosed.
  [[nodiscard]] Result<LinkId> open_link(Now now, const DestinationHash& to);
  [[nodiscard]] Result<void> identify(Now now, const LinkId& link, const Identity& as);
  [[nodiscard]] Result<void> send_data(Now now, const LinkId& link, ByteView plaintext);
  void close_link(Now now, const LinkId& link);
  // The peer of an incoming link has shown a right of `party` (a token, a device): the link and
  // what it transfers count against the part of those, where parties are treated alike, and no
  // longer against that of its connection. Errc::not_found: the link is gone.
  Result<void> favour(Now now, const LinkId& link, const Hash16& party);
  void close_all_links(Now now);  // before the end: peers hear of it at once
  [[nodiscard]] std::optional<PublicIdentity> remote_identity(const LinkId& link) const;
  [[nodiscard]] std::optional<LinkEstablished> link_info(
      const LinkId& link) const;  // active links only

  // Whether the server at the other end of a link we opened may send bare resources. Until told:
  // no.
  void accept_resources(const LinkId& link, bool accept);

  // Requests: `value` is one packed MessagePack value. One packet if it fits, else a resource.
  // The answer comes as content of kind response with the same RequestId, or RequestTimedOut.
  [[nodiscard]] Result<SentRequest> send_request(Now now, const LinkId& link, std::string_view path,
                                                 ByteView value, RequestOptions options = {});
  [[nodiscard]] Result<SentRequest> send_request(Now now, const LinkId& link,
                                                 StreamedRequest request,
                                                 RequestOptions options = {});
  // Answers. nullopt: sent as one packet. Errc::not_found: the link is gone. Errc::limit: the peer
  // has to take first what it was sent before, or others do; what fits one packet can still go.
  [[nodiscard]] Result<std::optional<TransferId>> respond(Now now, const LinkId& link,
                                                          const RequestId& to, ByteView value,
                                                          bool compress = true);
  [[nodiscard]] Result<TransferId> respond_streamed(Now now, const LinkId& link,
                                                    const RequestId& to, std::uint64_t value_size,
                                                    bool compress = true);

  // Bare resources.
  [[nodiscard]] Result<TransferId> send_resource(Now now, const LinkId& link, ByteView data,
                                                 std::optional<Bytes> metadata = {},
                                                 bool compress = true);

  // Transfers.
  [[nodiscard]] Result<void> supply(Now now, TransferId transfer,
                                    ByteView bytes);  // answers ContentWanted
  void content_taken(Now now, TransferId transfer);   // answers ContentPiece
  void cancel(Now now, TransferId transfer);          // either direction

  struct Counters {
    std::uint64_t packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
    std::uint64_t dropped_malformed = 0, dropped_duplicate = 0;
    std::size_t links = 0, paths = 0, known_destinations = 0;
  };
  [[nodiscard]] Counters counters() const;
  [[nodiscard]] Statistics statistics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace meshstow::reticulum
