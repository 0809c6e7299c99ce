#include "io/store_log.hpp"

#include <fstream>

#include "io/io_for_test.hpp"
#include "storage/sqlite/sqlite_store.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

// A store with some commits in its log, as a killed process leaves it.
class StoreLog : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path used = folder_ / "used.db";
    storage::SqliteOptions options;
    options.note_log = [this](std::uint32_t pages) {
      if (pages > 0) commits_.push_back(pages);
    };
    auto engine = *storage::open_sqlite_store(used.string(), options);
    for (Byte i = 0; i < 5; ++i) {
      ASSERT_TRUE(engine->begin(/*durable=*/true));
      engine->put_record(Bytes{i}, Bytes(20'000, i));
      ASSERT_TRUE(engine->commit());
    }
    for (const char* part : {"", "-wal"}) {
      fs::copy_file(used.string() + part, store_.string() + part);
    }
  }

  [[nodiscard]] fs::path log() const { return store_.string() + "-wal"; }
  void change(std::uintmax_t at) const {
    std::fstream file(log(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }

  TestFolder folder_;
  fs::path store_ = folder_ / "store.db";
  std::vector<std::uint32_t> commits_;  // pages after each
};

TEST_F(StoreLog, counts_the_pages_that_sqlite_takes) {
  ASSERT_EQ(commits_.size(), 5U);
  EXPECT_EQ(whole_log_pages(store_), commits_.back());
}

TEST_F(StoreLog, counts_up_to_the_last_commit_before_a_damage) {
  const auto frame = (fs::file_size(log()) - 32) / commits_.back();
  change(32 + frame * (commits_[3] + 1) + 100);  // inside the last commit
  EXPECT_EQ(whole_log_pages(store_), commits_[3]);
  change(32 + frame * commits_[0] - 1);  // the last byte of the first
  EXPECT_LT(whole_log_pages(store_), commits_[0]);
}

TEST_F(StoreLog, counts_up_to_the_last_commit_before_the_end) {
  const auto frame = (fs::file_size(log()) - 32) / commits_.back();
  fs::resize_file(log(), 32 + frame * commits_[2] - 1);
  EXPECT_EQ(whole_log_pages(store_), commits_[1]);
  fs::resize_file(log(), 20);
  EXPECT_EQ(whole_log_pages(store_), 0U);
  fs::remove(log());
  EXPECT_EQ(whole_log_pages(store_), 0U);
}

TEST_F(StoreLog, counts_nothing_of_what_is_no_log) {
  for (std::uintmax_t at = 0; at < 32; ++at) {
    if (at >= 12 && at < 16) continue;  // counts how often the log was begun anew, for nobody
    change(at);
    EXPECT_EQ(whole_log_pages(store_), 0U) << at;
    change(at);
  }
  EXPECT_EQ(whole_log_pages(store_), commits_.back());
}

TEST_F(StoreLog, is_marked_in_a_file_that_the_next_process_reads) {
  EXPECT_EQ(StoreLogMark(store_).noted(), 0U);
  StoreLogMark mark(store_);
  mark.note(70'000);
  mark.note(3);
  EXPECT_EQ(StoreLogMark(store_).noted(), 3U);
}

TEST_F(StoreLog, that_lost_its_end_is_kept_aside_and_never_over_another) {
  EXPECT_TRUE(lost_logs(store_).empty());
  ASSERT_TRUE(keep_lost_log(store_));
  fs::remove(log());
  ASSERT_TRUE(keep_lost_log(store_));
  const auto kept = lost_logs(store_);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_GT(fs::file_size(kept[0]), 100'000U);
  EXPECT_EQ(fs::file_size(kept[1]), 0U);
}

}  // namespace
}  // namespace meshstow::io
