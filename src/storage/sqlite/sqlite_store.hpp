// storage/sqlite/sqlite_store.hpp: the engine that keeps a space in one SQLite file.
//
// Write-ahead log, synchronous=FULL, one connection for writes and one for each reader;
// docs/FORMAT.md describes the file. Files are touched through SQLite only. The index of the log is
// kept in memory, not in a shared file: a full disk or a file cut short under a mapping cannot kill
// the process, and readers lock nothing. So no other process can use the file meanwhile, unless it
// had it open before.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "storage/local_store.hpp"

namespace meshstow::storage {

struct SqliteOptions {
  std::string vfs;           // name of a registered VFS; empty: the system's, for one process
  int cache_kib = 4 * 1024;  // of pages, for the writer
  int reader_cache_kib = 2 * 1024;
  bool read_only = false;  // the file system cannot be written: writes are refused, reads go on
  bool has_log = false;    // read_only: a log that is not empty lies beside the file
  // How many pages of the log hold acknowledged commits: told after each of these, and 0 once all
  // of them are in the file.
  std::function<void(std::uint32_t pages)> note_log = nullptr;
};

// Opens the file, or makes it. Errc::corrupt: damaged, or no store of ours; Errc::limit: written by
// a newer program; either way the file stays as it is. Errc::unavailable: it cannot be opened.
[[nodiscard]] Result<std::unique_ptr<LocalStore>> open_sqlite_store(
    const std::string& path, const SqliteOptions& options = {});

}  // namespace meshstow::storage
