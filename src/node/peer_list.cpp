#include "node/peer_list.hpp"

#include "base/limits.hpp"

namespace meshstow::node {

const PeerInfo& PeerList::heard(Now now, const reticulum::AnnounceHeard& announce) {
  const auto [place, is_new] = places_.try_emplace(announce.destination);
  if (!is_new) peers_.erase(place->second);
  PeerInfo& peer = peers_.emplace_front();
  place->second = peers_.begin();
  peer.destination = announce.destination;
  peer.identity = announce.identity.hash();
  peer.hops = announce.hops;
  peer.heard = now.wall;
  if (announce.app_data) {
    if (auto read = protocol::read_announcement(*announce.app_data)) {
      peer.announcement = std::move(*read);
    }
  }
  if (peers_.size() > limits::kKnownDestinations) {
    places_.erase(peers_.back().destination);
    peers_.pop_back();
  }
  return peer;
}

}  // namespace meshstow::node
