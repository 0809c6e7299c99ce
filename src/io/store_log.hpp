// io/store_log.hpp: has a store's write-ahead log kept what was acknowledged? Internal to io.
//
// SQLite takes a log that lost its end, or has a damaged page, for a shorter one and says nothing.
// So the number of pages that hold acknowledged commits is noted in a small file beside it
// (store.sqlite-mark; docs/FORMAT.md) and compared with the log before the next opening. The mark
// outlives the process. It is synced only before the log is begun anew: else what SQLite has synced
// is at least as much.
// Threading: objects belong to the disk thread. Source: sqlite.org/fileformat2.html, 4.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/file_system.hpp"

namespace meshstow::io {

// How many pages of the log SQLite will take for committed; 0 where there is none.
[[nodiscard]] std::uint32_t whole_log_pages(const std::filesystem::path& store);

class StoreLogMark {
 public:
  explicit StoreLogMark(const std::filesystem::path& store);
  [[nodiscard]] std::uint32_t noted() const { return noted_; }
  void note(std::uint32_t pages);

 private:
  std::filesystem::path path_;
  std::uint32_t noted_ = 0;
  FileHandle file_;  // opened for the first note
};

// Keeps a copy of a damaged log, for whoever wants to look what was in it: its name, or why it
// could not be kept. Until somebody removes it, `check` tells of it (lost_logs).
[[nodiscard]] FileResult<std::filesystem::path> keep_lost_log(const std::filesystem::path& store);
[[nodiscard]] std::vector<std::filesystem::path> lost_logs(const std::filesystem::path& store);

}  // namespace meshstow::io
