// reticulum/link_table.hpp: all links of an endpoint: being set up by us, being set up by others,
// and active.
//
// Reschedules a link after whatever happened to it, and drops it once it is closed. Our own links,
// those half open, those of strangers and those of peers that have shown a token have a part of the
// table each, so that none of them can take the place of another; within a part, whoever has most
// links gives one up, the longest unused first. Link requests wait for their turn: each costs a key
// agreement and a signature. Source: facts/reticulum.md 6.1, 10.1.8.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "reticulum/deadline_queue.hpp"
#include "reticulum/link.hpp"
#include "reticulum/path_requests.hpp"

namespace meshstow::reticulum {

// A relay passes an announce on before it takes the path itself (RNS does): a link request that
// follows at once would be lost there.
inline constexpr Duration kRelaySettles = std::chrono::milliseconds(50);

// A link that we are setting up. Its id is that of its one request packet: relays and RNS drop a
// packet that they have seen, so another try is another link.
struct LinkAttempt {
  enum class Stage { waiting_for_path, settling, requested };
  LinkId id;
  DestinationHash destination;
  PublicIdentity responder;
  crypto::X25519Key key;
  crypto::Ed25519Public signing;
  Stage stage = Stage::waiting_for_path;
  InterfaceId interface = 0;
  std::uint32_t offered_mtu = kMtu;
  TimePoint requested_at{};
};

class LinkTable {
 public:
  LinkTable(Services& services, InterfaceTable& interfaces, PathTable& paths, Router& router,
            PathRequests& path_requests);

  // Errc::limit: limits::kOwnLinks are open, and another moment may do.
  [[nodiscard]] Result<LinkId> open(TimePoint now, const DestinationHash& to,
                                    const PublicIdentity& responder);
  void close(TimePoint now, const LinkId& link);
  void close_all(TimePoint now);
  void path_found(TimePoint now, const DestinationHash& destination);
  void path_failed(const DestinationHash& destination);
  void interface_down(TimePoint now, InterfaceId interface);

  // A link request for a destination of ours: it waits for answer_one().
  void handle_request(InterfaceId from, std::uint8_t hops, const Packet& packet);
  // Answers one of those that wait. False: none does.
  bool answer_one(TimePoint now, LocalDestinations& destinations);
  [[nodiscard]] const auto& requests() const { return requests_; }
  // Opens some of a segment that waits for it. False: none does.
  bool open_one(TimePoint now);
  void handle_proof(TimePoint now, InterfaceId from, std::uint8_t hops, const Packet& packet);
  // The link that takes packets with this id from this interface, or nullptr.
  [[nodiscard]] Link* receiver(const LinkId& link, InterfaceId from);
  void handle_packet(TimePoint now, Link& link, const Packet& packet, const Hash32& hash);

  // The peer has shown a right of `party`: see Endpoint::favour.
  [[nodiscard]] Result<void> favour(TimePoint now, const LinkId& link, const Hash16& party);
  // For an answer of so many bytes. False: there is none at present.
  [[nodiscard]] bool make_room_to_send(TimePoint now, const LinkId& link, std::size_t bytes);
  [[nodiscard]] LinkStatistics statistics() const;

  [[nodiscard]] const Link* find_active(const LinkId& link) const;
  // Calls `use(Link&)` on an active link. Errc::not_found: there is none.
  template <class Use>
  auto with(const LinkId& id, Use&& use) -> decltype(use(std::declval<Link&>())) {
    const auto found = links_.find(id);
    if (found == links_.end() || found->second->state() != Link::State::active) {
      return fail(Errc::not_found, "no such link");
    }
    auto result = use(*found->second);
    settle(id);
    return result;
  }

  [[nodiscard]] TimePoint deadline() const { return due_.next(); }
  void handle_deadline(TimePoint now);
  [[nodiscard]] std::size_t size() const { return links_.size() + attempts_.size(); }

 private:
  // Asks where a path is known and may be used, else waits for one.
  void proceed(TimePoint now, LinkAttempt& attempt);
  void request(TimePoint now, LinkAttempt& attempt, const Path& path);
  void wait_for_path(TimePoint now, LinkAttempt& attempt);
  void attempt_is_due(TimePoint now, LinkAttempt& attempt);
  void abandon(const LinkId& attempt, CloseReason reason);
  void settle(const LinkId& link);
  using Places = SharedPlaces<LinkId, base::FixedBytesHash>;
  void make_room(TimePoint now, Places& places, std::size_t bound, std::uint64_t& evicted);
  void set_up(TimePoint now, const Link& link);
  void answer(TimePoint now, InterfaceId from, std::uint8_t hops, const Packet& packet,
              LocalDestination& local);
  void see_to_evicted(TimePoint now);
  [[nodiscard]] std::size_t own() const;
  [[nodiscard]] std::vector<LinkId> attempts_to(const DestinationHash& destination) const;

  Services& services_;
  InterfaceTable& interfaces_;
  PathTable& paths_;
  Router& router_;
  PathRequests& path_requests_;
  std::unordered_map<LinkId, LinkAttempt, base::FixedBytesHash> attempts_;
  std::unordered_map<LinkId, std::unique_ptr<Link>, base::FixedBytesHash> links_;
  Places half_open_;
  Places anonymous_;
  Places favoured_;
  FairQueue<UncheckedPacket> requests_{limits::kUncheckedPerInterface, limits::kUnchecked};
  DeadlineQueue<LinkId> due_;
};

}  // namespace meshstow::reticulum
