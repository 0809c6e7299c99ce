// store_bench: the store beside raw SQLite doing the same bytes at the same group size, in one run.
// One JSON object on standard output. The goals: issue "A store to trust with everything".
//
//   store_bench DIR puts COUNT WRITERS     durable puts of 1 KiB by WRITERS, each waiting for its
//                                          answer; raw SQLite: WRITERS rows to a transaction
//   store_bench DIR gets DOCUMENTS COUNT   reads of 1 KiB out of DOCUMENTS
//   store_bench DIR large MEGABYTES        one document written and read in pieces; the raw disk
//                                          and the AEAD beside it
//   store_bench DIR scale DOCUMENTS        cost of one put and one get at that many siblings
//   store_bench DIR list DOCUMENTS         a folder of so many names, to the JSON that HTTP sends
//   store_bench DIR latency COUNT          COUNT puts of one writer, and as many during compaction
//
// DIR must exist, is on the disk to be measured, and keeps the files. Rates are per second.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <unistd.h>

#include "crypto/cipher.hpp"
#include "io/clock.hpp"
#include "io/disk_thread.hpp"
#include "io/os_rng.hpp"
#include "protocol/folder_description.hpp"
#include "store_subjects.hpp"

namespace meshstow::bench {
namespace {

using namespace meshstow::storage;

constexpr std::size_t kPiece = 1 << 20;

// Writers as the node has them: one loop, the disk thread, each writer with one put under way.
class Writers {
 public:
  explicit Writers(const std::string& path) {
    auto disk = io::DiskThread::start(loop_, open_space(path, rng_));
    MESHSTOW_CHECK(disk);
    disk_ = std::move(*disk);
  }

  // Seconds that `count` puts took.
  double put(std::size_t count, std::size_t writers) {
    times_.clear();
    left_ = count;
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < writers; ++i) next();
    loop_.restart();
    loop_.run();
    return seconds_since(begin);
  }
  // Milliseconds from a put to its answer, sorted, of the last put().
  std::vector<double> sorted_times() {
    std::ranges::sort(times_);
    return times_;
  }
  io::DiskThread& disk() { return *disk_; }

 private:
  void next() {
    if (left_ == 0) return;
    --left_;
    disk_->submit(PutDocument{path_of(number_++, 1), "text/plain", {}, body_},
                  [this, begin = Clock::now()](const Outcome<Answer>& answer) {
                    MESHSTOW_CHECK(answer);
                    times_.push_back(seconds_since(begin) * 1e3);
                    next();
                  });
  }

  io::OsRng rng_;
  boost::asio::io_context loop_{1};
  std::unique_ptr<io::DiskThread> disk_;
  const Bytes body_ = random_bytes(kDocument, 1);
  std::uint64_t number_ = 0;
  std::size_t left_ = 0;
  std::vector<double> times_;
};

double put_raw(RawSqlite& raw, base::SeededRng& keys, std::size_t count, std::size_t group,
               const Bytes& body) {
  const auto begin = Clock::now();
  for (std::size_t done = 0; done < count; done += group) {
    raw.execute("BEGIN IMMEDIATE");
    for (std::size_t i = 0; i < group; ++i) raw.put(keys.bytes<16>(), body);
    raw.execute("COMMIT");
  }
  return seconds_since(begin);
}

std::string puts(const std::string& dir, std::size_t count, std::size_t writers) {
  const Bytes body = random_bytes(kDocument, 1);
  RawSqlite raw(dir + "/raw.db", SqliteOptions{}.cache_kib);
  Writers ours(dir + "/ours.db");
  // In turns, so that a noisy moment of the machine meets both.
  base::SeededRng keys(3);
  constexpr std::size_t kTurns = 8;
  double raw_time = 0;
  double our_time = 0;
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    raw_time += put_raw(raw, keys, count / kTurns, writers, body);
    our_time += ours.put(count / kTurns, writers);
  }
  const auto all = static_cast<double>(count);
  char out[256];
  std::snprintf(out, sizeof out, R"({"writers": %zu, "raw": %.0f, "ours": %.0f, "share": %.2f})",
                writers, all / raw_time, all / our_time, raw_time / our_time);
  return out;
}

void fill(Space& space, std::size_t documents, std::size_t folders) {
  const Bytes body = random_bytes(kDocument, 1);
  for (std::size_t done = 0; done < documents; done += 256) {
    std::vector<StoreRequest> batch;
    for (std::size_t i = done; i < std::min(done + 256, documents); ++i) {
      batch.push_back({i, PutDocument{path_of(i, folders), "text/plain", {}, body}});
    }
    space.write(std::move(batch));
  }
}

