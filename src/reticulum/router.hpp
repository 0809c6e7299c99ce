// reticulum/router.hpp: puts packets of ours onto the right interfaces. A leaf: nothing is relayed.
// Source: facts/reticulum.md 10.1.3, 13.
#pragma once

#include "reticulum/interface_table.hpp"
#include "reticulum/packet.hpp"
#include "reticulum/path_table.hpp"
#include "reticulum/services.hpp"

namespace meshstow::reticulum {

class Router {
 public:
  Router(Services& services, InterfaceTable& interfaces, PathTable& paths)
      : services_(services), interfaces_(interfaces), paths_(paths) {}

  // As it is, on one interface. The hash is remembered, so that an echo is not taken for news.
  void send_on(InterfaceId interface, const Packet& packet);
  void broadcast(const Packet& packet);
  // Along the known path, or everywhere if there is none.
  void send_to_destination(TimePoint now, const Packet& packet);

 private:
  Services& services_;
  InterfaceTable& interfaces_;
  PathTable& paths_;
};

}  // namespace meshstow::reticulum
