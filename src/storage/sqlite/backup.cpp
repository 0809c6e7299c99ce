// A consistent copy of a store that is in use: the reading connection holds one snapshot of the
// write-ahead log while SQLite's backup copies it page by page.
#include <sqlite3.h>

#include "storage/sqlite/schema.hpp"
#include "storage/sqlite/sqlite_reader.hpp"

namespace meshstow::storage {
namespace {

constexpr int kPagesAtOnce = 256;
constexpr std::uint64_t kPageSize = 4096;  // docs/FORMAT.md

Result<void> copy_pages(Database& from, Database& to, const BackupProgress& progress) {
  sqlite3_backup* backup = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (backup == nullptr) return fail(error_from_sqlite(sqlite3_errcode(to.handle())));
  int code = SQLITE_OK;
  bool go_on = true;
  while (code == SQLITE_OK && go_on) {
    code = sqlite3_backup_step(backup, kPagesAtOnce);
    if (!progress) continue;
    const auto total = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup));
    const auto left = static_cast<std::uint64_t>(sqlite3_backup_remaining(backup));
    go_on = progress((total - std::min(total, left)) * kPageSize, total * kPageSize);
  }
  sqlite3_backup_finish(backup);
  if (!go_on) return fail(Errc::unavailable, "the copy was stopped");
  if (code != SQLITE_DONE) return fail(error_from_sqlite(code));
  return {};
}

// The copy says of itself that it is one.
Result<void> mark(Database& copy, ByteView key) {
  // One file without a log beside it is easier to carry about; opening it makes a log again.
  if (auto done = copy.execute("PRAGMA journal_mode=DELETE;PRAGMA synchronous=FULL"); !done) {
    return done;
  }
  Statement insert(copy, "INSERT OR REPLACE INTO records (key, value) VALUES (?, x'')");
  Statement::Use(insert).bind(key).run();
  if (copy.error()) return fail(*copy.error());
  return {};
}

}  // namespace

Result<void> SqliteReader::backup(const std::string& path, Bytes mark_key,
                                  const BackupProgress& progress) {
  Database copy;
  if (auto opened = copy.open(path, "", /*may_create=*/true); !opened) return opened;
  const auto tables = copy.number("SELECT count(*) FROM sqlite_schema");
  const auto pages = copy.number("PRAGMA page_count");
  if (!tables || !pages || *tables != 0 || *pages != 0) {
    return fail(Errc::conflict, "there is such a file already");
  }
  begin();
  // A transaction takes its snapshot at its first read.
  Result<void> copied =
      node(1) ? Result<void>{} : fail(Errc::corrupt, "the root folder is missing");
  if (copied) copied = copy_pages(database_, copy, progress);
  end();
  if (!copied) return copied;
  return mark(copy, mark_key);
}

}  // namespace meshstow::storage