std::string gets(const std::string& dir, std::size_t documents, std::size_t count) {
  RawSqlite raw(dir + "/raw.db", SqliteOptions{}.reader_cache_kib);
  Space ours(dir + "/ours.db");
  base::SeededRng written(3);
  put_raw(raw, written, documents, 64, random_bytes(kDocument, 1));
  fill(ours, documents, kFolders);
  base::SeededRng all(3);
  std::vector<Hash16> keys(documents);
  for (Hash16& key : keys) key = all.bytes<16>();
  base::SeededRng which(4);
  double raw_time = 0;
  double our_time = 0;
  constexpr std::size_t kTurns = 8;
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    auto begin = Clock::now();
    for (std::size_t i = 0; i < count / kTurns; ++i) {
      MESHSTOW_CHECK(raw.get(keys[which.below(documents)]).size() == kDocument);
    }
    raw_time += seconds_since(begin);
    begin = Clock::now();
    for (std::size_t i = 0; i < count / kTurns; ++i) {
      const Answer answer = ours.read(OpenDocument{path_of(which.below(documents)), {}, {}});
      MESHSTOW_CHECK(std::get<OpenedDocument>(answer).first.size() == kDocument);
    }
    our_time += seconds_since(begin);
  }
  const auto reads = static_cast<double>(count);
  char out[256];
  std::snprintf(out, sizeof out, R"({"documents": %zu, "raw": %.0f, "ours": %.0f, "share": %.2f})",
                documents, reads / raw_time, reads / our_time, raw_time / our_time);
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

struct LargeRates {
  double write = 0;
  double read = 0;  // MiB per second
};

LargeRates write_and_read(Space& ours, std::size_t megabytes) {
  const StoragePath path = *StoragePath::parse("/private/bench/large");
  Bytes piece(kPiece);
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
  const auto all = static_cast<double>(megabytes);
  LargeRates rates;
  rates.write = all / (seconds_since(begin) - making);
  begin = Clock::now();
  auto opened = std::get<OpenedDocument>(ours.read(OpenDocument{path, {}, {}, 0, kPiece}));
  for (std::size_t i = 1; i < megabytes; ++i) {
    const Answer answer = ours.read(ReadDocument{opened.handle, i * kPiece, kPiece});
    MESHSTOW_CHECK(std::get<ReadPiece>(answer).bytes.size() == kPiece);
  }
  rates.read = all / seconds_since(begin);
  return rates;
}

std::string large(const std::string& dir, std::size_t megabytes) {
  const double disk = disk_rate(dir, megabytes, random_bytes(kPiece, 6));
  const double aead = aead_rate(std::min<std::size_t>(megabytes, 256));
  LargeRates rates;
  {
    Space ours(dir + "/ours.db");
    rates = write_and_read(ours, megabytes);
  }
  const auto size = static_cast<double>(std::filesystem::file_size(dir + "/ours.db"));
  char out[400];
  std::snprintf(out, sizeof out,
                R"({"megabytes": %zu, "disk": %.0f, "aead": %.0f, "write": %.0f, "read": %.0f, )"
                R"("share": %.2f, "file_over_logical": %.3f})",
                megabytes, disk, aead, rates.write, rates.read,
                std::min(rates.write, rates.read) / std::min(disk, aead),
                size / static_cast<double>(megabytes * kPiece));
  return out;
}

std::string scale(const std::string& dir, std::size_t documents) {
  const Bytes body = random_bytes(kDocument, 1);
  {
    Space filled(dir + "/ours.db");
    fill(filled, documents, 1);
  }
  const auto size = static_cast<double>(std::filesystem::file_size(dir + "/ours.db"));
  Space ours(dir + "/ours.db");
  constexpr std::size_t kProbes = 4000;
  base::SeededRng which(4);
  const auto path = [&] { return path_of(which.below(documents), 1); };
  // The ids of the first accesses come from the disk; what is measured is the store at work.
  for (std::size_t i = 0; i < kProbes; ++i) (void)ours.read(OpenDocument{path(), {}, {}});
  double cpu = cpu_seconds();
  for (std::size_t i = 0; i < kProbes; ++i) {
    ours.write(PutDocument{path(), "text/plain", {}, body});
  }
  const double put = (cpu_seconds() - cpu) / kProbes;
  cpu = cpu_seconds();
  for (std::size_t i = 0; i < kProbes; ++i) {
    const Answer answer = ours.read(OpenDocument{path(), {}, {}});
    MESHSTOW_CHECK(std::get<OpenedDocument>(answer).first.size() == kDocument);
  }
  const double get = (cpu_seconds() - cpu) / kProbes;
  cpu = cpu_seconds();
  const Answer page = ours.read(ListFolder{path_of(0, 1).parent(), {}, 1000});
  const double list = cpu_seconds() - cpu;
  char out[256];
  std::snprintf(out, sizeof out,
                R"({"documents": %zu, "put_us": %.1f, "get_us": %.1f, "list_1000_us": %.0f, )"
                R"("file_over_logical": %.3f})",
                documents, put * 1e6, get * 1e6, list * 1e6,
                size / static_cast<double>(documents * kDocument));
  return out;
}

