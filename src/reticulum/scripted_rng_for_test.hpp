// reticulum/scripted_rng_for_test.hpp: randomness that was written down, to repeat what a vector's
// maker drew.
#pragma once

#include <deque>

#include "base/rng.hpp"

namespace meshstow::reticulum {

// Gives what was put in, in order; afterwards, seeded bytes.
class ScriptedRng final : public base::Rng {
 public:
  ScriptedRng& then(ByteView bytes) {
    script_.insert(script_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  void fill(MutableByteView out) override {
    for (Byte& byte : out) {
      if (script_.empty()) {
        byte = rest_.bytes<1>().bytes[0];
      } else {
        byte = script_.front();
        script_.pop_front();
      }
    }
  }

 private:
  std::deque<Byte> script_;
  base::SeededRng rest_{1};
};

}  // namespace meshstow::reticulum
