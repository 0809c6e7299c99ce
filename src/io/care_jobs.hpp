// io/care_jobs.hpp: what takes as long as the store is large, beside everything else: checking it,
// copying it, making its file small.
//
// Checks and copies read one committed state on threads of their own; compaction runs on the disk
// thread, in steps between which waiting writes are executed. Threading: made, asked and let go of
// on the loop thread, where the callbacks run too.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/disk_thread.hpp"

namespace meshstow::io {

// Letting go of it stops the work; no callback is called after that.
class CareJob {
 public:
  virtual ~CareJob() = default;
};

class CareJobs {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
  template <class T>
  using Done = std::function<void(tl::expected<T, std::string>)>;  // the error is for people

  // Both outlive it.
  CareJobs(boost::asio::io_context& loop, DiskThread& disk);
  ~CareJobs();  // stops what runs and waits for it

  // Progress counts nodes and versions.
  [[nodiscard]] std::unique_ptr<CareJob> check(Progress progress, Done<storage::CheckReport> done);
  // A copy under a name that is not there yet, mode 0600, whole or not at all; gives its size.
  [[nodiscard]] std::unique_ptr<CareJob> backup(const std::string& path, Progress progress,
                                                Done<std::uint64_t> done);
  // Gives the bytes by which the file became smaller.
  [[nodiscard]] std::unique_ptr<CareJob> compact(Progress progress, Done<std::uint64_t> done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshstow::io
