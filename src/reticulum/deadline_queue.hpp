// reticulum/deadline_queue.hpp: which of many things is due next, without looking at all of them.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace meshstow::reticulum {

// Keys are hashes. Equal deadlines come in the order of their keys, so that a run can be repeated.
template <class Key>
class DeadlineQueue {
 public:
  // kNever: the key needs no attention.
  void set(const Key& key, TimePoint due) {
    const auto known = due_.find(key);
    if (known != due_.end()) {
      if (known->second == due) return;
      order_.erase({known->second, key});
      due_.erase(known);
    }
    if (due == kNever) return;
    due_.emplace(key, due);
    order_.insert({due, key});
  }
  void remove(const Key& key) { set(key, kNever); }

  [[nodiscard]] TimePoint next() const { return order_.empty() ? kNever : order_.begin()->first; }
  // One key that is due, taken out.
  std::optional<Key> pop(TimePoint now) {
    if (next() > now || order_.empty()) return std::nullopt;
    const Key key = order_.begin()->second;
    remove(key);
    return key;
  }

 private:
  std::unordered_map<Key, TimePoint, base::FixedBytesHash> due_;
  std::set<std::pair<TimePoint, Key>> order_;
};

}  // namespace meshstow::reticulum
