#include "io/disk_thread.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <thread>

#include "base/mesh_limits.hpp"
#include "io/clock.hpp"
#include "io/log.hpp"

namespace meshstow::io {
namespace {

using storage::Failure;
using storage::Refusal;

// Reclaiming waits this long for a quiet moment, so that a writer who writes one after another does
// not stand behind it each time; and looks again this often, since history grows old by itself.
constexpr auto kQuietBefore = std::chrono::milliseconds(300);
constexpr auto kLookAgain = std::chrono::minutes(10);
// Writers who never pause make room as fast as they take it: a step for so many bytes.
constexpr std::size_t kBytesPerStep = 1024 * 1024;
constexpr std::size_t kOperationOverhead =
    256;  // bytes, for what an operation holds besides its body

std::size_t cost_of(const storage::Operation& operation) {
  std::size_t body = 0;
  if (const auto* put = std::get_if<storage::PutDocument>(&operation)) {
    if (const auto* bytes = std::get_if<Bytes>(&put->body)) body = bytes->size();
  } else if (const auto* piece = std::get_if<storage::AppendUpload>(&operation)) {
    body = piece->piece.size();
  } else if (const auto* record = std::get_if<storage::PutRecord>(&operation)) {
    body = record->key.size() + record->value.size();
  }
  return body + kOperationOverhead;
}

// A machine that was off for days looks the same as one whose clock jumped ahead: no warning.
void tell_jump(const storage::LivedTime::Jump& jump) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(std::chrono::abs(jump.by));
  const bool back = jump.by < Duration::zero();
  const std::string far = std::to_string(hours.count() / 24) + " days and " +
                          std::to_string(hours.count() % 24) + " hours" +
                          (back ? " back" : " ahead");
  const char* held = ": no earlier version is deleted for its age within the next hour";
  if (!jump.between_openings) return log_warning("the clock jumped " + far + held);
  const std::string since = "since this store was used last, the clock went " + far;
  if (back) return log_warning(since + held);
  log_info(since + "; at most a day of that makes earlier versions older");
}

struct Write {
  storage::Operation operation;
  DiskThread::Completion done;
  std::size_t cost = 0;
};

struct Answered {
  DiskThread::Completion done;
  storage::Outcome<storage::Answer> outcome;
  std::size_t cost = 0;
};

}  // namespace

struct DiskThread::State : std::enable_shared_from_this<DiskThread::State> {
  explicit State(boost::asio::io_context& io) : loop(io) {}

  void submit_read(storage::Operation operation, Completion done);
  void submit_write(storage::Operation operation, Completion done);
  void wake_after_this_turn();
  void run();
  bool wait_for_work(std::unique_lock<std::mutex>& guard);
  void reclaim_while_busy();
  std::vector<Write> take_batch();
  Task take_task();
  bool let_others();
  void execute(std::vector<Write> batch);
  std::vector<bool> without_room(const std::vector<Write>& batch);
  void deliver(std::vector<Answered> answers);
  void answer_some();
  void settle();

  boost::asio::io_context& loop;
  std::thread thread;

  // The loop thread's.
  std::unique_ptr<storage::StorageReader> reader;
  std::size_t queued_bytes = 0;
  std::size_t unanswered = 0;
  std::deque<Answered> answered;  // to be told, in order
  // Keeps loop.run() from returning while an answer is under way from the other thread.
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work;
  bool gone = false;
  bool will_wake = false;
  std::vector<std::function<void()>> idle_waiters;

  // The disk thread's.
  std::unique_ptr<storage::RemoteStorage> storage;
  DiskProbe probe;
  bool may_reclaim = true;
  bool is_reclaiming = false;        // the quiet moment has come
  std::size_t taken_since_step = 0;  // bytes
  bool short_of_room = false;        // something was refused

  // Shared.
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Write> queue;
  std::deque<Task> tasks;
  bool stopping = false;
};

Result<std::unique_ptr<DiskThread>> DiskThread::start(
    boost::asio::io_context& loop, std::unique_ptr<storage::RemoteStorage> storage,
    DiskProbe probe) {
  auto reader = storage->make_reader();
  if (!reader) return fail(reader.error());
  auto state = std::make_shared<State>(loop);
  state->reader = std::move(*reader);
  state->storage = std::move(storage);
  state->probe = std::move(probe);
  state->thread = std::thread([raw = state.get()] { raw->run(); });
  return std::unique_ptr<DiskThread>(new DiskThread(std::move(state)));
}

