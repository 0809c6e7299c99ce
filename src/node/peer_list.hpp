// node/peer_list.hpp: the storage nodes that were heard, last heard first.
//
// Bounded by limits::kKnownDestinations: who was not heard for longest goes first.
#pragma once

#include <list>
#include <map>

#include "node/storage_node.hpp"

namespace meshstow::node {

class PeerList {
 public:
  // Of the announce of a remotestorage.node destination; the announce data may be anything.
  const PeerInfo& heard(Now now, const reticulum::AnnounceHeard& announce);
  [[nodiscard]] std::vector<PeerInfo> all() const { return {peers_.begin(), peers_.end()}; }

 private:
  std::list<PeerInfo> peers_;
  std::map<reticulum::DestinationHash, std::list<PeerInfo>::iterator> places_;
};

}  // namespace meshstow::node
