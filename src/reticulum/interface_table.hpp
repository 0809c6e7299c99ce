// reticulum/interface_table.hpp: the interfaces that are up, and what is counted of each.
#pragma once

#include <map>

#include "base/limits.hpp"
#include "reticulum/endpoint.hpp"
#include "reticulum/wire.hpp"

namespace meshstow::reticulum {

struct Interface {
  InterfaceInfo info;
  InterfaceStatistics counts{};

  // What a link over this interface may use at most.
  [[nodiscard]] std::uint32_t link_mtu() const {
    return info.raises_link_mtu ? std::max<std::uint32_t>(info.hardware_mtu, kMtu) : kMtu;
  }
  // Time for one packet of the basic MTU, and for whatever the first relay does.
  [[nodiscard]] Duration first_hop_time() const {
    const std::uint64_t bitrate = std::max<std::uint64_t>(info.bitrate_bps, 5);
    return Duration{static_cast<Duration::rep>(kMtu * 8 * 1'000'000ULL / bitrate)} + kPerHopTimeout;
  }
};

class InterfaceTable {
 public:
  // False if there are limits::kInterfaces already.
  bool add(InterfaceId id, InterfaceInfo info) {
    if (!interfaces_.contains(id) && interfaces_.size() >= limits::kInterfaces) return false;
    interfaces_.insert_or_assign(id, Interface{std::move(info)});
    return true;
  }
  bool remove(InterfaceId id) { return interfaces_.erase(id) != 0; }
  [[nodiscard]] Interface* find(InterfaceId id) {
    const auto found = interfaces_.find(id);
    return found == interfaces_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const std::map<InterfaceId, Interface>& all() const { return interfaces_; }

 private:
  std::map<InterfaceId, Interface> interfaces_;  // ordered: the order reaches the wire
};

}  // namespace meshstow::reticulum
