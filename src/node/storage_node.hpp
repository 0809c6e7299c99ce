// node/storage_node.hpp: a storage node: Reticulum endpoint, access, sealing and messages put
// together.
//
// Sans-IO. After any call that takes `now`, drain poll() until it yields a Deadline. Threading: one
// thread. Source: seed specification "Storage Node Setup"; design.md 4 and 5.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "access/access_control.hpp"
#include "access/revocation.hpp"
#include "access/token_book.hpp"
#include "node/load.hpp"
#include "node/storage_client.hpp"
#include "protocol/announcement.hpp"
#include "reticulum/endpoint.hpp"
#include "storage/body_upload.hpp"
#include "storage/sealer.hpp"

namespace meshstow::node {

inline constexpr std::string_view kDestinationName = "remotestorage.node";
// The record that says how far the time in our announces has come: Unix seconds, 8 bytes, and 1 if
// that was ahead of the clock, else 0.
inline constexpr std::string_view kAnnouncedRecordKey = "node/announced";

struct NodeIdentities {
  reticulum::Identity owner;
  reticulum::Identity device;  // the destination is the device's
  access::KeyRing keys;        // holds the owner's space key
};

struct NodeOptions {
  bool announces = true;  // false: a client that only asks others
  Duration announce_every = std::chrono::hours(1);
  reticulum::EndpointOptions endpoint;
};

struct PeerInfo {  // a storage node that we heard
  reticulum::DestinationHash destination;
  reticulum::IdentityHash identity;
  std::uint8_t hops = 0;
  WallTime heard{};
  std::optional<protocol::Announcement> announcement;
};

// The store's state changed through a mesh request (HTTP and the command line know of their own).
struct DocumentChanged {
  StoragePath path;
  storage::ETag etag;
  bool deleted = false;
};
struct PeerHeard {
  PeerInfo peer;
};
struct Initialised {
  reticulum::DestinationHash destination;
};  // storage is read, mesh is joined
struct InitialiseFailed {
  Error why;
};
// Its record cannot be read, and may have been a revocation: from now on it opens nothing.
struct TokenDamaged {
  access::TokenId id;
};
using NodeEvent = std::variant<Initialised, InitialiseFailed, TokenDamaged, DocumentChanged,
                               PeerHeard, ClientEvent>;
using NodeOutput =
    std::variant<reticulum::Transmit, storage::StoreRequest, NodeEvent, reticulum::Deadline>;

class StorageNode {
 public:
  // `rng` outlives the node.
  StorageNode(NodeIdentities identities, NodeOptions options, base::Rng& rng);
  ~StorageNode();

  // Reads tokens and usage from the store, registers the destination, announces. -> Initialised.
  void initialise(Now now);

  void interface_up(Now now, reticulum::InterfaceId id, reticulum::InterfaceInfo info);
  void interface_down(Now now, reticulum::InterfaceId id);
  void handle_packet(Now now, reticulum::InterfaceId from, ByteView packet);
  void handle_store_reply(Now now, storage::StoreReply reply);  // to requests that poll() gave
  void handle_deadline(Now now);
  [[nodiscard]] NodeOutput poll();

  // Others wrote to the store: the announce data follow (space, fingerprint) at the next announce.
  void usage_changed(Now now, const storage::Usage& usage);
  void announce(Now now);  // now, on all interfaces

  [[nodiscard]] StorageClient& client();
  [[nodiscard]] access::TokenBook& tokens();  // store the records it gives (storage::PutRecord)
  [[nodiscard]] access::Revoker& revoker();
  [[nodiscard]] access::AccessControl& access();
  [[nodiscard]] reticulum::Endpoint& endpoint();
  // What bodies on their way to the store share: those of HTTP and commands too.
  [[nodiscard]] storage::Uploads& uploads();
  [[nodiscard]] Load load() const;
  [[nodiscard]] const NodeIdentities& identities() const;
  [[nodiscard]] reticulum::DestinationHash destination() const;
  [[nodiscard]] std::vector<PeerInfo> peers()
      const;  // last heard first; bounded by limits::kKnownDestinations

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The Sealer of a space, over its key. Each clone belongs to one thread and all of them draw from
// `rng`, which outlives them: give one that may be used from several threads (io::OsRng).
std::unique_ptr<storage::Sealer> make_space_sealer(const access::SpaceKey& key, base::Rng& rng);

}  // namespace meshstow::node
