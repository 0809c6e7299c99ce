// reticulum/endpoint_impl.hpp: the parts of an endpoint, and the way of a packet through them.
// Private to endpoint.cpp and endpoint_impl.cpp.
#pragma once

#include "reticulum/announce_intake.hpp"
#include "reticulum/endpoint.hpp"
#include "reticulum/known_destinations.hpp"
#include "reticulum/link_table.hpp"
#include "reticulum/receipts.hpp"

namespace meshstow::reticulum {

class Endpoint::Impl {
 public:
  Impl(base::Rng& rng, EndpointOptions options)
      : services(rng, options),
        router(services, interfaces, paths),
        path_requests(services, router),
        receipts(services),
        links(services, interfaces, paths, router, path_requests),
        announces(services, interfaces, paths, path_requests, known, links) {}

  void interface_up(Now now, InterfaceId id, InterfaceInfo info);
  void interface_down(Now now, InterfaceId id);
  void handle_packet(Now now, InterfaceId from, ByteView raw);
  void handle_deadline(Now now);
  [[nodiscard]] TimePoint deadline() const;
  [[nodiscard]] Statistics statistics() const;

  DestinationHash add_destination(Now now, const Identity& identity, std::string_view full_name,
                                  DestinationOptions options);
  [[nodiscard]] Result<void> announce(Now now, const DestinationHash& destination);
  [[nodiscard]] Result<PacketHash> send_packet(Now now, const DestinationHash& to,
                                               std::string_view full_name, ByteView plaintext);
  [[nodiscard]] Result<LinkId> open_link(Now now, const DestinationHash& to);

  // Calls `use(Link&)` on the link of a transfer.
  template <class Use>
  Result<void> with_transfer(TransferId transfer, Use&& use) {
    const auto found = services.transfers.find(transfer);
    if (found == services.transfers.end()) return fail(Errc::not_found, "no such transfer");
    return links.with(LinkId(found->second), use);
  }

  Services services;
  InterfaceTable interfaces;
  PathTable paths;
  Router router;
  LocalDestinations destinations;
  KnownDestinations known;
  PathRequests path_requests;
  Receipts receipts;
  LinkTable links;
  AnnounceIntake announces;
  Counters counted;

 private:
  // An announce that makes a shared instance learn a destination of ours (facts/reticulum.md 13).
  struct SelfIntroduction {
    TimePoint due;
    DestinationHash destination;
    InterfaceId interface = 0;
  };
  // A turn for what strangers sent.
  void check_some(Now now);
  [[nodiscard]] bool seen_before(InterfaceId from, const Packet& packet, const Hash32& hash,
                                 bool filters);
  void introduce(TimePoint due, InterfaceId interface);
  void send_introductions(Now now);
  void handle_link_packet(Now now, InterfaceId from, std::uint8_t hops, const Packet& packet,
                          bool filters);
  void handle_single(Now now, InterfaceId from, std::uint8_t hops, const Packet& packet,
                     bool filters);
  void handle_single_data(InterfaceId from, const Packet& packet, const Hash32& hash,
                          const LocalDestination& local);
  void handle_plain(Now now, InterfaceId from, const Packet& packet, bool filters);

  std::vector<SelfIntroduction> introductions_;
  bool shared_instance_met_ = false;
};

}  // namespace meshstow::reticulum
