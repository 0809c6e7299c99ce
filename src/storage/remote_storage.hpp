// storage/remote_storage.hpp: the rules of a space (names, conditions, tags, versions, history,
// quota), over an engine (storage/local_store.hpp).
//
// Threading: a RemoteStorage belongs to the disk thread, a StorageReader to the thread that made
// it; a reader sees every batch that was committed before its call and never waits for the writer.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "storage/lived_time.hpp"
#include "storage/local_store.hpp"
#include "storage/operations.hpp"
#include "storage/sealer.hpp"
#include "storage/space_check.hpp"

namespace meshstow::storage {

struct StorageOptions {
  Hash16 device{};                     // names the log
  std::optional<std::uint64_t> quota;  // bytes of the space, until SetQuota says otherwise
  HistoryPolicy history;
  // What incarnation_token() said when the store was last opened, kept by the caller outside the
  // store. If the store does not know it, it is an old copy of itself and starts a new log.
  // nullopt: the caller keeps no token.
  std::optional<Hash16> expected_token;
  bool force_new_log = false;  // the caller knows that this is a copy
  // Told before the first transaction since the opening is committed: what to give as
  // `expected_token` next time. Opening by itself writes nothing into a store that is there.
  std::function<void(const Hash16&)> keep_token = nullptr;
};

// Told after each step, between transactions, so that it may execute a batch; false: stop here
// (nothing is lost, the rest stays to be done).
using CompactProgress = std::function<bool(std::uint64_t given_back, std::uint64_t unused)>;

class StorageReader {
 public:
  StorageReader(std::unique_ptr<LocalStoreReader> engine, std::unique_ptr<Sealer> sealer);
  ~StorageReader();
  // `request` is a read (see is_write).
  [[nodiscard]] StoreReply execute(const StoreRequest& request);

  // Both look at one committed state and take as long as it takes; writers do not wait for them.
  [[nodiscard]] CheckReport check(const CheckProgress& progress);
  // A complete store in a new file; who opens it starts a new log. Errc::conflict: the file exists.
  [[nodiscard]] Result<void> backup(const std::string& path, const BackupProgress& progress);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class RemoteStorage {
 public:
  // Opens the space, or starts it in an empty engine. `rng` outlives it.
  // Errc::corrupt, Errc::limit (written by a newer program), Errc::unavailable.
  [[nodiscard]] static Result<std::unique_ptr<RemoteStorage>> open(
      std::unique_ptr<LocalStore> engine, std::unique_ptr<Sealer> sealer, base::Rng& rng,
      StorageOptions options, Now now);
  ~RemoteStorage();

  // Executes writes in order as one transaction and returns after it is durable. An operation that
  // is refused changes nothing and does not disturb the others; if the commit itself fails, every
  // write of the batch is refused and the store is as it was.
  [[nodiscard]] std::vector<StoreReply> execute_batch(Now now,
                                                      std::span<const StoreRequest> writes);

  // Makes a reader for the calling thread's use.
  [[nodiscard]] Result<std::unique_ptr<StorageReader>> make_reader();

  // A peer has seen writes of our log that this store does not know: it is an old copy of itself.
  [[nodiscard]] Result<void> start_new_log();
  // Reclaims everything and makes the file as small as it can be, now. Returns bytes given back.
  [[nodiscard]] Result<std::uint64_t> compact(Now now, const CompactProgress& progress);
  [[nodiscard]] LogId log() const;                 // of the writes from now on
  [[nodiscard]] Hash16 incarnation_token() const;  // new with the first write: see StorageOptions

  // Spends at most one small transaction on reclaiming what history and aborted uploads left.
  // True: there is more to do. `idle`: nobody waits, so the log is copied into the file as well.
  [[nodiscard]] bool reclaim_some(Now now, bool idle = true);
  // What the wall clock did since it was last asked, if that needs to be told.
  [[nodiscard]] std::optional<LivedTime::Jump> take_clock_jump();
  // Room inside the store's file that new bodies can take before the file grows.
  [[nodiscard]] std::uint64_t unused_bytes();

 private:
  struct State;
  explicit RemoteStorage(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::storage
