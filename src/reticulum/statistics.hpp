// reticulum/statistics.hpp: what an endpoint holds at present, and what it dropped and why: so that
// an operator sees an attack. Counts grow from the start of the endpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meshstow::reticulum {

struct InterfaceStatistics {
  std::uint32_t interface = 0;
  std::string name;
  std::uint64_t packets_in = 0, bytes_in = 0;
  std::uint64_t malformed = 0;              // no packet at all
  std::uint64_t duplicates = 0;             // packets that were here before
  std::uint64_t announces_repeated = 0;     // checked before: cost nothing
  std::uint64_t announces_refused = 0;      // wrong signature, hash or key
  std::uint64_t announces_dropped = 0;      // too many waited for their check
  std::uint64_t link_requests_dropped = 0;  // likewise
  std::size_t waiting = 0;                  // packets whose check is to come
};

// A part is one of those that a bound is divided into: see docs/BOUNDS.md.
struct LinkStatistics {
  std::size_t own = 0;        // opened by us, or being opened
  std::size_t half_open = 0;  // asked for by others, not yet set up
  std::size_t anonymous = 0;  // set up, no token shown
  std::size_t favoured = 0;   // set up, a valid token shown
  std::uint64_t half_open_evicted = 0, anonymous_evicted = 0, favoured_evicted = 0;
  std::uint64_t own_refused = 0;    // we wanted more
  std::uint64_t idlers_closed = 0;  // took none of their answers while others needed the room
};

struct TransferStatistics {
  std::size_t incoming = 0;              // segments being received
  std::uint64_t incoming_refused = 0;    // rejected: not wanted, too many, too large
  std::uint64_t incoming_postponed = 0;  // not answered: no room at present
  std::uint64_t incoming_evicted = 0;    // stood still while others needed the room
  std::uint64_t bombs = 0;               // more content than announced, or than a segment holds
  std::uint64_t outgoing_refused = 0;    // answers: the peer did not take those before
};

struct MemoryStatistics {     // bytes
  std::size_t unchecked = 0;  // packets of strangers
  std::size_t incoming = 0;   // segments being received
  std::size_t outgoing = 0;   // answers that peers are to take
};

struct Statistics {
  std::vector<InterfaceStatistics> interfaces;  // those that are up, in order of their ids
  LinkStatistics links;
  TransferStatistics transfers;
  MemoryStatistics memory;
  std::size_t paths = 0, known_destinations = 0;
};

}  // namespace meshstow::reticulum