// A folder of so many names, as GET of it streams: every page of the store, written as JSON.
std::string list(const std::string& dir, std::size_t documents) {
  {
    Space filled(dir + "/ours.db");
    fill(filled, documents, 1);
  }
  Space ours(dir + "/ours.db");
  const Clock::time_point begin = Clock::now();
  const double cpu = cpu_seconds();
  protocol::FolderDescriptionWriter writer;
  std::size_t bytes = writer.begin().size();
  Bytes after;
  do {
    const Answer answer = ours.read(ListFolder{path_of(0, 1).parent(), after, 1000});
    const auto& page = std::get<FolderPage>(answer);
    bytes += writer.items(page.items, io::read_clock().wall).size();
    after = page.next;
  } while (!after.empty());
  char out[200];
  std::snprintf(out, sizeof out,
                R"({"documents": %zu, "list_ms": %.0f, "list_cpu_ms": %.0f, "bytes": %zu})",
                documents, seconds_since(begin) * 1e3, (cpu_seconds() - cpu) * 1e3, bytes);
  return out;
}

// 320 MB that nobody wants any more, and small documents between them.
void leave_garbage(Writers& ours) {
  ours.disk().run_task([](RemoteStorage& storage, const std::function<bool()>&) {
    const auto write = [&](Operation operation) {
      const StoreRequest one{1, std::move(operation)};
      MESHSTOW_CHECK(storage.execute_batch(io::read_clock(), {&one, 1}).front().outcome);
    };
    for (std::uint64_t i = 0; i < 40; ++i) {
      write(BeginUpload{i, path_of(i), std::nullopt});
      for (std::uint64_t j = 0; j < 8; ++j) {
        write(AppendUpload{i, random_bytes(kPiece, i * 8 + j)});
      }
      write(AbortUpload{i});
    }
  });
}

std::string latency(const std::string& dir, std::size_t count) {
  Writers ours(dir + "/ours.db");
  leave_garbage(ours);
  ours.put(count, 1);
  const std::vector<double> quiet = ours.sorted_times();
  bool finished = false;  // the disk thread's
  std::uint64_t given_back = 0;
  std::uint64_t meanwhile = 0;
  ours.disk().run_task([&](RemoteStorage& storage, const std::function<bool()>& let_others) {
    auto done = storage.compact(io::read_clock(), [&](std::uint64_t bytes, std::uint64_t) {
      given_back = bytes;
      ++meanwhile;
      return let_others();
    });
    finished = done.has_value();
  });
  ours.put(count, 1);
  const std::vector<double> busy = ours.sorted_times();
  const auto at = [](const std::vector<double>& times, std::size_t hundredth) {
    return times[times.size() * hundredth / 100];
  };
  char out[400];
  std::snprintf(out, sizeof out,
                R"({"puts": %zu, "quiet_p50_ms": %.2f, "quiet_p99_ms": %.2f, "p50_ms": %.2f, )"
                R"("p99_ms": %.2f, "max_ms": %.2f, "steps": %llu, "megabytes": %.0f, "ended": %s})",
                busy.size(), at(quiet, 50), at(quiet, 99), at(busy, 50), at(busy, 99), busy.back(),
                static_cast<unsigned long long>(meanwhile), static_cast<double>(given_back) / 1e6,
                finished ? "true" : "false");
  return out;
}

int run(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: store_bench DIR puts|gets|large|scale|list|latency NUMBER [NUMBER]\n");
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
  if (what == "list") out = list(dir, first);
  if (what == "latency") out = latency(dir, first);
  std::printf("%s\n", out.c_str());
  return out.empty() ? 2 : 0;
}

}  // namespace
}  // namespace meshstow::bench

int main(int argc, char** argv) { return meshstow::bench::run(argc, argv); }
