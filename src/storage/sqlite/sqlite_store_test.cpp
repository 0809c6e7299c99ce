// What only a file can show: secrecy of its bytes, versions of its form, backups, compaction.
#include "storage/sqlite/sqlite_store.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <thread>

#include "storage/engines_for_test.hpp"
#include "storage/sqlite/schema.hpp"

namespace meshstow::storage {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string all_bytes(const std::filesystem::path& folder) {
  std::string out;
  for (const auto& file : std::filesystem::directory_iterator(folder)) out += read_file(file);
  return out;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(SqliteStore, holds_nothing_secret_in_clear) {
  auto disk = std::make_shared<SqliteTestDisk>();
  Store store(disk);
  const std::string large = some_bytes(150'000, 1);
  ASSERT_TRUE(
      store.put("/private/modulename/foldername/docname", "secretcontent", {}, "secret/type"));
  ASSERT_TRUE(store.put("/shared/modulename/foldername/bigdoc", large));
  ASSERT_TRUE(
      store.put("/private/modulename/foldername/docname", "secretagain", {}, "secret/type"));
  ASSERT_TRUE(store.remove("/private/modulename/foldername/docname"));
  ASSERT_TRUE(store.write(SetQuota{"modulename", 1'000'000}));
  ASSERT_TRUE(store.put("/public/open/opendoc", "opencontent", {}, "open/type"));
  for (int round = 0; round < 2; ++round) {
    const std::string bytes = all_bytes(disk->folder());
    for (const std::string& secret :
         {std::string("modulename"), std::string("foldername"), std::string("docname"),
          std::string("bigdoc"), std::string("secretcontent"), std::string("secretagain"),
          std::string("secret/type"), large.substr(1000, 16), large.substr(100'000, 16)}) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
    }
    for (const std::string open : {"opendoc", "opencontent", "open/type"}) {
      EXPECT_NE(bytes.find(open), std::string::npos) << open;
    }
    store.reopen();
  }
}

TEST(SqliteStore, refuses_what_is_not_a_store_and_touches_nothing) {
  TestFolder folder;
  const auto file = folder.path() / "store.db";
  base::SeededRng rng(1);
  const auto refusal = [&] {
    const std::string before = read_file(file);
    auto opened = open_sqlite_store(file.string());
    EXPECT_FALSE(opened);
    EXPECT_EQ(read_file(file), before);
    return opened ? Errc::internal : opened.error().code;
  };
  write_file(file, some_bytes(10'000, 1));
  EXPECT_EQ(refusal(), Errc::corrupt);
  std::filesystem::remove(file);

  Database other;
  ASSERT_TRUE(other.open(file.string(), "", true));
  ASSERT_TRUE(other.execute("CREATE TABLE foreigner (a)"));
  EXPECT_EQ(refusal(), Errc::corrupt);
}

TEST(SqliteStore, refuses_the_store_of_a_newer_program_and_touches_nothing) {
  auto disk = std::make_shared<SqliteTestDisk>();
  { Store store(disk); }
  Database newer;
  ASSERT_TRUE(newer.open(disk->file(), "", false));
  ASSERT_TRUE(newer.execute(("PRAGMA user_version=" + std::to_string(kSchemaVersion + 1)).c_str()));
  const std::string before = read_file(disk->file());
  auto opened = disk->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::limit);
  EXPECT_EQ(read_file(disk->file()), before);
}

// What is taken away under an open store must not be written into.
void expect_no_more_writes(const std::function<void(const std::filesystem::path& file)>& harm) {
  auto disk = std::make_shared<SqliteTestDisk>();
  Store store(disk);
  store.expect_damage();
  ASSERT_TRUE(store.put("/private/m/a", some_bytes(60'000, 1)));
  ASSERT_TRUE(store.put("/private/m/b", "b"));
  harm(disk->file());
  const auto refused = store.put("/private/m/c", "c");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::unavailable);
}

TEST(SqliteStore, writes_no_more_when_its_file_was_cut_short) {
  expect_no_more_writes([](const std::filesystem::path& file) { write_file(file, ""); });
}

TEST(SqliteStore, writes_no_more_when_its_log_was_removed) {
  expect_no_more_writes(
      [](const std::filesystem::path& file) { std::filesystem::remove(file.string() + "-wal"); });
}

TEST(SqliteStore, check_finds_columns_that_nobody_writes_and_a_missing_index) {
  for (const auto& [change, finding] :
       {std::pair{"UPDATE nodes SET live=2 WHERE kind=1", "is neither live nor dead"},
        std::pair{"UPDATE nodes SET kind=5 WHERE kind=1", "folder nor document"},
        std::pair{"DROP INDEX names", "the file lacks: CREATE UNIQUE INDEX names"}}) {
    auto disk = std::make_shared<SqliteTestDisk>();
    {
      Store store(disk);
      ASSERT_TRUE(store.put("/private/m/a", "a"));
    }
    {
      Database other;
      ASSERT_TRUE(other.open(disk->file(), "", false));
      ASSERT_TRUE(other.execute(change));
    }
    Store store(disk);
    store.expect_damage();
    EXPECT_THAT(store.damages(), ::testing::HasSubstr(finding));
  }
}

// How much of the log holds acknowledged commits is told after each, and 0 when it is not needed.
TEST(SqliteStore, tells_how_much_of_its_log_is_needed) {
  TestFolder folder;
  const std::string file = (folder.path() / "store.db").string();
  std::vector<std::uint32_t> told;
  SqliteOptions options;
  options.note_log = [&told](std::uint32_t pages) { told.push_back(pages); };
  {
    auto engine = *open_sqlite_store(file, options);
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(engine->begin(/*durable=*/i != 1));
      engine->put_record(Bytes{1}, Bytes(20'000));
      ASSERT_TRUE(engine->commit());
    }
    ASSERT_EQ(told.size(), 2U);  // the one between need not last
    EXPECT_GT(told[0], 4U);
    EXPECT_GT(told[1], told[0] + 4U);
    told.clear();
  }
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.front(), 0U);
}

TEST(SqliteStore, says_so_when_it_cannot_be_opened) {
  TestFolder folder;
  auto opened = open_sqlite_store((folder.path() / "none" / "store.db").string());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::unavailable);
}

TEST(SqliteStore, a_truncated_file_is_refused_or_reported_and_never_served_as_whole) {
  auto disk = std::make_shared<SqliteTestDisk>();
  {
    Store store(disk);
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(store.put("/private/m/" + std::to_string(i), some_bytes(3000, i)));
    }
  }
  const std::string whole = read_file(disk->file());
  for (std::size_t size = whole.size() - 4096; size > 8192; size -= 16'384) {
    write_file(disk->file(), std::string_view(whole).substr(0, size));
    auto engine = disk->open();
    if (!engine) {
      EXPECT_EQ(engine.error().code, Errc::corrupt);
      continue;
    }
    base::SeededRng rng(1);
    auto storage = RemoteStorage::open(std::move(*engine), make_plain_sealer(), rng, {}, {});
    if (!storage) {
      EXPECT_EQ(storage.error().code, Errc::corrupt);
      continue;
    }
    EXPECT_FALSE((*(*storage)->make_reader())->check({}).whole()) << size;
  }
}

TEST(SqliteStore, a_flipped_bit_anywhere_never_changes_what_is_served) {
  auto disk = std::make_shared<SqliteTestDisk>();
  const std::string large = some_bytes(100'000, 5);
  {
    Store store(disk);
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(store.put("/public/m/" + std::to_string(i), "public " + std::to_string(i)));
      ASSERT_TRUE(store.put("/private/m/" + std::to_string(i), "private " + std::to_string(i)));
    }
    ASSERT_TRUE(store.put("/private/m/large", large));
  }
  const std::string whole = read_file(disk->file());
  base::SeededRng rng(6);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = whole;
    damaged[rng.below(damaged.size())] ^= static_cast<char>(1 << rng.below(8));
    write_file(disk->file(), damaged);
    auto engine = disk->open();
    if (!engine) continue;
    base::SeededRng ids(1);
    auto storage = RemoteStorage::open(std::move(*engine), make_plain_sealer(), ids, {}, {});
    if (!storage) continue;
    auto reader = *(*storage)->make_reader();
    const auto get = [&](const std::string& at) -> std::optional<std::string> {
      auto reply = reader->execute({1, OpenDocument{Store::path(at), {}, {}, 0, 1 << 20}});
      if (!reply.outcome) return std::nullopt;
      return base::to_string(std::get<OpenedDocument>(*reply.outcome).first);
    };
    for (int i = 0; i < 20; ++i) {
      if (auto body = get("/public/m/" + std::to_string(i))) {
        EXPECT_EQ(*body, "public " + std::to_string(i));
      }
      if (auto body = get("/private/m/" + std::to_string(i))) {
        EXPECT_EQ(*body, "private " + std::to_string(i));
      }
    }
    if (auto body = get("/private/m/large")) {
      EXPECT_EQ(*body, large);
    }
  }
}

TEST(SqliteStore, readers_see_whole_batches_while_they_are_written) {
  auto disk = std::make_shared<SqliteTestDisk>();
  Store store(disk);
  ASSERT_TRUE(store.put("/private/m/a", "0"));
  ASSERT_TRUE(store.put("/private/m/b", "0"));
  auto reader = *store.storage().make_reader();
  std::atomic<bool> stop = false;
  std::thread reading([&] {
    while (!stop) {
      FolderPage page = std::get<FolderPage>(
          *reader->execute({1, ListFolder{Store::path("/private/m/"), {}, 10}}).outcome);
      ASSERT_EQ(page.items.size(), 2u);
      EXPECT_EQ(page.items[0].size, page.items[1].size);
    }
  });
  for (std::size_t i = 0; i < 100; ++i) {
    store.write_all({PutDocument{Store::path("/private/m/a"), "t/t", {}, Bytes(i)},
                     PutDocument{Store::path("/private/m/b"), "t/t", {}, Bytes(i)}});
  }
  stop = true;
  reading.join();
}

TEST(SqliteStore, readers_of_a_large_document_survive_its_reclamation) {
  auto disk = std::make_shared<SqliteTestDisk>();
  Store store(disk, {.history = HistoryPolicy::none()});
  const std::string even = some_bytes(300'000, 0);
  const std::string odd = some_bytes(300'000, 1);
  ASSERT_TRUE(store.put("/private/m/a", even));
  auto reader = *store.storage().make_reader();
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  std::thread reading([&] {
    while (!stop) {
      auto opened =
          reader->execute({1, OpenDocument{Store::path("/private/m/a"), {}, {}, 0, 1000}});
      ASSERT_TRUE(opened.outcome) << opened.outcome.error().detail;
      auto& document = std::get<OpenedDocument>(*opened.outcome);
      auto rest = reader->execute({2, ReadDocument{document.handle, 1000, 1 << 20}});
      ASSERT_TRUE(rest.outcome) << rest.outcome.error().detail;
      const std::string body = base::to_string(document.first) +
                               base::to_string(std::get<ReadPiece>(*rest.outcome).bytes);
      EXPECT_TRUE(body == even || body == odd);
      EXPECT_TRUE(reader->execute({3, CloseDocument{document.handle}}).outcome);
      ++reads;
    }
  });
  for (int i = 0; i < 40 || reads < 20; ++i) {
    ASSERT_TRUE(store.put("/private/m/a", i % 2 == 0 ? odd : even));
    store.reclaim_all();
  }
  stop = true;
  reading.join();
  store.reclaim_all();
}

TEST(SqliteStore, a_backup_of_a_store_in_use_is_complete_and_a_new_author) {
  auto disk = std::make_shared<SqliteTestDisk>();
  Store store(disk);
  const std::string large = some_bytes(700'000, 2);
  ASSERT_TRUE(store.put("/private/m/large", large));
  const auto before = store.put("/private/m/a", "1");
  const std::string file = (disk->folder() / "copy").string();
  std::uint64_t last_total = 0;
  bool wrote = false;
  auto backup = store.reader().backup(file, [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_LE(done, total);
    last_total = total;
    if (!wrote) {
      EXPECT_TRUE(store.put("/private/m/a", "2"));
    }  // while the copy is being made
    wrote = true;
    return true;
  });
  ASSERT_TRUE(backup) << backup.error().detail;
  EXPECT_GT(last_total, 100u);
  EXPECT_EQ(store.reader().backup(file, {}).error().code, Errc::conflict);
  EXPECT_EQ(store.get("/private/m/a"), "2");

  base::SeededRng rng(11);
  for (int opening = 0; opening < 2; ++opening) {
    auto copy = RemoteStorage::open(*open_sqlite_store(file), make_plain_sealer(), rng, {}, {});
    ASSERT_TRUE(copy) << copy.error().detail;
    static LogId log;
    if (opening == 0) log = (*copy)->log();
    EXPECT_NE((*copy)->log(), before->version.log);
    EXPECT_EQ((*copy)->log(), log);  // new once, not at each opening
    auto reader = *(*copy)->make_reader();
    EXPECT_TRUE(reader->check({}).whole());
    auto reply = reader->execute({1, OpenDocument{Store::path("/private/m/a"), {}, {}, 0, 10}});
    EXPECT_EQ(std::get<OpenedDocument>(*reply.outcome).info.etag, before->etag);
  }
}

TEST(SqliteStore, compaction_gives_the_room_of_deleted_documents_back) {
  auto disk = std::make_shared<SqliteTestDisk>();
  Store store(disk, {.history = HistoryPolicy::none()});
  ASSERT_TRUE(store.put("/private/m/kept", some_bytes(300'000, 1)));
  ASSERT_TRUE(store.put("/private/m/large", some_bytes(5'000'000, 2)));
  ASSERT_TRUE(store.put("/private/m/kept2", some_bytes(300'000, 3)));
  ASSERT_TRUE(store.remove("/private/m/large"));
  int steps = 0;
  auto given_back = store.storage().compact(store.now(), [&](std::uint64_t, std::uint64_t) {
    ++steps;
    return true;
  });
  ASSERT_TRUE(given_back) << given_back.error().detail;
  EXPECT_GT(*given_back, 4'500'000u);
  EXPECT_GT(steps, 3);
  EXPECT_EQ(store.get("/private/m/kept2"), some_bytes(300'000, 3));
  store.reopen();
  EXPECT_LT(std::filesystem::file_size(disk->file()), 1'000'000u);
}

TEST(SqliteStore, a_file_that_was_taken_away_takes_no_more_writes) {
  auto disk = std::make_shared<SqliteTestDisk>();
  Store store(disk);
  ASSERT_TRUE(store.put("/private/m/a", "1"));
  std::filesystem::remove(disk->file());
  const auto refused = store.put("/private/m/a", "2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::unavailable);
  store.expect_damage();
}

TEST(SqliteStore, migrations_run_in_one_transaction_or_not_at_all) {
  TestFolder folder;
  Database database;
  ASSERT_TRUE(database.open((folder.path() / "db").string(), "", true));
  const Migration good{"CREATE TABLE a (x); INSERT INTO a VALUES (1)"};
  const Migration next{"UPDATE a SET x=2; CREATE TABLE b (y)"};
  const Migration broken{"CREATE TABLE c (z); INSERT INTO nowhere VALUES (1)"};
  const std::array first{good};
  const std::array failing{good, next, broken};
  const std::array fixed{good, next};
  ASSERT_TRUE(bring_up_to_date(database, first));
  EXPECT_FALSE(bring_up_to_date(database, failing));
  EXPECT_EQ(database.number("PRAGMA user_version").value(), 1);
  EXPECT_EQ(database.number("SELECT x FROM a").value(), 1);
  EXPECT_EQ(database.number("SELECT count(*) FROM sqlite_schema").value(), 1);
  ASSERT_TRUE(bring_up_to_date(database, fixed));
  EXPECT_EQ(database.number("PRAGMA user_version").value(), 2);
  EXPECT_EQ(database.number("SELECT x FROM a").value(), 2);
  ASSERT_TRUE(bring_up_to_date(database, fixed));
}

}  // namespace
}  // namespace meshstow::storage
