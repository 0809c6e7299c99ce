// storage/usage_book.hpp: the writer's counts of documents and bytes per module, written once per
// transaction. A module is counted per category, under the node of its folder; documents that lie
// directly in a category are counted under the category's node.
#pragma once

#include <unordered_map>

#include "storage/space_record.hpp"

namespace meshstow::storage {

class UsageBook {
 public:
  UsageBook(LocalStore& store, RecordBox& box) : store_(store), box_(box) {}

  // For reading and changing; stays valid until forget(). Errc::corrupt.
  [[nodiscard]] Result<UsageRecord*> of(NodeId usage) {
    const auto found = known_.find(usage);
    if (found != known_.end()) return &found->second.now;
    auto loaded = load_usage(store_.view(), box_, usage);
    if (!loaded) return fail(loaded.error());
    return &known_.emplace(usage, Counted{*loaded, *loaded}).first->second.now;
  }

  void flush() {
    for (auto& [usage, counted] : known_) {
      if (counted.now == counted.stored) continue;
      store_usage(store_, box_, usage, counted.now);
      counted.stored = counted.now;
    }
  }

  void forget() { known_.clear(); }
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  struct Counted {
    UsageRecord now;
    UsageRecord stored;
  };
  LocalStore& store_;
  RecordBox& box_;
  std::unordered_map<NodeId, Counted> known_;
};

}  // namespace meshstow::storage
