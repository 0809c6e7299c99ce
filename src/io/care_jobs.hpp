// io/care_jobs.hpp: what takes long, beside everything else: checking the store, copying it, making
// its file small; reading a web app from a disk that may be slow.
//
// Checks and copies read one committed state on threads of their own; compaction runs on the disk
// thread, in steps between which waiting writes are executed. Threading: made, asked and let go of
// on the loop thread, where the callbacks run too.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/app_source.hpp"
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
  // read_app_source() of that path.
  using AppFiles = std::vector<http::AppSourceFile>;
  [[nodiscard]] std::unique_ptr<CareJob> read_app(const std::string& path, Done<AppFiles> done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshstow::io
