// store_bench: the store beside raw SQLite doing the same bytes at the same group size, in one run.
// One JSON object on standard output. The goals: issue "A store to trust with everything".
//
//   store_bench DIR puts COUNT GROUP       durable writes of 1 KiB, GROUP to a transaction
//   store_bench DIR gets DOCUMENTS COUNT   reads of 1 KiB out of DOCUMENTS
//   store_bench DIR large MEGABYTES        one document written and read in pieces; the raw disk
//   and
//                                          the AEAD beside it
//   store_bench DIR scale DOCUMENTS        cost of one put and one get at that many siblings
//   store_bench DIR latency SECONDS        single puts while history is being reclaimed
//
// DIR must exist, is on the disk to be measured, and keeps the files. Rates are per second.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sqlite3.h>
#include <string>
#include <unistd.h>

#include "base/check.hpp"
#include "crypto/cipher.hpp"
#include "storage/plain_sealer.hpp"
#include "storage/remote_storage.hpp"
#include "storage/sqlite/sqlite_store.hpp"

namespace meshstow::bench {
namespace {

using namespace meshstow::storage;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kDocument = 1024;
constexpr std::size_t kPiece = 1 << 20;
constexpr std::size_t kFolders = 16;

// Of this process: what a busy machine does not distort.
double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  Bytes out(size);
  base::SeededRng(seed).fill(out);
  return out;
}

// Raw SQLite as one would use it for the purpose: a table, a unique index, the same settings.
class Raw {
 public:
  explicit Raw(const std::string& path) {
    run(sqlite3_open(path.c_str(), &handle_));
    execute(
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=4096;"
        "PRAGMA cache_size=-8192;CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, "
        "key BLOB NOT NULL, value BLOB NOT NULL);"
        "CREATE UNIQUE INDEX IF NOT EXISTS by_key ON raw (key)");
    prepare("INSERT INTO raw (key, value) VALUES (?, ?)", insert_);
    prepare("SELECT value FROM raw WHERE key=?", select_);
  }
  ~Raw() {
    sqlite3_finalize(insert_);
    sqlite3_finalize(select_);
    sqlite3_close(handle_);
  }

  void execute(const char* sql) { run(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)); }

  void put(const Hash16& key, ByteView value) {
    bind(insert_, 1, key.view());
    bind(insert_, 2, value);
    MESHSTOW_CHECK(sqlite3_step(insert_) == SQLITE_DONE);
    sqlite3_reset(insert_);
  }

