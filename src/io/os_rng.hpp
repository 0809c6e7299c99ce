// io/os_rng.hpp: randomness of the operating system (getrandom). Threading: any thread, no state.
#pragma once

#include "base/rng.hpp"

namespace meshstow::io {

class OsRng final : public base::Rng {
 public:
  void fill(MutableByteView out) override;
};

}  // namespace meshstow::io
