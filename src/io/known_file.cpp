#include "io/known_file.hpp"

#include <algorithm>
#include <condition_variable>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "base/limits.hpp"
#include "io/file_system.hpp"
#include "io/log.hpp"
#include "reticulum/endpoint.hpp"

namespace meshstow::io {
namespace {

constexpr std::uint64_t kSmall = std::uint64_t{1024} * 1024;  // not worth writing anew

}  // namespace

struct KnownFile::State {
  explicit State(std::filesystem::path file) : path(std::move(file)) {}

  void give(Bytes records, bool anew);
  void run();
  void write(ByteView records);
  void write_anew();
  [[nodiscard]] std::uint64_t size() const;

  std::filesystem::path path;
  std::thread thread;  // begun when there is something to write

  // The thread's.
  std::uint64_t size_when_new = 0;

  // Shared.
  mutable std::mutex mutex;
  std::condition_variable changed;
  Bytes pending;
  bool anew = false;  // before `pending` is appended
  bool writing = false;
  bool stopping = false;
};

KnownFile::KnownFile(std::filesystem::path path)
    : state_(std::make_unique<State>(std::move(path))) {}

KnownFile::~KnownFile() {
  if (!state_->thread.joinable()) return;
  {
    const std::lock_guard guard(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

Bytes KnownFile::load() const {
  auto bytes = read_file_if_there(state_->path, limits::kKnownFile);
  if (!bytes) log_warning(bytes.error());
  return bytes && *bytes ? std::move(**bytes) : Bytes();
}

bool KnownFile::busy() const {
  const std::lock_guard guard(state_->mutex);
  return state_->writing || state_->anew || !state_->pending.empty();
}

void KnownFile::append(Bytes records) {
  if (!records.empty()) state_->give(std::move(records), false);
}
void KnownFile::repair() { state_->give({}, true); }

void KnownFile::State::give(Bytes records, bool whole) {
  {
    const std::lock_guard guard(mutex);
    base::append(pending, records);
    anew = anew || whole;
  }
  if (!thread.joinable()) thread = std::thread([this] { run(); });
  changed.notify_one();
}

void KnownFile::State::run() {
  std::unique_lock guard(mutex);
  while (true) {
    changed.wait(guard, [this] { return stopping || anew || !pending.empty(); });
    if (!anew && pending.empty()) return;
    const Bytes records = std::exchange(pending, {});
    const bool first = std::exchange(anew, false);
    writing = true;
    guard.unlock();
    if (first) write_anew();
    write(records);
    if (size() > std::max(2 * size_when_new, kSmall)) write_anew();
    guard.lock();
    writing = false;
  }
}

std::uint64_t KnownFile::State::size() const {
  std::error_code error;
  const auto out = std::filesystem::file_size(path, error);
  return error ? 0 : out;
}

void KnownFile::State::write(ByteView records) {
  if (records.empty()) return;
  const FileHandle file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return (void)replace_file(path, records);
  const ssize_t count = ::write(file.get(), records.data(), records.size());
  // Half a record would hide all that follow.
  if (count >= 0 && static_cast<std::size_t>(count) < records.size()) write_anew();
}

void KnownFile::State::write_anew() {
  const auto all = read_file(path, limits::kKnownFile);
  const Bytes compact = all ? reticulum::compact_known(*all) : Bytes();
  if (!replace_file(path, compact)) return;
  size_when_new = compact.size();
}

}  // namespace meshstow::io