  std::size_t get(const Hash16& key) {
    bind(select_, 1, key.view());
    std::size_t size = 0;
    if (sqlite3_step(select_) == SQLITE_ROW) {
      const auto* data = static_cast<const Byte*>(sqlite3_column_blob(select_, 0));
      const Bytes copy(data, data + sqlite3_column_bytes(select_, 0));
      size = copy.size();
    }
    sqlite3_reset(select_);
    return size;
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

class Ours {
 public:
  explicit Ours(const std::string& path) {
    auto engine = open_sqlite_store(path);
    MESHSTOW_CHECK(engine);
    auto storage = RemoteStorage::open(std::move(*engine), make_plain_sealer(), rng_, {}, now_);
    MESHSTOW_CHECK(storage);
    storage_ = std::move(*storage);
    auto reader = storage_->make_reader();
    MESHSTOW_CHECK(reader);
    reader_ = std::move(*reader);
  }

  static StoragePath path_of(std::uint64_t number, std::size_t folders = kFolders) {
    return *StoragePath::parse("/private/bench/folder" + std::to_string(number % folders) +
                               "/document-" + std::to_string(number));
  }

  void write(std::vector<StoreRequest> requests) {
    now_.mono += std::chrono::milliseconds{1};
    for (const StoreReply& reply : storage_->execute_batch(now_, requests)) {
      MESHSTOW_CHECK(reply.outcome);
    }
  }
  void write(Operation operation) {
    std::vector<StoreRequest> one;
    one.push_back({1, std::move(operation)});
    write(std::move(one));
  }

  Answer read(Operation operation) {
    StoreReply reply = reader_->execute({1, std::move(operation)});
    MESHSTOW_CHECK(reply.outcome);
    return std::move(*reply.outcome);
  }

  RemoteStorage& storage() { return *storage_; }
  const Now& now() const { return now_; }

 private:
  base::SeededRng rng_{1};
  Now now_{TimePoint{}, base::wall_from_unix_seconds(1'800'000'000)};
  std::unique_ptr<RemoteStorage> storage_;
  std::unique_ptr<StorageReader> reader_;
};

double put_raw(Raw& raw, base::SeededRng& keys, std::size_t count, std::size_t group,
               const Bytes& body) {
  const auto begin = Clock::now();
  for (std::size_t done = 0; done < count; done += group) {
    raw.execute("BEGIN IMMEDIATE");
    for (std::size_t i = 0; i < group; ++i) raw.put(keys.bytes<16>(), body);
    raw.execute("COMMIT");
  }
  return static_cast<double>(count) / seconds_since(begin);
}

double put_ours(Ours& ours, std::size_t from, std::size_t count, std::size_t group,
                const Bytes& body) {
  const auto begin = Clock::now();
  for (std::size_t done = 0; done < count; done += group) {
    std::vector<StoreRequest> batch;
    for (std::size_t i = 0; i < group; ++i) {
      batch.push_back({i, PutDocument{Ours::path_of(from + done + i), "text/plain", {}, body}});
    }
    ours.write(std::move(batch));
  }
  return static_cast<double>(count) / seconds_since(begin);
}

std::string puts(const std::string& dir, std::size_t count, std::size_t group) {
  const Bytes body = random_bytes(kDocument, 1);
  Raw raw(dir + "/raw.db");
  Ours ours(dir + "/ours.db");
  // In turns, so that a noisy moment of the machine meets both.
  base::SeededRng keys(3);
  double raw_rate = 0;
  double our_rate = 0;
  constexpr std::size_t kTurns = 4;
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    raw_rate += put_raw(raw, keys, count / kTurns, group, body) / kTurns;
    our_rate += put_ours(ours, turn * count, count / kTurns, group, body) / kTurns;
  }
  char out[256];
  std::snprintf(out, sizeof out, R"({"group": %zu, "raw": %.0f, "ours": %.0f, "share": %.2f})",
                group, raw_rate, our_rate, our_rate / raw_rate);
  return out;
}

std::string gets(const std::string& dir, std::size_t documents, std::size_t count) {
  const Bytes body = random_bytes(kDocument, 1);
  Raw raw(dir + "/raw.db");
  Ours ours(dir + "/ours.db");
  base::SeededRng written(3);
  put_raw(raw, written, documents, 64, body);
  put_ours(ours, 0, documents, 64, body);
  base::SeededRng all(3);
  std::vector<Hash16> keys(documents);
  for (Hash16& key : keys) key = all.bytes<16>();
  base::SeededRng which(4);
  double raw_cpu = cpu_seconds();
  auto begin = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    MESHSTOW_CHECK(raw.get(keys[which.below(documents)]) == kDocument);
  }
  const double raw_rate = static_cast<double>(count) / seconds_since(begin);
  double our_cpu = cpu_seconds();
  raw_cpu = our_cpu - raw_cpu;
  begin = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    const Answer answer = ours.read(OpenDocument{Ours::path_of(which.below(documents)), {}, {}});
    MESHSTOW_CHECK(std::get<OpenedDocument>(answer).first.size() == kDocument);
  }
  const double our_rate = static_cast<double>(count) / seconds_since(begin);
  our_cpu = cpu_seconds() - our_cpu;
  char out[256];
  std::snprintf(
      out, sizeof out,
      R"({"documents": %zu, "raw": %.0f, "ours": %.0f, "share": %.2f, "cpu_share": %.2f})",
      documents, raw_rate, our_rate, our_rate / raw_rate, raw_cpu / our_cpu);
  return out;
}

double disk_rate(const std::string& dir, std::size_t megabytes, const Bytes& piece) {
  const std::string file = dir + "/plain";
  const int handle = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
  MESHSTOW_CHECK(handle >= 0);
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < megabytes; ++i) {
    MESHSTOW_CHECK(::write(handle, piece.data(), piece.size()) ==
                   static_cast<ssize_t>(piece.size()));
  }
  MESHSTOW_CHECK(::fdatasync(handle) == 0);
  ::close(handle);
  const double rate = static_cast<double>(megabytes) / seconds_since(begin);
  std::filesystem::remove(file);
  return rate;
}

