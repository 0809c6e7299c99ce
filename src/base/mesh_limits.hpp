// base/mesh_limits.hpp: the part of limits.hpp that links and interfaces share out. What lies
// beyond each bound, and who shares it, stands in docs/BOUNDS.md. Units as there.
#pragma once

#include "base/limits.hpp"

namespace meshstow::limits {

// Packets of strangers.
inline constexpr std::size_t kChecksPerTurn = 3;             // count: signatures, opened pieces
inline constexpr std::size_t kUncheckedPerInterface = 1024;  // count, of one kind
inline constexpr std::size_t kUnchecked = 8192;              // count, of one kind
inline constexpr std::size_t kRememberedChecks = 16'384;     // announces, per generation

// Links: a quarter of limits::kLinks for each part.
inline constexpr std::size_t kOwnLinks = kLinks / 4;        // opened by us
inline constexpr std::size_t kHalfOpenLinks = kLinks / 4;   // asked for and not set up
inline constexpr std::size_t kAnonymousLinks = kLinks / 4;  // no token shown
inline constexpr std::size_t kFavouredLinks = kLinks / 4;   // a valid token shown
inline constexpr std::size_t kDueLinksPerTurn = 64;         // count

// Contents.
inline constexpr std::size_t kIncomingSegments = 64;                // of one part of the links
inline constexpr std::size_t kDecompressedSegment = 1024UL * 1024;  // RNS sends no larger one
inline constexpr std::size_t kOpenedPerTurn = 64UL * 1024;          // of compressed segments
inline constexpr std::size_t kOutgoingPerLink = 256;                // count, to be taken
inline constexpr std::size_t kOutgoingBytesPerLink = 16UL * 1024 * 1024;
inline constexpr std::size_t kOutgoingBytes = 64UL * 1024 * 1024;    // of one part of the links
inline constexpr std::size_t kCompressedForStrangers = 16UL * 1024;  // of an answer

// Drivers.
inline constexpr std::size_t kInterfaceRead = 32UL * 1024;    // of a connection, in its share
inline constexpr std::size_t kPacketsPerShare = 32;           // of a connection, in its share
inline constexpr std::chrono::microseconds kInputShare{250};  // of a connection, in a turn
inline constexpr std::chrono::microseconds kInputTurn{500};   // of all connections, then others
inline constexpr std::size_t kKnownChanges = 1024;            // destinations saved at a time

}  // namespace meshstow::limits
