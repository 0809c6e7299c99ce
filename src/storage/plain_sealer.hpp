// storage/plain_sealer.hpp: a Sealer with a fixed key, for tests, the simulator and benchmarks of
// the store alone. It seals for real (ChaCha20-Poly1305) and has no key management. NOT for a
// person's data.
#pragma once

#include "storage/sealer.hpp"

namespace meshstow::storage {

// Equal seeds open each other's records.
[[nodiscard]] std::unique_ptr<Sealer> make_plain_sealer(std::uint64_t seed = 1);

}  // namespace meshstow::storage
