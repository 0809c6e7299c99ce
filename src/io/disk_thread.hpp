// io/disk_thread.hpp: the thread that owns the store's writer, and the readers.
//
// Writes queue; whatever waits when the thread is free becomes one transaction, so one writer sees no
// added delay and many share an fsync. Reads run where they are asked, on the loop thread's own reader.
// Completions run on the loop thread, in the order of the requests of their kind.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "storage/remote_storage.hpp"

namespace meshstow::io {

class DiskThread {
 public:
  using Completion = std::function<void(storage::Outcome<storage::Answer>)>;

  // `loop` outlives the thread. Errc as RemoteStorage::make_reader.
  [[nodiscard]] static Result<std::unique_ptr<DiskThread>> start(boost::asio::io_context& loop,
                                                                 std::unique_ptr<storage::RemoteStorage> storage);
  ~DiskThread();   // finishes what is queued, then joins

  // Loop thread only. Refusal::unavailable at once when the queue is over limits::kStoreQueueBytes.
  void submit(storage::Operation operation, Completion done);
  [[nodiscard]] std::size_t queued_bytes() const;

 private:
  struct State;
  explicit DiskThread(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::io
