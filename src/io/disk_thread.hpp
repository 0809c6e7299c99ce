// io/disk_thread.hpp: the thread that owns the store's writer, and the readers.
//
// Writes queue; whatever waits when the thread is free becomes one transaction, so one writer sees
// no added delay and many share an fsync. Reads run on the loop thread's own reader. Completions
// run on the loop thread, never from inside submit(), in the order of the requests of their kind.
#pragma once

#include <functional>
#include <memory>

#include "io/disk_room.hpp"
#include "storage/remote_storage.hpp"

namespace boost::asio {
class io_context;
}

namespace meshstow::io {

class DiskThread {
 public:
  using Completion = std::function<void(storage::Outcome<storage::Answer>)>;

  // `loop` outlives the thread. `probe` runs on the disk thread; bodies for which it shows no room
  // are refused as Refusal::full. Errc as RemoteStorage::make_reader.
  [[nodiscard]] static Result<std::unique_ptr<DiskThread>> start(
      boost::asio::io_context& loop, std::unique_ptr<storage::RemoteStorage> storage,
      DiskProbe probe = {});
  // Finishes what is queued, then joins. Completions that have not run by then never run.
  ~DiskThread();

  // Loop thread only. Refusal::unavailable when the queue is over limits::kStoreQueueBytes.
  void submit(storage::Operation operation, Completion done);
  [[nodiscard]] std::size_t queued_bytes() const;
  // Calls back once every write that was submitted before has been answered.
  void when_idle(std::function<void()> done);

  // Runs `task` on the disk thread, after the batch under way. Between transactions of its own it
  // calls `let_others`, which executes the writes that wait; false: the thread is to end, and the
  // task with it. A task that has not begun by then never runs.
  using Task =
      std::function<void(storage::RemoteStorage& storage, const std::function<bool()>& let_others)>;
  void run_task(Task task);

 private:
  struct State;
  explicit DiskThread(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace meshstow::io
