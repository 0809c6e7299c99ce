// base/http_limits.hpp: the part of limits.hpp that HTTP connections share out. What lies beyond
// each bound stands in docs/BOUNDS.md. Units as there.
#pragma once

#include "base/limits.hpp"

namespace meshstow::limits {

// Heads that do not end, and bodies that are not taken yet.
inline constexpr std::size_t kHttpInput = 64 * 1024 * 1024;
inline constexpr std::size_t kHttpInputOfOwner = 8 * 1024 * 1024;
inline constexpr std::size_t kHttpInputOfStrangers = 32 * 1024 * 1024;
inline constexpr std::size_t kHttpInputUncounted = 4096;  // of each connection: most heads

}  // namespace meshstow::limits
