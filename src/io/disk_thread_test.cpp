#include "io/disk_thread.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "base/limits.hpp"
#include "io/clock.hpp"
#include "io/io_for_test.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/plain_sealer.hpp"

namespace meshstow::io {
namespace {

using storage::Answer;
using storage::Outcome;

// Holds up whoever seals a record while it is shut.
class Gate {
 public:
  void shut() {
    const std::lock_guard guard(mutex_);
    shut_ = true;
  }
  void open() {
    {
      const std::lock_guard guard(mutex_);
      shut_ = false;
    }
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock guard(mutex_);
    if (shut_) {
      ++waiting_;
      changed_.notify_all();
    }
    changed_.wait(guard, [this] { return !shut_; });
  }
  void wait_for_somebody() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return waiting_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool shut_ = false;
  int waiting_ = 0;
};

class GatedSealer final : public storage::Sealer {
 public:
  GatedSealer(Gate& gate, std::unique_ptr<storage::Sealer> inner)
      : gate_(gate), inner_(std::move(inner)) {}
  [[nodiscard]] std::unique_ptr<Sealer> clone() const override {
    return std::make_unique<GatedSealer>(gate_, inner_->clone());
  }
  [[nodiscard]] Hash16 name_key(ByteView folder, std::string_view name) const override {
    return inner_->name_key(folder, name);
  }
  [[nodiscard]] Bytes seal_record(ByteView context, ByteView plaintext) override {
    gate_.pass();
    return inner_->seal_record(context, plaintext);
  }
  [[nodiscard]] Result<Bytes> open_record(ByteView context, ByteView sealed) const override {
    return inner_->open_record(context, sealed);
  }
  [[nodiscard]] Bytes seal_chunk(ByteView plaintext) override {
    return inner_->seal_chunk(plaintext);
  }
  [[nodiscard]] Result<Bytes> open_chunk(ByteView sealed) const override {
    return inner_->open_chunk(sealed);
  }
  [[nodiscard]] Hash32 chunking_key() const override { return inner_->chunking_key(); }
  [[nodiscard]] Hash32 digest_key() const override { return inner_->digest_key(); }

 private:
  Gate& gate_;
  std::unique_ptr<storage::Sealer> inner_;
};

storage::PutDocument put(const std::string& path, std::string_view body) {
  return {StoragePath::parse(path).value(), "text/plain", {}, base::to_bytes(base::as_bytes(body))};
}

struct Disk {
  explicit Disk(std::shared_ptr<storage::MemoryDisk> on = storage::make_memory_disk(),
                DiskProbe probe = {})
      : memory(std::move(on)) {
    auto store = storage::RemoteStorage::open(
        storage::make_memory_store(memory),
        std::make_unique<GatedSealer>(gate, storage::make_plain_sealer()), rng, {}, read_clock());
    thread = DiskThread::start(loop, std::move(store.value()), std::move(probe)).value();
  }

  std::string read(const std::string& path) {
    std::optional<std::string> out;
    storage::OpenDocument open{StoragePath::parse(path).value(), {}, {}, 0, 64 * 1024};
    thread->submit(std::move(open), [&out](Outcome<Answer> outcome) {
      out = outcome ? base::to_string(std::get<storage::OpenedDocument>(*outcome).first) : "";
    });
    EXPECT_TRUE(run_until(loop, [&] { return out.has_value(); }));
    return out.value_or("");
  }

