// reticulum/transfers.hpp: the resources of one link, both directions.
//
// Outgoing: one at a time, in order of asking; on a link that we serve at most
// limits::kOutgoingPerLink and kOutgoingBytesPerLink. Incoming: at most
// limits::kIncomingResourcesPerLink at once, and kIncomingSegments over all links of one part.
// Every transfer that began ends in exactly one event: ContentSent or ContentUnsent; ContentDone or
// ContentFailed.
#pragma once

#include <deque>
#include <list>
#include <memory>

#include "reticulum/incoming_transfer.hpp"
#include "reticulum/requests.hpp"
#include "reticulum/resource_sender.hpp"

namespace meshstow::reticulum {

// What the peer may send us unasked. Answers to requests of ours are always welcome.
struct TransferPolicy {
  bool serves_requests = false;
  std::uint64_t max_request = UINT64_MAX;
  bool accepts_resources = false;
};

class Transfers {
 public:
  Transfers(LinkChannel& channel, Requests& requests, TransferPolicy policy);
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // Once the link is active.
  void set_round_trip(Duration round_trip) { window_ = TransferWindow(round_trip); }
  void set_accepts_resources(bool accepts) { policy_.accepts_resources = accepts; }

  // `not_before`: when the first advertisement may leave. Errc::limit: the peer is to take first
  // what was sent before.
  [[nodiscard]] Result<TransferId> send(TimePoint now, OutgoingContent content,
                                        TimePoint not_before);
  [[nodiscard]] Result<void> supply(TimePoint now, TransferId transfer, ByteView bytes);
  void taken(TimePoint now, TransferId transfer);
  void cancel(TimePoint now, TransferId transfer);

  // One packet of this link, by context. `plaintext` is unsealed where the protocol seals.
  void handle_part(TimePoint now, ByteView part);
  // A turn of opening a compressed segment of it.
  void open_some(TimePoint now, TransferId transfer);
  // Others need its room.
  void evict(TimePoint now, TransferId transfer);
  // The link has another share of the bounds from now on.
  void change_share(TimePoint now, LinkPart part, const Sharer& sharer);
  void handle_advertisement(TimePoint now, ByteView plaintext);
  void handle_part_request(TimePoint now, const Hash32& packet, ByteView plaintext);
  void handle_hashmap_update(TimePoint now, ByteView plaintext);
  void handle_proof(TimePoint now, ByteView data);
  void handle_cancel(TimePoint now, ByteView plaintext);
  void handle_rejection(TimePoint now, ByteView plaintext);
  // A request of ours is answered: it has arrived, even if its proof was lost.
  void handle_answer(TimePoint now, const RequestId& request);
  void handle_cache_request(TimePoint now, ByteView data);

  [[nodiscard]] TimePoint deadline() const;
  void handle_deadline(TimePoint now);
  // The link is closing: whatever is under way has failed.
  void fail_all();

 private:
  struct Outgoing {
    ResourceSender sender;
    TimePoint not_before;
  };
  struct KeptProof {
    Hash32 packet;  // hash of the proof packet
    Bytes data;     // segment hash | proof value
  };
  [[nodiscard]] std::optional<ContentKind> kind_of(const Advertisement& advertisement) const;
  [[nodiscard]] bool full_for(std::size_t bytes) const;
  void hold(TimePoint now, std::size_t bytes);
  void took_some(TimePoint now) { channel_.room().outgoing.touch(now, channel_.id()); }
  [[nodiscard]] bool make_room(TimePoint now);
  void await_opening(const IncomingTransfer& transfer);
  [[nodiscard]] bool admits(ContentKind kind, const Advertisement& advertisement) const;
  void accept(TimePoint now, ContentKind kind, const Advertisement& advertisement);
  void reject(TimePoint now, const Hash32& segment);
  void send_proof(TimePoint now, Bytes data);
  [[nodiscard]] bool repeat_proof(TimePoint now, const Hash32& segment);
  [[nodiscard]] IncomingTransfer* incoming(TransferId transfer);
  [[nodiscard]] ResourceSender* sender_of(ByteView segment_hash);
  // Sends due proofs, reports what ended, starts what waits.
  void settle(TimePoint now);
  void settle_incoming(TimePoint now);
  void settle_outgoing(TimePoint now);
  void conclude(const IncomingTransfer& transfer);
  void conclude(TimePoint now, const ResourceSender& sender);

  LinkChannel& channel_;
  Requests& requests_;
  TransferPolicy policy_;
  TransferWindow window_{Duration{0}};
  std::list<Outgoing> outgoing_;
  std::size_t held_ = 0;  // bytes of outgoing_
  std::list<IncomingTransfer> incoming_;
  std::deque<KeptProof> proofs_;  // of the latest segments
  std::deque<Hash32> unwanted_;   // first hashes of transfers that we cancelled
};

}  // namespace meshstow::reticulum
