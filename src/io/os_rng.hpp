// io/os_rng.hpp: randomness of the operating system (getrandom). Threading: any thread.
//
// A call of the system costs more than sealing a record with what it gives, so each thread keeps a
// small reserve; every byte of it is given once, and overwritten then.
#pragma once

#include "base/rng.hpp"

namespace meshstow::io {

class OsRng final : public base::Rng {
 public:
  void fill(MutableByteView out) override;
};

}  // namespace meshstow::io