  std::shared_ptr<storage::MemoryDisk> memory;
  Gate gate;
  base::SeededRng rng{1};
  boost::asio::io_context loop;
  std::unique_ptr<DiskThread> thread;
};

}  // namespace

TEST(DiskThread, answers_writes_on_the_loop_and_reads_see_them) {
  Disk disk;
  bool answered = false;
  disk.thread->submit(put("/private/a/x", "one"), [&](Outcome<Answer> outcome) {
    EXPECT_TRUE(outcome.has_value());
    answered = true;
  });
  EXPECT_FALSE(answered);
  ASSERT_TRUE(run_until(disk.loop, [&] { return answered; }));
  EXPECT_EQ(disk.read("/private/a/x"), "one");
  EXPECT_EQ(disk.thread->queued_bytes(), 0U);
}

TEST(DiskThread, makes_one_batch_of_what_waits_and_answers_it_in_order_in_one_turn) {
  Disk disk;
  disk.gate.shut();
  int answered = 0;
  disk.thread->submit(put("/private/a/first", "x"), [&](const auto&) { ++answered; });
  disk.gate.wait_for_somebody();
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) {
    disk.thread->submit(put("/private/a/" + std::to_string(i), "x"),
                        [&order, i](const auto& outcome) {
                          EXPECT_TRUE(outcome.has_value());
                          order.push_back(i);
                        });
  }
  disk.gate.open();
  ASSERT_TRUE(run_until(disk.loop, [&] { return answered == 1 && !order.empty(); }));
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(DiskThread, one_refused_write_leaves_the_others_of_its_batch) {
  Disk disk;
  disk.gate.shut();
  int good = 0;
  int bad = 0;
  const auto count = [&](const Outcome<Answer>& outcome) { outcome ? ++good : ++bad; };
  disk.thread->submit(put("/private/a/first", "x"), count);
  disk.gate.wait_for_somebody();
  disk.thread->submit(put("/private/a/b/c", "x"), count);
  disk.thread->submit(put("/private/a/b", "a folder of that name is there"), count);
  disk.thread->submit(put("/private/a/d", "x"), count);
  disk.gate.open();
  ASSERT_TRUE(run_until(disk.loop, [&] { return good + bad == 4; }));
  EXPECT_EQ(bad, 1);
  EXPECT_EQ(disk.read("/private/a/d"), "x");
}

TEST(DiskThread, finishes_what_is_queued_before_it_goes_and_calls_nobody_after) {
  const auto memory = storage::make_memory_disk();
  int answered = 0;
  {
    Disk disk(memory);
    for (int i = 0; i < 300; ++i) {
      disk.thread->submit(put("/private/a/" + std::to_string(i), "kept"),
                          [&](const auto&) { ++answered; });
    }
    disk.thread.reset();
    disk.loop.run();
  }
  EXPECT_EQ(answered, 0);
  Disk again(memory);
  EXPECT_EQ(again.read("/private/a/0"), "kept");
  EXPECT_EQ(again.read("/private/a/299"), "kept");
}

TEST(DiskThread, refuses_writes_when_the_disk_is_too_far_behind) {
  Disk disk;
  disk.gate.shut();
  int refused = 0;
  int other = 0;
  const auto count = [&](const Outcome<Answer>& outcome) {
    const bool is_full = !outcome && outcome.error().refusal == storage::Refusal::unavailable;
    is_full ? ++refused : ++other;
  };
  const std::string body(4 * 1024 * 1024, 'x');
  int submitted = 0;
  while (disk.thread->queued_bytes() <= limits::kStoreQueueBytes) {
    disk.thread->submit(put("/private/a/" + std::to_string(submitted++), body), count);
  }
  disk.thread->submit(put("/private/a/more", "x"), count);
  // The end of an upload is heard all the same, or its place would be lost.
  ++submitted;
  disk.thread->submit(storage::AbortUpload{7}, count);
  EXPECT_EQ(refused, 0) << "never from inside submit()";
  ASSERT_TRUE(run_until(disk.loop, [&] { return refused == 1; }));
  disk.gate.open();
  ASSERT_TRUE(run_until(disk.loop, [&] { return other == submitted; }));
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(disk.thread->queued_bytes(), 0U);
}

TEST(DiskThread, serves_many_writers_who_each_wait_for_their_answer) {
  Disk disk;
  int done = 0;
  std::function<void(int, int)> write = [&](int writer, int round) {
    const std::string path = "/private/w" + std::to_string(writer) + "/" + std::to_string(round);
    disk.thread->submit(put(path, path), [&, writer, round](const Outcome<Answer>& outcome) {
      EXPECT_TRUE(outcome.has_value());
      ++done;
      if (round < 24) write(writer, round + 1);
    });
  };
  for (int writer = 0; writer < 32; ++writer) write(writer, 0);
  ASSERT_TRUE(run_until(disk.loop, [&] { return done == 32 * 25; }));
  EXPECT_EQ(disk.read("/private/w31/24"), "/private/w31/24");
}

TEST(DiskThread, tells_when_every_write_is_answered) {
  Disk disk;
  int answered = 0;
  bool idle = false;
  for (int i = 0; i < 20; ++i) {
    disk.thread->submit(put("/private/a/" + std::to_string(i), "x"),
                        [&](const auto&) { ++answered; });
  }
  disk.thread->when_idle([&] {
    EXPECT_EQ(answered, 20);
    idle = true;
  });
  ASSERT_TRUE(run_until(disk.loop, [&] { return idle; }));
  idle = false;
  disk.thread->when_idle([&] { idle = true; });
  EXPECT_FALSE(idle);
  ASSERT_TRUE(run_until(disk.loop, [&] { return idle; }));
}

TEST(DiskThread, keeps_the_loop_running_while_an_answer_is_due) {
  Disk disk;
  bool answered = false;
  disk.thread->submit(put("/private/a/x", "one"), [&](const auto&) { answered = true; });
  disk.loop.run();
  EXPECT_TRUE(answered);
}

TEST(DiskThread, refuses_bodies_that_the_disk_has_no_room_for_and_spoils_their_uploads) {
  constexpr std::uint64_t kMib = 1024 * 1024;
  auto left = std::make_shared<std::atomic<std::uint64_t>>(50 * kMib);  // after the reserve
  Disk disk(storage::make_memory_disk(), [left] {
    return DiskSpace{*left + 32 * kMib, 1024 * kMib};
  });
  std::vector<std::optional<storage::Refusal>> refusals;
  const auto note = [&](const Outcome<Answer>& outcome) {
    refusals.push_back(outcome ? std::nullopt : std::optional(outcome.error().refusal));
  };
  const auto path = StoragePath::parse("/private/a/x").value();
  disk.thread->submit(storage::BeginUpload{1, path, 51 * kMib}, note);
  disk.thread->submit(storage::BeginUpload{2, path, std::nullopt}, note);
  disk.thread->submit(storage::AppendUpload{2, Bytes(kMib)}, note);
  ASSERT_TRUE(run_until(disk.loop, [&] { return refusals.size() == 3; }));
  *left = kMib / 2;
  disk.thread->submit(storage::AppendUpload{2, Bytes(kMib)}, note);
  disk.thread->submit(storage::PutDocument{path, "text/plain", {}, storage::UploadId{2}}, note);
  disk.thread->submit(put("/private/a/small", "there is room for this"), note);
  ASSERT_TRUE(run_until(disk.loop, [&] { return refusals.size() == 6; }));
  using storage::Refusal;
  const std::vector<std::optional<Refusal>> expected{
      Refusal::full, std::nullopt, std::nullopt, Refusal::full, Refusal::not_found, std::nullopt};
  EXPECT_EQ(refusals, expected);
  EXPECT_EQ(disk.read("/private/a/x"), "");
}

}  // namespace meshstow::io
