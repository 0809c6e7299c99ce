// base/rng.hpp: randomness as an argument. One source per node; the daemon's is the operating
// system's (io/os_rng.hpp), a test's or the simulator's is seeded and repeats.
#pragma once

#include "base/bytes.hpp"

namespace meshstow::base {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(MutableByteView out) = 0;

  template <std::size_t N>
  FixedBytes<N> bytes() {
    FixedBytes<N> out;
    fill(out.bytes);
    return out;
  }

  std::uint64_t next_u64() { return read_big_endian(bytes<8>().view()); }

  // Uniform enough for jitter: in [0, bound); 0 if bound is 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next_u64() % bound; }
};

// Repeatable and NOT secret: tests and the simulator only. (splitmix64)
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  void fill(MutableByteView out) override;

 private:
  std::uint64_t step();
  std::uint64_t state_;
};

}  // namespace meshstow::base
