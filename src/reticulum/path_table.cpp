#include "reticulum/path_table.hpp"

namespace meshstow::reticulum {
namespace {

// A clock set back shows as a jump; announces that were merely slow on their way are minutes old.
constexpr std::uint64_t kClockSetBackSeconds = 24ULL * 3600;

// Remembers an announce; the newest by its own time is never the one to make room.
void remember(Path& path, const AnnounceRandom& random) {
  if (path.randoms.size() >= kAnnounceRandomsKept) {
    const bool first_is_newest = announce_seconds(path.randoms.front()) == path.newest_seconds();
    path.randoms.erase(path.randoms.begin() + (first_is_newest ? 1 : 0));
  }
  path.randoms.push_back(random);
}

}  // namespace

std::uint64_t Path::newest_seconds() const {
  std::uint64_t newest = 0;
  for (const AnnounceRandom& random : randoms) newest = std::max(newest, announce_seconds(random));
  return newest;
}

PathVerdict PathTable::offer(TimePoint now, const DestinationHash& destination,
                             const PathOffer& offer) {
  auto found = paths_.find(destination);
  if (found != paths_.end() && now >= found->second.expires) {
    forget(destination);
    found = paths_.end();
  }
  if (found != paths_.end()) {
    Path& known = found->second;
    if (std::find(known.randoms.begin(), known.randoms.end(), offer.random) !=
        known.randoms.end()) {
      return PathVerdict::repeated;
    }
    // Hop counts decide nothing: of two announces, the later one knows better. (The rule for paths
    // that do not respond is missing since we forget those.)
    if (announce_seconds(offer.random) <= known.newest_seconds()) {
      const bool set_back =
          announce_seconds(offer.random) + kClockSetBackSeconds < known.newest_seconds();
      if (set_back) remember(known, offer.random);
      return set_back ? PathVerdict::set_back : PathVerdict::stale;
    }
  } else if (paths_.size() >= capacity_) {
    forget(*places_.first_to_go());
  }
  Path& path = paths_[destination];
  remember(path, offer.random);
  path.next_hop = offer.next_hop;
  path.hops = offer.hops;
  path.interface = offer.interface;
  path.announce = offer.announce;
  path.heard = now;
  path.expires = now + kPathLifetime;
  places_.take(now, destination, {.interface = path.interface});
  return PathVerdict::taken;
}

const Path* PathTable::find(TimePoint now, const DestinationHash& destination) const {
  const auto found = paths_.find(destination);
  return found == paths_.end() || now >= found->second.expires ? nullptr : &found->second;
}

std::optional<std::uint8_t> PathTable::hops_to(const DestinationHash& destination) const {
  const auto found = paths_.find(destination);
  if (found == paths_.end()) return std::nullopt;
  return found->second.hops;
}

void PathTable::used(TimePoint now, const DestinationHash& destination) {
  const auto found = paths_.find(destination);
  if (found == paths_.end()) return;
  found->second.expires = now + kPathLifetime;
  places_.touch(now, destination);
}

void PathTable::correct_hops(const DestinationHash& destination, std::uint8_t hops) {
  const auto found = paths_.find(destination);
  if (found != paths_.end()) found->second.hops = hops;
}

void PathTable::forget(const DestinationHash& destination) {
  places_.release(destination);
  paths_.erase(destination);
}

void PathTable::forget_interface(InterfaceId interface) {
  for (auto it = paths_.begin(); it != paths_.end();) {
    if (it->second.interface == interface) {
      places_.release(it->first);
      it = paths_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace meshstow::reticulum
