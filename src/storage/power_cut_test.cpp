// The power goes at every single write of a workload; the disk fails at every single call.
//
// Repeat one case: storage_test --gtest_filter=PowerCut.* with MESHSTOW_CUT=<number> in the
// environment.
#include <cstdlib>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "storage/engines_for_test.hpp"
#include "storage/testing/sim_disk.hpp"

namespace meshstow::storage {
namespace {

using Contents = std::map<std::string, std::string>;

// What a sequence of operations should leave.
void apply(Contents& contents, const Operation& operation,
           std::map<UploadId, std::string>& uploads) {
  if (const auto* put = std::get_if<PutDocument>(&operation)) {
    if (const auto* bytes = std::get_if<Bytes>(&put->body)) {
      contents[put->path.text()] = base::to_string(*bytes);
    } else {
      contents[put->path.text()] = uploads[std::get<UploadId>(put->body)];
    }
  } else if (const auto* remove = std::get_if<RemoveDocument>(&operation)) {
    contents.erase(remove->path.text());
  } else if (const auto* append = std::get_if<AppendUpload>(&operation)) {
    uploads[append->upload] += base::to_string(append->piece);
  }
}

// Some hundreds of operations in batches: small and large documents, replaced, deleted, uploaded in
// pieces, aborted.
std::vector<std::vector<Operation>> make_workload(std::uint64_t seed, std::size_t batches) {
  base::SeededRng rng(seed);
  std::vector<std::vector<Operation>> out;
  std::set<std::string> there;
  UploadId upload = 0;
  const auto body = [&](std::size_t size) {
    return base::to_bytes(base::as_bytes(some_bytes(size, rng.next_u64())));
  };
  const auto any_path = [&] {
    return std::string(rng.below(3) == 0 ? "/public/" : "/private/") + "m" +
           std::to_string(rng.below(3)) + "/f" + std::to_string(rng.below(4)) + "/d" +
           std::to_string(rng.below(5));
  };
  for (std::size_t i = 0; i < batches; ++i) {
    std::vector<Operation> batch;
    const std::size_t size = 1 + rng.below(5);
    for (std::size_t j = 0; j < size; ++j) {
      const std::string path = any_path();
      const auto kind = rng.below(48);
      if (kind == 0) {  // an upload: three batches of its own
        ++upload;
        out.push_back({BeginUpload{upload, Store::path(path), std::nullopt},
                       AppendUpload{upload, body(60'000)}});
        out.push_back({AppendUpload{upload, body(30'000)}});
        if (rng.below(3) == 0) {
          out.push_back({AbortUpload{upload}});
        } else {
          out.push_back({PutDocument{Store::path(path), "a/b", {}, upload}});
          there.insert(path);
        }
      } else if (kind <= 12 && !there.empty()) {
        const auto chosen =
            std::next(there.begin(), static_cast<std::ptrdiff_t>(rng.below(there.size())));
        batch.push_back(RemoveDocument{Store::path(*chosen), {}});
        there.erase(chosen);
      } else {
        batch.push_back(
            PutDocument{Store::path(path), "a/b", {}, body(kind == 13 ? 70'000 : rng.below(2000))});
        there.insert(path);
      }
    }
    if (!batch.empty()) out.push_back(std::move(batch));
  }
  return out;
}

constexpr const char* kFile = "/store.db";

// Collects every document through listings, as a user would.
void collect(StorageReader& reader, const std::string& folder, Contents& out) {
  auto page =
      std::get<FolderPage>(*reader.execute({1, ListFolder{Store::path(folder), {}, 1000}}).outcome);
  for (const FolderItem& item : page.items) {
    const std::string path = folder + item.name;
    if (item.is_folder) {
      collect(reader, path + "/", out);
      continue;
    }
    auto opened = reader.execute({1, OpenDocument{Store::path(path), {}, {}, 0, 1 << 20}});
    ASSERT_TRUE(opened.outcome) << path << ": " << opened.outcome.error().detail;
    out[path] = base::to_string(std::get<OpenedDocument>(*opened.outcome).first);
  }
}

struct Opened {
  std::unique_ptr<RemoteStorage> storage;
  std::unique_ptr<StorageReader> reader;
};

Result<Opened> open_on(SimDisk& disk, base::Rng& rng, StorageOptions options = {}) {
  auto engine = open_sqlite_store(kFile, {.vfs = disk.vfs()});
  if (!engine) return fail(engine.error());
  options.history = {std::chrono::days{30}, 2};
  auto storage = RemoteStorage::open(std::move(*engine), make_plain_sealer(), rng, options, {});
  if (!storage) return fail(storage.error());
  auto reader = (*storage)->make_reader();
  if (!reader) return fail(reader.error());
  return Opened{std::move(*storage), std::move(*reader)};
}

std::vector<StoreRequest> requests_of(const std::vector<Operation>& batch) {
  std::vector<StoreRequest> out;
  for (const Operation& operation : batch) out.push_back({out.size(), operation});
  return out;
}

// What must be there after a cut: all that was acknowledged, and perhaps the batch that was not
// yet.
struct Recording {
  std::vector<DiskEvent> events;
  std::vector<std::size_t> acknowledged_at;  // [i]: number of events when batch i was answered
  std::vector<Contents> states;              // [i]: after i batches
};

Recording record_workload(const std::vector<std::vector<Operation>>& workload) {
  Recording out;
  SimDisk disk;
  disk.record(&out.events);
  base::SeededRng rng(1);
  auto opened = open_on(disk, rng);
  EXPECT_TRUE(opened);
  Contents contents;
  std::map<UploadId, std::string> uploads;
  out.states.push_back(contents);
  Now now{};
  for (const auto& batch : workload) {
    now.mono += std::chrono::minutes{1};
    now.wall += std::chrono::minutes{1};
    for (const StoreReply& reply : opened->storage->execute_batch(now, requests_of(batch))) {
      EXPECT_TRUE(reply.outcome) << reply.outcome.error().detail;
    }
    for (const Operation& operation : batch) apply(contents, operation, uploads);
    out.acknowledged_at.push_back(out.events.size());
    out.states.push_back(contents);
    (void)opened->storage->reclaim_some(now);
  }
  opened->reader.reset();
  opened->storage.reset();
  return out;
}

// Opens what the cut left and compares. `done`: batches that were acknowledged before it.
void verify_after_cut(std::map<std::string, Bytes> files, const Recording& recording,
                      std::size_t done) {
  SimDisk disk;
  disk.set_files(std::move(files));
  base::SeededRng rng(2);
  auto opened = open_on(disk, rng);
  ASSERT_TRUE(opened) << opened.error().detail;
  Contents found;
  collect(*opened->reader, "/", found);
  const bool as_acknowledged = found == recording.states[done];
  const bool with_the_next =
      done + 1 < recording.states.size() && found == recording.states[done + 1];
  EXPECT_TRUE(as_acknowledged || with_the_next);
  for (const Damage& damage : opened->reader->check({}).damages) {
    ADD_FAILURE() << damage.path << ": " << damage.what;
  }
  const StoreRequest write{1, PutDocument{Store::path("/private/after/cut"), "a/b", {}, Bytes{1}}};
  EXPECT_TRUE(opened->storage->execute_batch({}, {&write, 1}).at(0).outcome);
}

// The cuts are dealt out to four tests that can run side by side.
constexpr std::size_t kShares = 4;
class PowerCut : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Share, PowerCut, ::testing::Range(std::size_t{0}, kShares));

void cut_at(std::size_t cut, const DiskReplay& replay, const Recording& recording,
            std::size_t done) {
  SCOPED_TRACE("MESHSTOW_CUT=" + std::to_string(cut) + " of " +
               std::to_string(recording.events.size()));
  base::SeededRng rng(cut);
  verify_after_cut(replay.after_power_cut(Survival::some, rng), recording, done);
  // Without the writes since the last sync, every cut since then leaves the same.
  if (cut > 0 && recording.events[cut - 1].call == DiskCall::write) return;
  verify_after_cut(replay.after_power_cut(Survival::nothing, rng), recording, done);
}

TEST_P(PowerCut, at_every_write_leaves_every_acknowledged_document_and_a_whole_store) {
  const auto workload = make_workload(11, 105);
  std::size_t operations = 0;
  for (const auto& batch : workload) operations += batch.size();
  EXPECT_GE(operations, 300u);
  const Recording recording = record_workload(workload);
  const char* only = std::getenv("MESHSTOW_CUT");
  DiskReplay replay;
  std::size_t done = 0;
  for (std::size_t cut = 0; cut <= recording.events.size(); ++cut) {
    while (done < recording.acknowledged_at.size() && recording.acknowledged_at[done] <= cut) {
      ++done;
    }
    const bool mine =
        only == nullptr ? cut % kShares == GetParam() : std::strtoull(only, nullptr, 10) == cut;
    if (mine) cut_at(cut, replay, recording, done);
    if (::testing::Test::HasFailure()) return;
    if (cut < recording.events.size()) replay.apply(recording.events[cut]);
  }
}

// A log that lost its end, or is damaged, holds whole batches up to there and no others.
TEST(DamagedLog, leaves_the_batches_before_the_damage) {
  const auto workload = make_workload(5, 40);
  const Recording recording = record_workload(workload);
  SimDisk disk;
  std::map<std::string, Bytes> files;
  {
    base::SeededRng rng(1);
    auto opened = open_on(disk, rng);
    ASSERT_TRUE(opened);
    for (const auto& batch : workload) {
      (void)opened->storage->execute_batch({}, requests_of(batch));
    }
    files = disk.files();  // with all of the log, since closing would empty it
  }
  const std::string log = std::string(kFile) + "-wal";
  const Bytes whole = files.at(log);
  const auto expect_a_state = [&](Bytes damaged) {
    files[log] = std::move(damaged);
    SimDisk left;
    left.set_files(files);
    base::SeededRng rng(2);
    auto opened = open_on(left, rng);
    ASSERT_TRUE(opened) << opened.error().detail;
    Contents found;
    collect(*opened->reader, "/", found);
    EXPECT_TRUE(std::ranges::find(recording.states, found) != recording.states.end());
    EXPECT_TRUE(opened->reader->check({}).whole());
  };
  base::SeededRng rng(3);
  for (int round = 0; round < 60 && !::testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(round);
    expect_a_state(
        Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(rng.below(whole.size()))));
    Bytes flipped = whole;
    flipped[rng.below(whole.size())] ^= static_cast<Byte>(1U << rng.below(8));
    expect_a_state(std::move(flipped));
  }
}

// Runs the workload while the disk misbehaves; a refused batch must have changed nothing, and an
// acknowledged one must be there afterwards.
void run_with_faults(const std::vector<std::vector<Operation>>& workload, SimDisk::Fault fault) {
  SimDisk disk;
  base::SeededRng rng(3);
  {
    auto fresh = open_on(disk, rng);
    ASSERT_TRUE(fresh);
  }
  disk.set_fault(std::move(fault));
  Contents contents;
  std::map<UploadId, std::string> uploads;
  {
    auto opened = open_on(disk, rng);
    for (int i = 0; i < 3 && !opened; ++i) opened = open_on(disk, rng);  // the fault may hit here
    ASSERT_TRUE(opened) << opened.error().detail;
    Now now{};
    for (const auto& batch : workload) {
      now.mono += std::chrono::hours{1};
      now.wall += std::chrono::hours{1};
      const auto replies = opened->storage->execute_batch(now, requests_of(batch));
      for (std::size_t i = 0; i < batch.size(); ++i) {
        if (replies[i].outcome) {
          apply(contents, batch[i], uploads);
        } else if (const auto* append = std::get_if<AppendUpload>(&batch[i])) {
          uploads.erase(append->upload);
        }
      }
      (void)opened->storage->reclaim_some(now);
    }
    disk.set_fault(nullptr);
    const StoreRequest write{1, PutDocument{Store::path("/public/z/z"), "a/b", {}, Bytes{1}}};
    ASSERT_TRUE(opened->storage->execute_batch(now, {&write, 1}).at(0).outcome);
    contents["/public/z/z"] = "\x01";
  }
  auto opened = open_on(disk, rng);
  ASSERT_TRUE(opened) << opened.error().detail;
  Contents found;
  collect(*opened->reader, "/", found);
  EXPECT_EQ(found == contents, true);
  for (const Damage& damage : opened->reader->check({}).damages) {
    ADD_FAILURE() << damage.path << ": " << damage.what;
  }
}

// A copy wants a log of its own, and a full disk takes none: it is read all the same.
TEST(DiskFaults, a_copy_on_a_full_disk_is_read_and_begins_its_log_once_there_is_room) {
  SimDisk disk;
  base::SeededRng rng(3);
  const StoreRequest write{1, PutDocument{Store::path("/private/m/a"), "a/b", {}, Bytes{1}}};
  VersionId before;
  {
    auto opened = open_on(disk, rng);
    ASSERT_TRUE(opened);
    const auto replies = opened->storage->execute_batch({}, {&write, 1});
    before = std::get<WriteResult>(*replies.at(0).outcome).version;
  }
  disk.set_fault([](DiskCall call) { return call == DiskCall::write ? SQLITE_FULL : SQLITE_OK; });
  auto opened = open_on(disk, rng, {.force_new_log = true});
  ASSERT_TRUE(opened) << opened.error().detail;
  Contents found;
  collect(*opened->reader, "/", found);
  EXPECT_EQ(found.size(), 1U);
  EXPECT_FALSE(opened->storage->execute_batch({}, {&write, 1}).at(0).outcome);
  disk.set_fault(nullptr);
  const auto replies = opened->storage->execute_batch({}, {&write, 1});
  ASSERT_TRUE(replies.at(0).outcome);
  const VersionId after = std::get<WriteResult>(*replies.at(0).outcome).version;
  EXPECT_NE(after.log, before.log);
  EXPECT_EQ(after.sequence, 1U);
  EXPECT_TRUE(opened->reader->check({}).whole());
}

// Each call of the workload fails once, in turn.
void fail_each_call(const std::set<DiskCall>& calls, int code) {
  const auto workload = make_workload(26, 12);
  for (std::size_t failing = 0;; ++failing) {
    std::size_t count = 0;
    bool failed = false;
    SCOPED_TRACE("call " + std::to_string(failing));
    run_with_faults(workload, [&](DiskCall call) {
      if (!calls.contains(call) || count++ != failing) return SQLITE_OK;
      failed = true;
      return code;
    });
    if (!failed || ::testing::Test::HasFailure()) return;
  }
}

TEST(DiskFaults, a_full_disk_at_every_write_refuses_that_batch_alone) {
  fail_each_call({DiskCall::write}, SQLITE_FULL);
}

TEST(DiskFaults, an_error_at_every_write_refuses_that_batch_alone) {
  fail_each_call({DiskCall::write, DiskCall::truncate}, SQLITE_IOERR_WRITE);
}

TEST(DiskFaults, an_error_at_every_sync_refuses_that_batch_alone) {
  fail_each_call({DiskCall::sync}, SQLITE_IOERR_FSYNC);
}

TEST(DiskFaults, an_error_at_every_read_refuses_what_needed_it) {
  fail_each_call({DiskCall::read}, SQLITE_IOERR_READ);
}

TEST(DiskFaults, a_disk_that_stays_full_takes_reads_and_recovers_when_there_is_room) {
  SimDisk disk;
  base::SeededRng rng(4);
  auto opened = open_on(disk, rng);
  ASSERT_TRUE(opened);
  const auto put = [&](std::size_t size) {
    const StoreRequest write{1,
                             PutDocument{Store::path("/private/m/a"),
                                         "a/b",
                                         {},
                                         base::to_bytes(base::as_bytes(some_bytes(size, size)))}};
    return opened->storage->execute_batch({}, {&write, 1}).at(0).outcome;
  };
  const auto get = [&] {
    Contents found;
    collect(*opened->reader, "/", found);
    return found["/private/m/a"];
  };
  ASSERT_TRUE(put(1000));
  disk.set_fault([](DiskCall call) { return call == DiskCall::write ? SQLITE_FULL : SQLITE_OK; });
  for (int i = 0; i < 3; ++i) {
    const auto refused = put(2000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().refusal, Refusal::full);
    EXPECT_EQ(get(), some_bytes(1000, 1000));
  }
  disk.set_fault(nullptr);
  ASSERT_TRUE(put(2000));
  EXPECT_EQ(get(), some_bytes(2000, 2000));
  EXPECT_TRUE(opened->reader->check({}).whole());
}

}  // namespace
}  // namespace meshstow::storage
