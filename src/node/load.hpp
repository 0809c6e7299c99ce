// node/load.hpp: what others ask and hold of a node, so that its owner sees an attack.
#pragma once

#include <vector>

#include "base/shares.hpp"

namespace meshstow::node {

struct Load {
  std::size_t links = 0;          // to us
  std::size_t known = 0;          // of them, of the owner or of whoever was granted something
  std::size_t requests = 0;       // coming in or being executed
  std::uint64_t too_slow = 0;     // requests that were dropped, since the start
  std::uint64_t turned_away = 0;  // requests that found no room, since the start
  std::vector<const base::Shares*> bounds;  // of the node
};

}  // namespace meshstow::node
