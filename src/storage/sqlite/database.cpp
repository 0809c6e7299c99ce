#include "storage/sqlite/database.hpp"

#include <sqlite3.h>
#include <utility>

namespace meshstow::storage {
namespace {

constexpr int kBusyMilliseconds = 10'000;  // another connection of ours recovers or checkpoints

// SQLite's own for one process with several connections, and for files that nobody can change.
constexpr const char* kOneProcess = "unix-excl";
constexpr const char* kManyProcesses = "unix";
constexpr const char* kNoLocks = "unix-none";

}  // namespace

Error error_from_sqlite(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL: return {Errc::limit, "the disk is full"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return {Errc::corrupt, "the store's file is damaged"};
    case SQLITE_READONLY: return {Errc::unavailable, "the store's file cannot be written"};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: return {Errc::unavailable, "the store's file cannot be opened"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return {Errc::unavailable, "another process uses the store"};
    case SQLITE_IOERR: return {Errc::unavailable, "the disk failed"};
    case SQLITE_NOMEM: return {Errc::unavailable, "out of memory"};
    default: return {Errc::internal, "SQLite refused"};
  }
}

Database::~Database() {
  if (handle_ != nullptr) sqlite3_close_v2(handle_);
}

Result<void> Database::open(const std::string& path, const std::string& vfs, bool may_create) {
  const int flags = SQLITE_OPEN_READWRITE | (may_create ? SQLITE_OPEN_CREATE : 0);
  if (!vfs.empty()) return open(path, vfs, flags);
  auto opened = open(path, kOneProcess, flags);
  if (!opened || !is_shared()) return opened;
  // Somebody looks into the file with a tool: share it, as SQLite does among processes.
  sqlite3_close_v2(std::exchange(handle_, nullptr));
  return open(path, kManyProcesses, flags);
}

bool Database::is_shared() {
  sqlite3_busy_timeout(handle_, 0);
  const int code = sqlite3_exec(handle_, "PRAGMA schema_version", nullptr, nullptr, nullptr);
  sqlite3_busy_timeout(handle_, kBusyMilliseconds);
  return (code & 0xFF) == SQLITE_BUSY;
}

// SQLite wants to write beside a file with a log, unless it is told that nothing can change.
Result<void> Database::open_read_only(const std::string& path, bool has_log) {
  std::string name = "file:";
  for (const char c : path) {
    constexpr const char* kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    const bool special = c == '%' || c == '?' || c == '#';
    name += special ? std::string{'%', kDigits[byte >> 4], kDigits[byte & 15]} : std::string{c};
  }
  if (!has_log) name += "?immutable=1";
  auto opened = open(name, kNoLocks, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  if (!opened || !has_log) return opened;
  return execute("PRAGMA locking_mode=EXCLUSIVE");  // keeps the log's index in memory
}

Result<void> Database::open(const std::string& name, const std::string& vfs, int flags) {
  const int code =
      sqlite3_open_v2(name.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, vfs.c_str());
  if (code != SQLITE_OK) return fail(error_from_sqlite(code));
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kBusyMilliseconds);
  // A file that we then refuse must stay as it is; the store turns this off when it has not.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return {};
}

Result<void> Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error_from_sqlite(code));
  return {};
}

Result<std::int64_t> Database::number(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr);
  std::int64_t out = 0;
  if (code == SQLITE_OK) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) out = sqlite3_column_int64(statement, 0);
  }
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW && code != SQLITE_DONE) return fail(error_from_sqlite(code));
  return out;
}

void Database::note_error(int code) {
  if (!error_) error_ = error_from_sqlite(code);
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement::Use::Use(Statement& statement) : database_(statement.database_), handle_(nullptr) {
  if (database_.error()) return;
  if (statement.handle_ == nullptr) {
    const int code = sqlite3_prepare_v3(database_.handle(), statement.sql_, -1,
                                        SQLITE_PREPARE_PERSISTENT, &statement.handle_, nullptr);
    if (code != SQLITE_OK) {
      database_.note_error(code);
      return;
    }
  }
  handle_ = statement.handle_;
}

Statement::Use::~Use() {
  if (handle_ != nullptr) sqlite3_reset(handle_);
}

Statement::Use& Statement::Use::bind(std::int64_t value) {
  if (handle_ != nullptr) sqlite3_bind_int64(handle_, next_parameter_++, value);
  return *this;
}

Statement::Use& Statement::Use::bind(ByteView value) {
  if (handle_ == nullptr) return *this;
  const void* data = value.empty() ? "" : static_cast<const void*>(value.data());
  sqlite3_bind_blob64(handle_, next_parameter_++, data, value.size(), SQLITE_STATIC);
  return *this;
}

bool Statement::Use::step() {
  if (handle_ == nullptr || database_.error()) return false;
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.note_error(code);
  return false;
}

std::int64_t Statement::Use::integer(int column) const {
  return sqlite3_column_int64(handle_, column);
}

ByteView Statement::Use::blob(int column) const {
  const void* data = sqlite3_column_blob(handle_, column);
  if (data == nullptr) return {};
  return {static_cast<const Byte*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

Bytes Statement::Use::bytes(int column) const { return base::to_bytes(blob(column)); }

}  // namespace meshstow::storage
