#include "reticulum/packet_filter.hpp"

#include <utility>

namespace meshstow::reticulum {

bool PacketFilter::Set::contains(std::uint64_t key) const {
  if (slots.empty()) return false;
  const std::size_t mask = slots.size() - 1;
  for (std::size_t i = key & mask; slots[i] != 0; i = (i + 1) & mask) {
    if (slots[i] == key) return true;
  }
  return false;
}

void PacketFilter::Set::place(std::uint64_t key) {
  const std::size_t mask = slots.size() - 1;
  std::size_t i = key & mask;
  while (slots[i] != 0) i = (i + 1) & mask;
  slots[i] = key;
}

void PacketFilter::Set::insert(std::uint64_t key) {
  if (2 * (count + 1) > slots.size()) {
    const auto old = std::exchange(slots, {});
    slots.resize(old.empty() ? 64 : 2 * old.size());
    for (const std::uint64_t kept : old) {
      if (kept != 0) place(kept);
    }
  }
  place(key);
  ++count;
}

std::uint64_t PacketFilter::fingerprint(const Hash32& packet) const {
  std::uint64_t mixed = base::read_big_endian(packet.view().first(8)) ^ salt_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  mixed ^= mixed >> 31;
  return mixed == 0 ? 1 : mixed;
}

bool PacketFilter::contains(const Hash32& packet) const {
  const std::uint64_t key = fingerprint(packet);
  return current_.contains(key) || previous_.contains(key);
}

bool PacketFilter::insert(const Hash32& packet) {
  const std::uint64_t key = fingerprint(packet);
  if (current_.contains(key) || previous_.contains(key)) return false;
  if (current_.count >= generation_) previous_ = std::exchange(current_, {});
  current_.insert(key);
  return true;
}

}  // namespace meshstow::reticulum
