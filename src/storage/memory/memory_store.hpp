// storage/memory/memory_store.hpp: the engine for tests and the simulator:
// the same rows as the SQLite engine, in maps.
//
// A reader waits while a batch of writes is executed (one lock); otherwise as LocalStore promises.
#pragma once

#include <memory>

#include "storage/local_store.hpp"

namespace meshstow::storage {

// What outlives a store that is closed, as a disk would. Threading: any.
class MemoryDisk;
std::shared_ptr<MemoryDisk> make_memory_disk();
// A second disk with the same rows: a snapshot of a machine, for tests.
std::shared_ptr<MemoryDisk> copy(const MemoryDisk& disk);

// Without an argument: an empty disk of its own.
[[nodiscard]] std::unique_ptr<LocalStore> make_memory_store();
[[nodiscard]] std::unique_ptr<LocalStore> make_memory_store(std::shared_ptr<MemoryDisk> disk);

}  // namespace meshstow::storage
