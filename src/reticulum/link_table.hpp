// reticulum/link_table.hpp: all links of an endpoint: being set up by us, being set up by others,
// and active.
//
// Reschedules a link after whatever happened to it, and drops it once it is closed.
// Source: facts/reticulum.md 6.1, 10.1.8.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "reticulum/deadline_queue.hpp"
#include "reticulum/link.hpp"
#include "reticulum/path_requests.hpp"

namespace meshstow::reticulum {

// Links that others asked for and have not finished setting up. Any more, and the oldest makes
// room: a flood of requests then keeps nobody out for the six minutes that a set-up may take.
inline constexpr std::size_t kHalfOpenLinks = limits::kLinks / 4;

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

  // Errc::limit: limits::kLinks.
  [[nodiscard]] Result<LinkId> open(TimePoint now, const DestinationHash& to,
                                    const PublicIdentity& responder);
  void close(TimePoint now, const LinkId& link);
  void close_all(TimePoint now);
  void path_found(TimePoint now, const DestinationHash& destination);
  void path_failed(const DestinationHash& destination);
  void interface_down(TimePoint now, InterfaceId interface);

  void handle_request(TimePoint now, InterfaceId from, std::uint8_t hops, const Packet& packet,
                      LocalDestination& local);
  void handle_proof(TimePoint now, InterfaceId from, std::uint8_t hops, const Packet& packet);
  // The link that takes packets with this id from this interface, or nullptr.
  [[nodiscard]] Link* receiver(const LinkId& link, InterfaceId from);
  void handle_packet(TimePoint now, Link& link, const Packet& packet, const Hash32& hash);

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
  void make_room_for_half_open(TimePoint now);
  [[nodiscard]] std::vector<LinkId> attempts_to(const DestinationHash& destination) const;

  Services& services_;
  InterfaceTable& interfaces_;
  PathTable& paths_;
  Router& router_;
  PathRequests& path_requests_;
  std::unordered_map<LinkId, LinkAttempt, base::FixedBytesHash> attempts_;
  std::unordered_map<LinkId, std::unique_ptr<Link>, base::FixedBytesHash> links_;
  std::deque<LinkId> half_open_;  // oldest first; may hold some that are active or gone
  DeadlineQueue<LinkId> due_;
};

}  // namespace meshstow::reticulum