double aead_rate(std::size_t megabytes) {
  const crypto::Secret32 key(Hash32{}.view());
  const Bytes plain = random_bytes(64 * 1024, 5);
  const auto begin = Clock::now();
  std::size_t total = 0;
  for (std::size_t i = 0; i < megabytes * 16; ++i) {
    total += crypto::aead_seal(key, {}, {}, plain).size();
  }
  MESHSTOW_CHECK(total > 0);
  return static_cast<double>(megabytes) / seconds_since(begin);
}

std::string large(const std::string& dir, std::size_t megabytes) {
  Ours ours(dir + "/ours.db");
  const StoragePath path = *StoragePath::parse("/private/bench/large");
  Bytes piece = random_bytes(kPiece, 6);
  const double disk = disk_rate(dir, megabytes, piece);
  const double aead = aead_rate(std::min<std::size_t>(megabytes, 256));
  base::SeededRng rng(7);
  double making = 0;
  auto begin = Clock::now();
  ours.write(BeginUpload{1, path, std::nullopt});
  for (std::size_t i = 0; i < megabytes; ++i) {
    const auto before = Clock::now();
    rng.fill(piece);
    making += seconds_since(before);
    ours.write(AppendUpload{1, piece});
  }
  ours.write(PutDocument{path, "application/octet-stream", {}, UploadId{1}});
  const double written = static_cast<double>(megabytes) / (seconds_since(begin) - making);
  begin = Clock::now();
  auto opened = std::get<OpenedDocument>(ours.read(OpenDocument{path, {}, {}, 0, kPiece}));
  for (std::size_t i = 1; i < megabytes; ++i) {
    const Answer answer = ours.read(ReadDocument{opened.handle, i * kPiece, kPiece});
    MESHSTOW_CHECK(std::get<ReadPiece>(answer).bytes.size() == kPiece);
  }
  const double read = static_cast<double>(megabytes) / seconds_since(begin);
  const auto size = static_cast<double>(std::filesystem::file_size(dir + "/ours.db"));
  char out[400];
  std::snprintf(out, sizeof out,
                R"({"megabytes": %zu, "disk": %.0f, "aead": %.0f, "write": %.0f, "read": %.0f, )"
                R"("share": %.2f, "file_over_logical": %.3f})",
                megabytes, disk, aead, written, read,
                std::min(written, read) / std::min(disk, aead),
                size / static_cast<double>(megabytes * kPiece));
  return out;
}