DiskThread::DiskThread(std::shared_ptr<State> state) : state_(std::move(state)) {}

DiskThread::~DiskThread() {
  state_->gone = true;
  state_->work.reset();
  state_->reader.reset();
  {
    const std::lock_guard guard(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

void DiskThread::submit(storage::Operation operation, Completion done) {
  if (storage::is_write(operation)) {
    state_->submit_write(std::move(operation), std::move(done));
  } else {
    state_->submit_read(std::move(operation), std::move(done));
  }
}

std::size_t DiskThread::queued_bytes() const { return state_->queued_bytes; }

void DiskThread::when_idle(std::function<void()> done) {
  state_->idle_waiters.push_back(std::move(done));
  boost::asio::post(state_->loop, [state = state_] { state->settle(); });
}

void DiskThread::run_task(Task task) {
  {
    const std::lock_guard guard(state_->mutex);
    state_->tasks.push_back(std::move(task));
  }
  state_->changed.notify_one();
}

// Executed in a turn of its own: answers come in order, hold one piece of a body at a time, and a
// completion that reads on does not recurse.
void DiskThread::State::submit_read(storage::Operation operation, Completion done) {
  boost::asio::post(loop, [state = shared_from_this(), operation = std::move(operation),
                           done = std::move(done)]() mutable {
    if (state->gone) return;
    auto reply = state->reader->execute({0, std::move(operation)});
    done(std::move(reply.outcome));
  });
}

void DiskThread::State::submit_write(storage::Operation operation, Completion done) {
  const std::size_t cost = cost_of(operation);
  ++unanswered;
  if (!work) work.emplace(loop.get_executor());
  // What ends an upload gives room, and would keep its place for good if it were not heard.
  const bool frees = std::holds_alternative<storage::AbortUpload>(operation);
  if (queued_bytes > limits::kStoreQueueBytes && !frees) {
    boost::asio::post(loop, [state = shared_from_this(), done = std::move(done)]() mutable {
      std::vector<Answered> refused;
      refused.push_back(
          {std::move(done),
           tl::unexpected(Failure{Refusal::unavailable, "the disk cannot keep up", {}}), 0});
      state->deliver(std::move(refused));
    });
    return;
  }
  queued_bytes += cost;
  {
    const std::lock_guard guard(mutex);
    queue.push_back({std::move(operation), std::move(done), cost});
  }
  wake_after_this_turn();
}

// Whatever the loop has at hand now is to share the commit: were the thread woken by the first of
// sixteen writes, it would sync that one alone while the others wait for the next.
void DiskThread::State::wake_after_this_turn() {
  if (std::exchange(will_wake, true)) return;
  boost::asio::post(loop, [state = shared_from_this()] {
    state->will_wake = false;
    state->changed.notify_one();
  });
}

void DiskThread::State::run() {
  std::unique_lock guard(mutex);
  while (wait_for_work(guard)) {
    std::vector<Write> batch = take_batch();
    Task task = take_task();
    guard.unlock();
    if (batch.empty() && !task) {
      may_reclaim = is_reclaiming = storage->reclaim_some(read_clock());
    } else {
      is_reclaiming = false;
      if (!batch.empty()) execute(std::move(batch));
      reclaim_while_busy();
      if (task) task(*storage, [this] { return let_others(); });
      may_reclaim = true;
    }
    task = nullptr;
    if (const auto jump = storage->take_clock_jump()) tell_jump(*jump);
    guard.lock();
  }
  guard.unlock();
  storage.reset();
}

// Whoever asks again at once must not keep away the quiet moment that would make room.
void DiskThread::State::reclaim_while_busy() {
  bool more = true;
  if (std::exchange(short_of_room, false)) more = storage->reclaim_some(read_clock());
  while (taken_since_step >= kBytesPerStep) {
    taken_since_step -= kBytesPerStep;
    more = more && storage->reclaim_some(read_clock(), /*idle=*/false);
  }
}

// True: there are writes or tasks, or it is quiet and there may be something to reclaim.
bool DiskThread::State::wait_for_work(std::unique_lock<std::mutex>& guard) {
  const auto woken = [this] { return stopping || !queue.empty() || !tasks.empty(); };
  auto patience = std::chrono::milliseconds(kLookAgain);
  if (may_reclaim) patience = is_reclaiming ? std::chrono::milliseconds(0) : kQuietBefore;
  if (!changed.wait_for(guard, patience, woken)) return true;
  // What is queued is finished even when stopping.
  return !queue.empty() || (!tasks.empty() && !stopping);
}

DiskThread::Task DiskThread::State::take_task() {
  if (tasks.empty() || stopping) return nullptr;
  Task task = std::move(tasks.front());
  tasks.pop_front();
  return task;
}

bool DiskThread::State::let_others() {
  std::unique_lock guard(mutex);
  if (stopping) return false;
  std::vector<Write> batch = take_batch();
  guard.unlock();
  if (!batch.empty()) execute(std::move(batch));
  return true;
}

std::vector<Write> DiskThread::State::take_batch() {
  std::vector<Write> batch;
  std::size_t bytes = 0;
  while (!queue.empty() && batch.size() < limits::kBatchOperations && bytes < limits::kDiskBatch) {
    bytes += queue.front().cost;
    batch.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  taken_since_step += bytes;
  return batch;
}

// Which of the writes the disk has no room for. The file may have room of its own, which it has not
// given back to the disk; the store is asked only where that matters.
std::vector<bool> DiskThread::State::without_room(const std::vector<Write>& batch) {
  std::vector<bool> out(batch.size(), false);
  const auto space = probe ? probe() : std::nullopt;
  if (!space) return out;
  std::uint64_t room = space->room();
  bool asked = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::uint64_t bytes = new_bytes(batch[i].operation);
    if (bytes > room && !std::exchange(asked, true)) room += storage->unused_bytes();
    out[i] = bytes > room;
    short_of_room = short_of_room || out[i];
    const bool announced = std::holds_alternative<storage::BeginUpload>(batch[i].operation);
    if (!out[i] && !announced) room -= bytes;
  }
  return out;
}

void DiskThread::State::execute(std::vector<Write> batch) {
  const std::vector<bool> refused = without_room(batch);
  std::vector<storage::StoreRequest> requests;
  requests.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto* append = std::get_if<storage::AppendUpload>(&batch[i].operation);
    if (!refused[i]) {
      requests.push_back({i, std::move(batch[i].operation)});
    } else if (append != nullptr) {
      // Without this piece nothing may come of it.
      requests.push_back({batch.size(), storage::AbortUpload{append->upload}});
    }
  }
  std::vector<storage::StoreReply> replies = storage->execute_batch(read_clock(), requests);

  std::vector<Answered> answers;
  answers.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Failure failure = refused[i]
                                ? Failure{Refusal::full, "the disk has no room for it", {}}
                                : Failure{Refusal::unavailable, "the store did not answer", {}};
    answers.push_back({std::move(batch[i].done), tl::unexpected(failure), batch[i].cost});
  }
  for (storage::StoreReply& reply : replies) {
    if (reply.number < answers.size()) answers[reply.number].outcome = std::move(reply.outcome);
  }
  boost::asio::post(loop, [state = shared_from_this(), answers = std::move(answers)]() mutable {
    state->deliver(std::move(answers));
  });
}

void DiskThread::State::deliver(std::vector<Answered> answers) {
  const bool is_telling = !answered.empty();
  std::ranges::move(answers, std::back_inserter(answered));
  if (!is_telling) answer_some();
}

// A batch has many, and whoever hears one may have much to do: others have their turn in between.
void DiskThread::State::answer_some() {
  const auto end = std::chrono::steady_clock::now() + limits::kInputTurn;
  while (!answered.empty() && std::chrono::steady_clock::now() < end) {
    if (gone) return;
    Answered answer = std::move(answered.front());
    answered.pop_front();
    queued_bytes -= answer.cost;
    --unanswered;
    answer.done(std::move(answer.outcome));
  }
  if (answered.empty()) return settle();
  boost::asio::post(loop, [state = shared_from_this()] { state->answer_some(); });
}

void DiskThread::State::settle() {
  if (gone || unanswered > 0) return;
  work.reset();
  for (auto& waiter : std::exchange(idle_waiters, {})) waiter();
}

}  // namespace meshstow::io
