// storage/store_shared.hpp: what the writer and the readers of one engine tell one another.
// Threading: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace meshstow::storage {

// Which stored bodies are being read, so that nobody reclaims them. A reader pins, then looks in a
// fresh snapshot that the body is still referenced; the writer reclaims only bodies that were
// unreferenced before its transaction began. So either the reader sees that it is too late, or the
// writer sees the pin.
class ContentPins {
 public:
  void pin(std::int64_t content) {
    const std::lock_guard lock(mutex_);
    ++pins_[content];
  }

  void unpin(std::int64_t content) {
    const std::lock_guard lock(mutex_);
    const auto found = pins_.find(content);
    if (found != pins_.end() && --found->second == 0) pins_.erase(found);
  }

  [[nodiscard]] bool pinned(std::int64_t content) const {
    const std::lock_guard lock(mutex_);
    return pins_.contains(content);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::int64_t, std::uint32_t> pins_;
};

struct StoreShared {
  ContentPins pins;
  // Grows after every commit, before anybody hears that it was done: what a reader has read since
  // it looked is the newest acknowledged state as long as the number is the same.
  std::atomic<std::uint64_t> commits{0};
  // What the writer knows of the wall clock (storage/lived_time.hpp); 0: it never jumped.
  std::atomic<std::int64_t> clock_jump_seconds{0};
  std::atomic<bool> sweep_is_held{false};
};

}  // namespace meshstow::storage