std::string scale(const std::string& dir, std::size_t documents) {
  const Bytes body = random_bytes(kDocument, 1);
  Ours ours(dir + "/ours.db");
  const auto path = [](std::uint64_t number) { return Ours::path_of(number, 1); };
  for (std::size_t done = 0; done < documents; done += 256) {
    std::vector<StoreRequest> batch;
    for (std::size_t i = done; i < std::min(done + 256, documents); ++i) {
      batch.push_back({i, PutDocument{path(i), "text/plain", {}, body}});
    }
    ours.write(std::move(batch));
  }
  const auto size = static_cast<double>(std::filesystem::file_size(dir + "/ours.db"));
  constexpr std::size_t kProbes = 2000;
  constexpr std::size_t kGroup = 16;
  base::SeededRng which(4);
  double cpu = cpu_seconds();
  auto begin = Clock::now();
  for (std::size_t done = 0; done < kProbes; done += kGroup) {
    std::vector<StoreRequest> batch;
    for (std::size_t i = 0; i < kGroup; ++i) {
      batch.push_back({i, PutDocument{path(which.below(documents)), "text/plain", {}, body}});
    }
    ours.write(std::move(batch));
  }
  const double put = seconds_since(begin) / kProbes;
  const double put_cpu = (cpu_seconds() - cpu) / kProbes;
  cpu = cpu_seconds();
  begin = Clock::now();
  for (std::size_t i = 0; i < kProbes; ++i) {
    const Answer answer = ours.read(OpenDocument{path(which.below(documents)), {}, {}});
    MESHSTOW_CHECK(std::get<OpenedDocument>(answer).first.size() == kDocument);
  }
  const double get = seconds_since(begin) / kProbes;
  const double get_cpu = (cpu_seconds() - cpu) / kProbes;
  cpu = cpu_seconds();
  const Answer page = ours.read(ListFolder{path(0).parent(), {}, 1000});
  const double list_cpu = cpu_seconds() - cpu;
  char out[400];
  std::snprintf(out, sizeof out,
                R"({"documents": %zu, "put_us": %.1f, "get_us": %.1f, "put_cpu_us": %.1f, )"
                R"("get_cpu_us": %.1f, "list_1000_cpu_us": %.0f, "file_over_logical": %.3f})",
                documents, put * 1e6, get * 1e6, put_cpu * 1e6, get_cpu * 1e6, list_cpu * 1e6,
                size / static_cast<double>(documents * kDocument));
  return out;
}

std::string latency(const std::string& dir, double seconds) {
  Ours ours(dir + "/ours.db");
  for (std::uint64_t i = 0; i < 40; ++i) {  // work for the reclaimer: chunks that nobody wants
    ours.write(BeginUpload{i, Ours::path_of(i), std::nullopt});
    for (std::uint64_t j = 0; j < 8; ++j) {
      ours.write(AppendUpload{i, random_bytes(kPiece, i * 8 + j)});
    }
    ours.write(AbortUpload{i});
  }
  const Bytes body = random_bytes(kDocument, 1);
  std::vector<double> times;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  std::size_t steps = 0;
  for (std::uint64_t i = 0; Clock::now() < end; ++i) {
    steps += ours.storage().reclaim_some(ours.now()) ? 1 : 0;
    const auto begin = Clock::now();
    ours.write(PutDocument{Ours::path_of(i), "text/plain", {}, body});
    times.push_back(seconds_since(begin));
  }
  std::ranges::sort(times);
  char out[256];
  std::snprintf(out, sizeof out,
                R"({"puts": %zu, "steps": %zu, "p50_ms": %.2f, "p99_ms": %.2f, "max_ms": %.2f})",
                times.size(), steps, times[times.size() / 2] * 1e3,
                times[times.size() * 99 / 100] * 1e3, times.back() * 1e3);
  return out;
}

int run(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: store_bench DIR puts|gets|large|scale|latency NUMBER [NUMBER]\n");
    return 2;
  }
  const std::string dir = argv[1];
  const std::string what = argv[2];
  const std::size_t first = std::strtoull(argv[3], nullptr, 10);
  const std::size_t second = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1;
  std::string out;
  if (what == "puts") out = puts(dir, first, second);
  if (what == "gets") out = gets(dir, first, second);
  if (what == "large") out = large(dir, first);
  if (what == "scale") out = scale(dir, first);
  if (what == "latency") out = latency(dir, static_cast<double>(first));
  std::printf("%s\n", out.c_str());
  return out.empty() ? 2 : 0;
}

}  // namespace
}  // namespace meshstow::bench

int main(int argc, char** argv) { return meshstow::bench::run(argc, argv); }
