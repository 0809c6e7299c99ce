#include "base/rng.hpp"

namespace meshstow::base {

std::uint64_t SeededRng::step() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

void SeededRng::fill(MutableByteView out) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) word = step();
    out[i] = static_cast<Byte>(word >> (8 * (i % 8)));
  }
}

}  // namespace meshstow::base
