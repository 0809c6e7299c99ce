// base/lru_cache.hpp: values by name, bounded in bytes; the one longest unused goes first.
#pragma once

#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace meshstow::base {

template <class Value>
class LruCache {
 public:
  explicit LruCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // nullptr: not there. Good until the next call.
  Value* find(const std::string& name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->value;
  }

  // `bytes`: what the value holds.
  void keep(const std::string& name, Value value, std::size_t bytes) {
    remove(name);
    const std::size_t cost = bytes + name.size() + kOverhead;
    if (cost > most_bytes_) return;
    entries_.push_front({name, std::move(value), cost});
    by_name_.emplace(name, entries_.begin());
    bytes_ += cost;
    while (bytes_ > most_bytes_) remove(std::prev(entries_.end()));
  }

  void remove(const std::string& name) {
    const auto found = by_name_.find(name);
    if (found != by_name_.end()) remove(found->second);
  }

  void clear() {
    by_name_.clear();
    entries_.clear();
    bytes_ = 0;
  }

 private:
  struct Entry {
    std::string name;
    Value value;
    std::size_t cost = 0;
  };
  using Entries = std::list<Entry>;
  static constexpr std::size_t kOverhead = sizeof(Entry) + 96;  // of list and map

  void remove(typename Entries::iterator entry) {
    bytes_ -= entry->cost;
    by_name_.erase(entry->name);
    entries_.erase(entry);
  }

  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  Entries entries_;  // last used first
  std::unordered_map<std::string, typename Entries::iterator> by_name_;
};

}  // namespace meshstow::base
