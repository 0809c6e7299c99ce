#include "storage/remote_storage.hpp"

#include "storage/space_writer.hpp"

namespace meshstow::storage {

struct RemoteStorage::State {
  State(std::unique_ptr<LocalStore> engine, std::unique_ptr<Sealer> sealer, base::Rng& random,
        StorageOptions options)
      : rng(random), writer(std::move(engine), std::move(sealer), options) {}

  base::Rng& rng;
  SpaceWriter writer;
};

RemoteStorage::RemoteStorage(std::unique_ptr<State> state) : state_(std::move(state)) {}
RemoteStorage::~RemoteStorage() = default;

Result<std::unique_ptr<RemoteStorage>> RemoteStorage::open(std::unique_ptr<LocalStore> engine,
                                                           std::unique_ptr<Sealer> sealer,
                                                           base::Rng& rng, StorageOptions options,
                                                           Now now) {
  auto state = std::make_unique<State>(std::move(engine), std::move(sealer), rng, options);
  if (auto opened = state->writer.open(now, rng); !opened) return fail(opened.error());
  return std::unique_ptr<RemoteStorage>(new RemoteStorage(std::move(state)));
}

std::vector<StoreReply> RemoteStorage::execute_batch(Now now,
                                                     std::span<const StoreRequest> writes) {
  return state_->writer.execute_batch(now, writes);
}

Result<std::unique_ptr<StorageReader>> RemoteStorage::make_reader() {
  return state_->writer.make_reader();
}

LogId RemoteStorage::log() const { return state_->writer.space().log; }

Hash16 RemoteStorage::incarnation_token() const { return state_->writer.space().token; }

Result<void> RemoteStorage::start_new_log() { return state_->writer.start_new_log(state_->rng); }

bool RemoteStorage::reclaim_some(Now now, bool idle) {
  return state_->writer.reclaim_some(now, idle);
}
std::optional<LivedTime::Jump> RemoteStorage::take_clock_jump() {
  return state_->writer.take_clock_jump();
}
std::uint64_t RemoteStorage::unused_bytes() { return state_->writer.unused_bytes(); }

Result<std::uint64_t> RemoteStorage::compact(Now now, const CompactProgress& progress) {
  return state_->writer.compact(now, progress);
}

}  // namespace meshstow::storage
