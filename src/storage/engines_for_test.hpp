// storage/engines_for_test.hpp: every engine, for tests that run over each of them.
#pragma once

#include <filesystem>
#include <functional>
#include <gtest/gtest.h>

#include "storage/memory/memory_store.hpp"
#include "storage/plain_sealer.hpp"
#include "storage/remote_storage.hpp"
#include "storage/sqlite/sqlite_store.hpp"

namespace meshstow::storage {

// A place that stores are opened at again and again, and that is gone with this.
class TestDisk {
 public:
  virtual ~TestDisk() = default;
  virtual Result<std::unique_ptr<LocalStore>> open() = 0;
};

class MemoryTestDisk final : public TestDisk {
 public:
  Result<std::unique_ptr<LocalStore>> open() override { return make_memory_store(disk_); }

 private:
  std::shared_ptr<MemoryDisk> disk_ = make_memory_disk();
};

// A folder of its own below the system's temporary one.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "meshstow-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class SqliteTestDisk final : public TestDisk {
 public:
  Result<std::unique_ptr<LocalStore>> open() override { return open_sqlite_store(file()); }
  [[nodiscard]] std::string file() const { return (folder_.path() / "store.db").string(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  TestFolder folder_;
};

// Drives a store as a disk thread would, with a clock of its own.
class Store {
 public:
  explicit Store(std::shared_ptr<TestDisk> disk, StorageOptions options = {})
      : disk_(std::move(disk)), options_(options) {
    reopen();
  }

  // Every test ends with a check of what it left.
  ~Store() {
    if (reader_ && !damaged_) {
      EXPECT_EQ(damages(), "");
    }
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  void expect_damage() { damaged_ = true; }

  void close() {
    reader_.reset();
    storage_.reset();
  }
  void reopen() { reopen(options_); }
  void reopen(StorageOptions options) {
    close();
    options_ = options;
    auto engine = disk_->open();
    ASSERT_TRUE(engine) << engine.error().detail;
    auto opened = RemoteStorage::open(std::move(*engine), make_plain_sealer(), rng_, options, now_);
    ASSERT_TRUE(opened) << opened.error().detail;
    storage_ = std::move(*opened);
    auto reader = storage_->make_reader();
    ASSERT_TRUE(reader) << reader.error().detail;
    reader_ = std::move(*reader);
  }

  static StoragePath path(std::string_view text) {
    auto parsed = StoragePath::parse(text);
    if (!parsed) throw std::invalid_argument(std::string(text));
    return *parsed;
  }

  Outcome<Answer> write(Operation operation) {
    const StoreRequest request{++number_, std::move(operation)};
    tick();
    auto replies = storage_->execute_batch(now_, {&request, 1});
    return std::move(replies.at(0).outcome);
  }
  std::vector<StoreReply> write_all(std::vector<Operation> operations) {
    std::vector<StoreRequest> requests;
    for (Operation& operation : operations) requests.push_back({++number_, std::move(operation)});
    tick();
    return storage_->execute_batch(now_, requests);
  }
  Outcome<Answer> read(Operation operation) {
    return reader_->execute({++number_, std::move(operation)}).outcome;
  }

  template <class T>
  static Outcome<T> as(Outcome<Answer> outcome) {
    if (!outcome) return tl::unexpected(outcome.error());
    return std::get<T>(std::move(*outcome));
  }

  Outcome<WriteResult> put(std::string_view at, std::string_view body, Conditions conditions = {},
                           std::string type = "text/plain") {
    return as<WriteResult>(write(PutDocument{path(at), std::move(type), std::move(conditions),
                                             base::to_bytes(base::as_bytes(body))}));
  }
  Outcome<WriteResult> remove(std::string_view at, Conditions conditions = {}) {
    return as<WriteResult>(write(RemoveDocument{path(at), std::move(conditions)}));
  }
  Outcome<OpenedDocument> open(std::string_view at, std::uint64_t offset = 0,
                               std::size_t most = 1 << 26) {
    return as<OpenedDocument>(read(OpenDocument{path(at), {}, {}, offset, most}));
  }
  // The body, or "!" and the number of the refusal.
  std::string get(std::string_view at) {
    auto opened = open(at);
    if (!opened) return "!" + std::to_string(static_cast<int>(opened.error().refusal));
    return base::to_string(opened->first);
  }
  FolderPage list(std::string_view at) {
    auto page = as<FolderPage>(read(ListFolder{path(at), {}, 1'000'000}));
    EXPECT_TRUE(page) << at;
    return page ? *page : FolderPage{};
  }
  std::string tag(std::string_view folder) { return list(folder).etag.text(); }
  std::vector<std::string> names(std::string_view folder) {
    std::vector<std::string> out;
    for (const FolderItem& item : list(folder).items) {
      out.push_back(item.name + (item.is_folder ? "/" : ""));
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::vector<DocumentInfo> versions(std::string_view at) {
    auto list = as<VersionList>(read(ListVersions{path(at)}));
    return list ? list->versions : std::vector<DocumentInfo>{};
  }
  Usage usage() {
    auto usage = as<Usage>(read(ReadUsage{}));
    EXPECT_TRUE(usage) << usage.error().detail;
    return usage ? *usage : Usage{};
  }
  // What a check finds, one line each; empty: all is well.
  std::string damages() {
    std::string out;
    for (const Damage& damage : reader_->check({}).damages) {
      out += damage.path + ": " + damage.what + "\n";
    }
    return out;
  }
  void reclaim_all() {
    while (storage_->reclaim_some(now_)) tick();
  }
  void pass(Duration time) {
    now_.mono += time;
    now_.wall += time;
  }

  RemoteStorage& storage() { return *storage_; }
  StorageReader& reader() { return *reader_; }
  Now& now() { return now_; }
  base::Rng& rng() { return rng_; }
  TestDisk& disk() { return *disk_; }

 private:
  void tick() { pass(std::chrono::milliseconds{1}); }

  std::shared_ptr<TestDisk> disk_;
  StorageOptions options_;
  base::SeededRng rng_{7};
  Now now_{TimePoint{}, base::wall_from_unix_seconds(1'700'000'000)};
  std::unique_ptr<RemoteStorage> storage_;
  std::unique_ptr<StorageReader> reader_;
  RequestNumber number_ = 0;
  bool damaged_ = false;
};

inline Conditions if_match(std::string_view header) {
  return {*parse_etag_list(header), std::nullopt};
}
inline Conditions if_none_match(std::string_view header) {
  return {std::nullopt, *parse_etag_list(header)};
}

inline std::string some_bytes(std::size_t size, std::uint64_t seed) {
  std::string out(size, '\0');
  base::SeededRng(seed).fill({reinterpret_cast<Byte*>(out.data()), out.size()});
  return out;
}

enum class Engine { memory, sqlite };

inline std::shared_ptr<TestDisk> make_test_disk(Engine engine) {
  if (engine == Engine::memory) return std::make_shared<MemoryTestDisk>();
  return std::make_shared<SqliteTestDisk>();
}

// Tests of the contract: TEST_P(..., ...) runs over both engines.
class OverEveryEngine : public ::testing::TestWithParam<Engine> {
 protected:
  Store make_store(StorageOptions options = {}) {
    return Store(make_test_disk(GetParam()), options);
  }
};

inline std::string engine_name(const ::testing::TestParamInfo<Engine>& info) {
  return info.param == Engine::memory ? "memory" : "sqlite";
}

#define MESHSTOW_OVER_EVERY_ENGINE(suite)                                                     \
  INSTANTIATE_TEST_SUITE_P(Engines, suite, ::testing::Values(Engine::memory, Engine::sqlite), \
                           engine_name)

}  // namespace meshstow::storage
