// reticulum/fair_queue.hpp: packets that wait for a turn, interface by interface, and within one
// lane by lane. Each gets its turn after one of every other, however many it brings.
//
// An Item tells its size() in bytes. Bounds: so many of one interface, so many of all. Beyond them
// the newest of the longest lane is lost: its interface's own, or that of the interface that has
// most.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "reticulum/endpoint.hpp"

namespace meshstow::reticulum {

// A packet whose check costs more than a stranger may ask for at once.
struct UncheckedPacket {
  Bytes raw;
  std::uint8_t hops = 0;
  [[nodiscard]] std::size_t size() const { return raw.size(); }
};

template <class Item>
class FairQueue {
 public:
  FairQueue(std::size_t per_interface, std::size_t total)
      : per_interface_(per_interface), total_(total) {}

  struct Turn {
    InterfaceId interface = 0;
    Item item;
  };

  // The interface that lost one for it.
  std::optional<InterfaceId> push(InterfaceId from, std::uint8_t lane, Item item) {
    Lanes& own = interfaces_[from];
    bytes_ += item.size();
    own.waiting[lane].push_back(std::move(item));
    ++own.count;
    ++count_;
    if (own.count > per_interface_) return lose(from);
    if (count_ > total_) return lose(fullest());
    return std::nullopt;
  }
  std::optional<Turn> pop() {
    if (count_ == 0) return std::nullopt;
    auto next = interfaces_.upper_bound(last_);
    if (next == interfaces_.end()) next = interfaces_.begin();
    last_ = next->first;
    Lanes& lanes = next->second;
    auto lane = lanes.waiting.upper_bound(lanes.last);
    if (lane == lanes.waiting.end()) lane = lanes.waiting.begin();
    lanes.last = lane->first;
    Turn out{next->first, std::move(lane->second.front())};
    bytes_ -= out.item.size();
    lane->second.pop_front();
    took_one(next, lane);
    return out;
  }
  void forget(InterfaceId interface) {
    const auto found = interfaces_.find(interface);
    if (found == interfaces_.end()) return;
    count_ -= found->second.count;
    for (const auto& [lane, items] : found->second.waiting) {
      for (const Item& item : items) bytes_ -= item.size();
    }
    interfaces_.erase(found);
  }

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size_of(InterfaceId interface) const {
    const auto found = interfaces_.find(interface);
    return found == interfaces_.end() ? 0 : found->second.count;
  }

 private:
  struct Lanes {
    std::map<std::uint8_t, std::deque<Item>> waiting;  // none is empty
    std::size_t count = 0;
    std::uint8_t last = 0;
  };
  using Interfaces = std::map<InterfaceId, Lanes>;

  InterfaceId fullest() const {
    return std::max_element(
               interfaces_.begin(), interfaces_.end(),
               [](const auto& a, const auto& b) { return a.second.count < b.second.count; })
        ->first;
  }
  InterfaceId lose(InterfaceId interface) {
    const auto found = interfaces_.find(interface);
    auto& waiting = found->second.waiting;
    const auto longest = std::max_element(
        waiting.begin(), waiting.end(),
        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    bytes_ -= longest->second.back().size();
    longest->second.pop_back();
    took_one(found, longest);
    return interface;
  }
  void took_one(typename Interfaces::iterator interface,
                typename std::map<std::uint8_t, std::deque<Item>>::iterator lane) {
    --count_;
    --interface->second.count;
    if (lane->second.empty()) interface->second.waiting.erase(lane);
    if (interface->second.waiting.empty()) interfaces_.erase(interface);
  }

  std::size_t per_interface_;
  std::size_t total_;
  Interfaces interfaces_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  InterfaceId last_ = 0;
};

}  // namespace meshstow::reticulum
