// reticulum/packet_filter.hpp: which packets have been here before.
//
// Two generations of 8-byte fingerprints: when the current one holds limits::kPacketHashes it
// becomes the previous one, so that memory is bounded (8 MiB a generation) and nothing is forgotten
// all at once. Source: facts/reticulum.md 10.1.2.
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "base/limits.hpp"

namespace meshstow::reticulum {

class PacketFilter {
 public:
  // `salt` is secret: it keeps others from choosing packets that fall into the same slots.
  explicit PacketFilter(std::uint64_t salt, std::size_t generation = limits::kPacketHashes)
      : salt_(salt), generation_(generation) {}

  [[nodiscard]] bool contains(const Hash32& packet) const;
  // False if it was there already.
  bool insert(const Hash32& packet);

 private:
  // Open addressing, never more than half full; 0 marks an empty slot.
  struct Set {
    std::vector<std::uint64_t> slots;
    std::size_t count = 0;
    [[nodiscard]] bool contains(std::uint64_t key) const;
    void insert(std::uint64_t key);
    void place(std::uint64_t key);
  };
  [[nodiscard]] std::uint64_t fingerprint(const Hash32& packet) const;

  std::uint64_t salt_;
  std::size_t generation_;
  Set current_;
  Set previous_;
};

}  // namespace meshstow::reticulum
