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

// What the kernel takes of an answer before it is read. It would take 4 MiB, and a flood of
// connections that read nothing would keep the loop busy with filling them.
inline constexpr int kHttpSendBuffer = 256 * 1024;

}  // namespace meshstow::limits
