// What store_bench compares: raw SQLite as one would use it for the purpose, and the store as the
// node opens it, with the sealer of a space.
#pragma once

#include <chrono>
#include <ctime>
#include <sqlite3.h>
#include <string>

#include "access/storage_encryption.hpp"
#include "base/check.hpp"
#include "node/storage_node.hpp"
#include "storage/remote_storage.hpp"
#include "storage/sqlite/sqlite_store.hpp"

namespace meshstow::bench {

using Clock = std::chrono::steady_clock;

inline constexpr std::size_t kDocument = 1024;
inline constexpr std::size_t kFolders = 16;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Of this process: what a busy machine does not distort.
inline double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

inline Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  Bytes out(size);
  base::SeededRng(seed).fill(out);
  return out;
}

// A table, a unique index, the store's own settings.
class RawSqlite {
 public:
  RawSqlite(const std::string& path, int cache_kib) {
    run(sqlite3_open(path.c_str(), &handle_));
    execute(("PRAGMA cache_size=-" + std::to_string(cache_kib)).c_str());
    execute(
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=4096;"
        "CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, "
        "key BLOB NOT NULL, value BLOB NOT NULL);"
        "CREATE UNIQUE INDEX IF NOT EXISTS by_key ON raw (key)");
    prepare("INSERT INTO raw (key, value) VALUES (?, ?)", insert_);
    prepare("SELECT value FROM raw WHERE key=?", select_);
  }
  ~RawSqlite() {
    sqlite3_finalize(insert_);
    sqlite3_finalize(select_);
    sqlite3_close(handle_);
  }
  RawSqlite(const RawSqlite&) = delete;
  RawSqlite& operator=(const RawSqlite&) = delete;

  void execute(const char* sql) { run(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)); }

  void put(const Hash16& key, ByteView value) {
    bind(insert_, 1, key.view());
    bind(insert_, 2, value);
    MESHSTOW_CHECK(sqlite3_step(insert_) == SQLITE_DONE);
    sqlite3_reset(insert_);
  }

  Bytes get(const Hash16& key) {
    bind(select_, 1, key.view());
    Bytes copy;
    if (sqlite3_step(select_) == SQLITE_ROW) {
      const auto* data = static_cast<const Byte*>(sqlite3_column_blob(select_, 0));
      copy.assign(data, data + sqlite3_column_bytes(select_, 0));
    }
    sqlite3_reset(select_);
    return copy;
  }

 private:
  static void run(int code) { MESHSTOW_CHECK(code == SQLITE_OK); }
  void prepare(const char* sql, sqlite3_stmt*& out) {
    run(sqlite3_prepare_v2(handle_, sql, -1, &out, nullptr));
  }
  static void bind(sqlite3_stmt* statement, int index, ByteView value) {
    run(sqlite3_bind_blob(statement, index, value.data(), static_cast<int>(value.size()),
                          SQLITE_STATIC));
  }
  sqlite3* handle_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
};

// `rng` outlives it.
inline std::unique_ptr<storage::RemoteStorage> open_space(const std::string& path, base::Rng& rng) {
  const Now now{TimePoint{}, base::wall_from_unix_seconds(1'800'000'000)};
  base::SeededRng key_rng(11);  // the same key for a file that is opened again
  auto engine = storage::open_sqlite_store(path);
  MESHSTOW_CHECK(engine);
  auto space = storage::RemoteStorage::open(
      std::move(*engine), node::make_space_sealer(access::SpaceKey::generate(key_rng), rng), rng,
      {}, now);
  MESHSTOW_CHECK(space);
  return std::move(*space);
}

// The store without its thread: batches as large as the caller makes them.
class Space {
 public:
  explicit Space(const std::string& path) : storage_(open_space(path, rng_)) {
    auto reader = storage_->make_reader();
    MESHSTOW_CHECK(reader);
    reader_ = std::move(*reader);
  }

  void write(std::vector<storage::StoreRequest> requests) {
    now_.mono += std::chrono::milliseconds{1};
    for (const storage::StoreReply& reply : storage_->execute_batch(now_, requests)) {
      MESHSTOW_CHECK(reply.outcome);
    }
  }
  void write(storage::Operation operation) {
    std::vector<storage::StoreRequest> one;
    one.push_back({1, std::move(operation)});
    write(std::move(one));
  }

  storage::Answer read(storage::Operation operation) {
    storage::StoreReply reply = reader_->execute({1, std::move(operation)});
    MESHSTOW_CHECK(reply.outcome);
    return std::move(*reply.outcome);
  }

 private:
  base::SeededRng rng_{1};
  Now now_{TimePoint{}, base::wall_from_unix_seconds(1'800'000'000)};
  std::unique_ptr<storage::RemoteStorage> storage_;
  std::unique_ptr<storage::StorageReader> reader_;
};

inline codec::StoragePath path_of(std::uint64_t number, std::size_t folders = kFolders) {
  return *codec::StoragePath::parse("/private/bench/folder" + std::to_string(number % folders) +
                                    "/document-" + std::to_string(number));
}

}  // namespace meshstow::bench
