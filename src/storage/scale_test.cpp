// What an operation costs must not depend on how much is stored. Counted in pages and calls, which
// are the same on every machine.
#include <gtest/gtest.h>

#include "storage/engines_for_test.hpp"
#include "storage/testing/sim_disk.hpp"

namespace meshstow::storage {
namespace {

constexpr std::size_t kFew = 10;
constexpr std::size_t kMany = 20'000;
constexpr std::size_t kMeasured = 50;

class CountingDisk final : public TestDisk {
 public:
  Result<std::unique_ptr<LocalStore>> open() override {
    return open_sqlite_store("/store.db",
                             {.vfs = sim_.vfs(), .cache_kib = 256, .reader_cache_kib = 64});
  }
  SimDisk& sim() { return sim_; }

 private:
  SimDisk sim_;
};

struct Cost {
  std::size_t put_bytes = 0;  // into the log, for kMeasured of each
  std::size_t get_reads = 0;
  std::size_t tag_reads = 0;
  std::size_t page_reads = 0;
};

std::string name(std::size_t number) { return "document-" + std::to_string(number * 7919); }

void fill(Store& store, std::size_t count) {
  std::vector<Operation> batch;
  for (std::size_t i = 0; i < count; ++i) {
    batch.push_back(PutDocument{Store::path("/private/m/a/b/" + name(i)), "a/b", {}, Bytes(20)});
    if (batch.size() == 500 || i + 1 == count) {
      for (const StoreReply& reply : store.write_all(std::exchange(batch, {}))) {
        ASSERT_TRUE(reply.outcome) << reply.outcome.error().detail;
      }
    }
  }
}

template <class Call>
std::size_t count_reads(CountingDisk& disk, Call call) {
  std::size_t reads = 0;
  disk.sim().set_fault([&](DiskCall kind) {
    reads += kind == DiskCall::read ? 1 : 0;
    return 0;
  });
  for (std::size_t i = 0; i < kMeasured; ++i) call(i);
  disk.sim().set_fault(nullptr);
  return reads;
}

Cost cost_with(std::size_t siblings) {
  auto disk = std::make_shared<CountingDisk>();
  Store store(disk);
  fill(store, siblings);
  const auto any = [&](std::size_t i) { return "/private/m/a/b/" + name(i * 397 % siblings); };
  Cost cost;
  std::vector<DiskEvent> events;
  disk->sim().record(&events);
  for (std::size_t i = 0; i < kMeasured; ++i) {
    EXPECT_TRUE(store.put(i % 2 == 0 ? any(i) : "/private/m/a/b/new" + std::to_string(i), "body"));
  }
  disk->sim().record(nullptr);
  for (const DiskEvent& event : events) {
    if (event.file.ends_with("-wal")) cost.put_bytes += event.bytes.size();
  }
  cost.get_reads = count_reads(*disk, [&](std::size_t i) { EXPECT_TRUE(store.open(any(i))); });
  cost.tag_reads = count_reads(*disk, [&](std::size_t i) {
    const auto folder = i % 2 == 0 ? "/private/m/a/b/" : "/";
    EXPECT_TRUE(store.read(ListFolder{Store::path(folder), {}, 1}));
  });
  Bytes after;
  cost.page_reads = count_reads(*disk, [&](std::size_t) {
    auto page =
        Store::as<FolderPage>(store.read(ListFolder{Store::path("/private/m/a/b/"), after, kFew}));
    ASSERT_TRUE(page);
    after = page->next;
  });
  return cost;
}

// A B-tree of 20,000 entries is two levels deeper than one of 10.
TEST(Scale, puts_gets_tags_and_pages_of_listings_cost_the_same_among_many) {
  const Cost few = cost_with(kFew);
  const Cost many = cost_with(kMany);
  RecordProperty("put_bytes_few", static_cast<int>(few.put_bytes / kMeasured));
  RecordProperty("put_bytes_many", static_cast<int>(many.put_bytes / kMeasured));
  EXPECT_LE(many.put_bytes, 2 * few.put_bytes);
  EXPECT_LE(many.get_reads, few.get_reads + 20 * kMeasured);
  EXPECT_LE(many.tag_reads, few.tag_reads + 20 * kMeasured);
  EXPECT_LE(many.page_reads, few.page_reads + 40 * kMeasured);
}

}  // namespace
}  // namespace meshstow::storage
