// reticulum/shared_places.hpp: a bound that is shared out.
//
// Whatever holds a place has a weight and belongs to somebody: a connection, or a party that has
// shown a right. When room is needed, whoever holds most gives it up, its longest untouched first.
// So many from one place push out one another and nobody else. Within one connection the hops
// tell senders apart, though whoever is near can forge them: they decide only among its own.
#pragma once

#include <algorithm>
#include <compare>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/check.hpp"
#include "base/time.hpp"
#include "reticulum/identity.hpp"

namespace meshstow::reticulum {

struct Sharer {
  Hash16 party;                 // of whoever has shown a right
  std::uint32_t interface = 0;  // of all others
  std::uint8_t hops = 0;        // within that

  [[nodiscard]] Sharer whole() const { return {party, interface, 0}; }
  friend auto operator<=>(const Sharer&, const Sharer&) = default;
};

template <class Key, class Hash>
class SharedPlaces {
 public:
  void take(TimePoint now, const Key& key, const Sharer& sharer, std::size_t weight = 1) {
    release(key);
    if (weight == 0) return;
    Group& group = groups_[sharer.whole()];
    Lane& lane = group.lanes[sharer.hops];
    const auto place = lane.oldest_first.insert(lane.oldest_first.end(), key);
    holders_.emplace(key, Holder{sharer, weight, now, place});
    add(sharer, group, lane, weight);
  }
  // The same holder holds more or less, and has not moved on by that.
  void set_weight(TimePoint now, const Key& key, const Sharer& sharer, std::size_t weight) {
    const auto found = holders_.find(key);
    if (found == holders_.end() || weight == 0) return take(now, key, sharer, weight);
    Holder& holder = found->second;
    Group& group = groups_.at(holder.sharer.whole());
    Lane& lane = group.lanes.at(holder.sharer.hops);
    lose(holder.sharer, group, lane, holder.weight);
    holder.weight = weight;
    add(holder.sharer, group, lane, weight);
  }
  // It moved on: others go before it.
  void touch(TimePoint now, const Key& key) {
    const auto found = holders_.find(key);
    if (found == holders_.end()) return;
    Holder& holder = found->second;
    holder.touched = now;
    Lane& lane = groups_.at(holder.sharer.whole()).lanes.at(holder.sharer.hops);
    lane.oldest_first.splice(lane.oldest_first.end(), lane.oldest_first, holder.place);
  }
  void release(const Key& key) {
    const auto found = holders_.find(key);
    if (found == holders_.end()) return;
    const Holder holder = found->second;
    holders_.erase(found);
    const auto group = groups_.find(holder.sharer.whole());
    Lane& lane = group->second.lanes.at(holder.sharer.hops);
    lane.oldest_first.erase(holder.place);
    lose(holder.sharer, group->second, lane, holder.weight);
    if (lane.oldest_first.empty()) group->second.lanes.erase(holder.sharer.hops);
    if (!group->second.lanes.empty()) return;
    by_weight_.erase({0, group->first});
    groups_.erase(group);
  }

  [[nodiscard]] std::size_t size() const { return holders_.size(); }
  [[nodiscard]] std::size_t weight() const { return weight_; }
  // Who goes first.
  [[nodiscard]] std::optional<Key> first_to_go() const {
    if (by_weight_.empty()) return std::nullopt;
    return oldest_of(groups_.at(by_weight_.rbegin()->second));
  }
  // Who goes to make room for `weight` more of `sharer`: somebody who holds more than it would
  // then, or one of its own that stood still for `idle`. nullopt: nobody, it has to wait.
  [[nodiscard]] std::optional<Key> to_go_for(TimePoint now, const Sharer& sharer,
                                             std::size_t weight, Duration idle) const {
    if (by_weight_.empty()) return std::nullopt;
    const auto own = groups_.find(sharer.whole());
    const std::size_t held = own == groups_.end() ? 0 : own->second.weight;
    const auto& [most, largest] = *by_weight_.rbegin();
    if (most > held + weight) return oldest_of(groups_.at(largest));
    if (own == groups_.end()) return std::nullopt;
    const Key key = oldest_of(own->second);
    return now >= holders_.at(key).touched + idle ? std::optional(key) : std::nullopt;
  }

 private:
  struct Holder {
    Sharer sharer;
    std::size_t weight;
    TimePoint touched;
    typename std::list<Key>::iterator place;
  };
  struct Lane {
    std::list<Key> oldest_first;
    std::size_t weight = 0;
  };
  struct Group {
    std::map<std::uint8_t, Lane> lanes;  // by hops
    std::size_t weight = 0;
  };
  void add(const Sharer& sharer, Group& group, Lane& lane, std::size_t weight) {
    by_weight_.erase({group.weight, sharer.whole()});
    weight_ += weight;
    group.weight += weight;
    lane.weight += weight;
    by_weight_.insert({group.weight, sharer.whole()});
  }
  void lose(const Sharer& sharer, Group& group, Lane& lane, std::size_t weight) {
    MESHSTOW_CHECK(weight_ >= weight && group.weight >= weight && lane.weight >= weight);
    by_weight_.erase({group.weight, sharer.whole()});
    weight_ -= weight;
    group.weight -= weight;
    lane.weight -= weight;
    by_weight_.insert({group.weight, sharer.whole()});
  }
  static Key oldest_of(const Group& group) {
    const auto heaviest = std::max_element(
        group.lanes.begin(), group.lanes.end(),
        [](const auto& a, const auto& b) { return a.second.weight < b.second.weight; });
    return heaviest->second.oldest_first.front();
  }

  std::unordered_map<Key, Holder, Hash> holders_;
  std::map<Sharer, Group> groups_;
  std::set<std::pair<std::size_t, Sharer>> by_weight_;
  std::size_t weight_ = 0;
};

}  // namespace meshstow::reticulum
