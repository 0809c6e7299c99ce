#include "io/care_jobs.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <mutex>
#include <thread>

#include "io/clock.hpp"
#include "io/file_system.hpp"
#include "io/held_signals.hpp"
#include "io/partial_file.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using Reader = std::unique_ptr<storage::StorageReader>;

// One job, as both threads see it. The callbacks are the loop thread's and go with the handle, so
// that what they hold is never destroyed on another thread.
template <class T>
class Job : public std::enable_shared_from_this<Job<T>> {
 public:
  using Outcome = tl::expected<T, std::string>;

  Job(asio::io_context& loop, CareJobs::Progress progress, CareJobs::Done<T> done)
      : loop_(loop), progress_(std::move(progress)), done_(std::move(done)) {}

  // Any thread.
  [[nodiscard]] bool stopped() const { return stopped_; }
  // False: stop. The next number says more than one that still waits to be told.
  bool tell(std::uint64_t done, std::uint64_t total) {
    if (stopped_) return false;
    if (telling_.exchange(true)) return true;
    asio::post(loop_, [job = this->shared_from_this(), done, total] {
      job->telling_ = false;
      if (job->progress_) job->progress_(done, total);
    });
    return true;
  }
  void end(Outcome outcome) {
    asio::post(loop_, [job = this->shared_from_this(), outcome = std::move(outcome)]() mutable {
      job->progress_ = nullptr;
      if (const auto done = std::exchange(job->done_, nullptr)) done(std::move(outcome));
    });
  }

  // Loop thread.
  void stop() {
    stopped_ = true;
    progress_ = nullptr;
    done_ = nullptr;
  }

 private:
  asio::io_context& loop_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> telling_ = false;
  CareJobs::Progress progress_;
  CareJobs::Done<T> done_;
};

template <class T>
class Handle final : public CareJob {
 public:
  explicit Handle(std::shared_ptr<Job<T>> job) : job_(std::move(job)) {}
  ~Handle() override { job_->stop(); }

 private:
  std::shared_ptr<Job<T>> job_;
};

tl::expected<std::uint64_t, std::string> copy_store(storage::StorageReader& reader,
                                                    const fs::path& target,
                                                    Job<std::uint64_t>& job) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(target, error))) {
    return tl::unexpected(target.string() + " is there already; it was not changed");
  }
  PartialFile partial(target);
  if (!partial.made()) return tl::unexpected(file_error("create", target));
  const auto copied = reader.backup(partial.name(), [&](auto done, auto total) {
    return job.tell(done, total) && !is_told_to_end();
  });
  if (!copied) {
    return tl::unexpected("cannot copy the store to " + target.string() + ": " +
                          copied.error().detail);
  }
  const auto size = fs::file_size(partial.name(), error);
  if (auto kept = partial.keep(); !kept) return tl::unexpected(kept.error());
  return static_cast<std::uint64_t>(size);
}

}  // namespace

struct CareJobs::State {
  State(asio::io_context& io, DiskThread& of) : loop(io), disk(of) {}

  // Runs `work` with a reader of its own on a thread of its own. A reader is made where the store
  // is written.
  template <class T, class Work>
  std::unique_ptr<CareJob> start(const std::shared_ptr<State>& self, std::shared_ptr<Job<T>> job,
                                 Work work) {
    disk.run_task([self, job, work](storage::RemoteStorage& storage, const auto&) {
      auto reader = storage.make_reader();
      if (!reader) {
        return job->end(
            tl::unexpected(std::string("cannot read the store: ") + reader.error().detail));
      }
      self->run_beside([job, work, reader = std::shared_ptr(std::move(*reader))] {
        auto outcome = work(*reader, *job);
        if (!job->stopped()) job->end(std::move(outcome));
      });
    });
    return keep(std::move(job));
  }

  template <class T>
  std::unique_ptr<CareJob> keep(std::shared_ptr<Job<T>> job) {
    std::erase_if(stops, [](const auto& stop) { return stop(false); });
    stops.push_back([weak = std::weak_ptr(job)](bool now) {
      const auto running = weak.lock();
      if (running && now) running->stop();
      return running == nullptr;
    });
    return std::make_unique<Handle<T>>(std::move(job));
  }

  void run_beside(std::function<void()> work) {
    const std::lock_guard guard(mutex);
    if (closed) return;
    std::erase_if(threads, [](Thread& each) {
      if (!*each.over) return false;
      each.thread.join();
      return true;
    });
    auto over = std::make_shared<std::atomic<bool>>(false);
    threads.push_back({std::thread([work = std::move(work), over]() mutable {
                         work();
                         work = nullptr;
                         *over = true;
                       }),
                       over});
  }

  void close() {
    for (const auto& stop : stops) stop(true);
    std::vector<Thread> running;
    {
      const std::lock_guard guard(mutex);
      closed = true;
      running = std::move(threads);
    }
    for (Thread& each : running) each.thread.join();
  }

  struct Thread {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> over;
  };

  asio::io_context& loop;
  DiskThread& disk;
  std::vector<std::function<bool(bool now)>> stops;  // true: that job is gone
  std::mutex mutex;
  std::vector<Thread> threads;
  bool closed = false;
};

CareJobs::CareJobs(asio::io_context& loop, DiskThread& disk)
    : state_(std::make_shared<State>(loop, disk)) {}
CareJobs::~CareJobs() { state_->close(); }

std::unique_ptr<CareJob> CareJobs::check(Progress progress, Done<storage::CheckReport> done) {
  using Report = storage::CheckReport;
  auto job = std::make_shared<Job<Report>>(state_->loop, std::move(progress), std::move(done));
  return state_->start(
      state_, std::move(job),
      [](storage::StorageReader& reader, Job<Report>& told) -> tl::expected<Report, std::string> {
        return reader.check([&](auto at, auto total) { return told.tell(at, total); });
      });
}

std::unique_ptr<CareJob> CareJobs::backup(const std::string& path, Progress progress,
                                          Done<std::uint64_t> done) {
  auto job =
      std::make_shared<Job<std::uint64_t>>(state_->loop, std::move(progress), std::move(done));
  return state_->start(state_, std::move(job),
                       [path](storage::StorageReader& reader, Job<std::uint64_t>& told) {
                         return copy_store(reader, path, told);
                       });
}

std::unique_ptr<CareJob> CareJobs::read_app(const std::string& path, Done<AppFiles> done) {
  auto job = std::make_shared<Job<AppFiles>>(state_->loop, nullptr, std::move(done));
  state_->run_beside([job, path] {
    auto files = read_app_source(path);
    if (!job->stopped()) job->end(std::move(files));
  });
  return state_->keep(std::move(job));
}

std::unique_ptr<CareJob> CareJobs::compact(Progress progress, Done<std::uint64_t> done) {
  auto job =
      std::make_shared<Job<std::uint64_t>>(state_->loop, std::move(progress), std::move(done));
  state_->disk.run_task([job](storage::RemoteStorage& storage, const auto& let_others) {
    const auto step = [&](std::uint64_t given_back, std::uint64_t unused) {
      return job->tell(given_back, given_back + unused) && let_others();
    };
    auto given_back = storage.compact(read_clock(), step);
    if (job->stopped()) return;
    if (given_back) return job->end(*given_back);
    job->end(
        tl::unexpected(std::string("the store cannot be compacted: ") + given_back.error().detail));
  });
  return state_->keep(std::move(job));
}

}  // namespace meshstow::io
