// reticulum/receipts.hpp: single packets of ours that may still be proved, and the proofs we give.
// At most limits::kReceipts; the oldest makes room and counts as unproved. Source:
// facts/reticulum.md 5.
#pragma once

#include <deque>

#include "base/limits.hpp"
#include "reticulum/deadline_queue.hpp"
#include "reticulum/packet.hpp"
#include "reticulum/services.hpp"

namespace meshstow::reticulum {

// The packet that proves `proved` for its destination, in the implicit form.
Bytes make_proof(const Identity& receiver, const Hash32& proved);
// Whether `data`, in either form, proves `packet` for `receiver`.
[[nodiscard]] bool proves(ByteView data, const Hash32& packet, const PublicIdentity& receiver);

class Receipts {
 public:
  explicit Receipts(Services& services) : services_(services) {}

  void add(TimePoint now, const Hash32& packet, const PublicIdentity& receiver, Duration timeout);
  void handle_proof(TimePoint now, const Packet& proof);
  [[nodiscard]] TimePoint deadline() const { return due_.next(); }
  void handle_deadline(TimePoint now);

 private:
  struct Receipt {
    Hash32 packet;
    PublicIdentity receiver;
    TimePoint sent;
  };
  void give_up(const Hash16& id);

  Services& services_;
  std::unordered_map<Hash16, Receipt, base::FixedBytesHash> receipts_;  // by truncated hash
  std::deque<Hash16> in_order_;
  DeadlineQueue<Hash16> due_;
};

}  // namespace meshstow::reticulum
