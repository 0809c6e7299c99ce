// storage/testing/sim_disk.hpp: a disk in memory under SQLite, which fails on demand and loses what
// was not synced when the power goes. For tests.
//
// It is an SQLite VFS of its own: several connections of this process may use its files at once
// (locks and shared memory work). Everything it does follows from the calls made and the seed
// given. Threading: any, one lock.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/rng.hpp"

namespace meshstow::storage {

enum class DiskCall { open, read, write, truncate, sync, remove };

// A change of the disk, as it was asked for.
struct DiskEvent {
  DiskCall call = DiskCall::write;  // write, truncate, sync, remove
  std::string file;
  std::int64_t offset = 0;  // truncate: the new size
  Bytes bytes;
  bool durable = false;  // remove: the folder was synced, too
};

// What of the writes that were not synced is there after the power cut. Sectors of 512 bytes are
// whole.
enum class Survival { nothing, everything, some };

class SimDisk {
 public:
  SimDisk();
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  // Name of the VFS, for SqliteOptions. Files live as long as this; close all databases before.
  [[nodiscard]] const std::string& vfs() const;

  // Asked before each call. Not 0: the call does nothing and fails with this SQLite result code.
  using Fault = std::function<int(DiskCall)>;
  void set_fault(Fault fault);

  // Keeps every change from now on; see DiskReplay.
  void record(std::vector<DiskEvent>* events);

  [[nodiscard]] std::map<std::string, Bytes> files() const;
  void set_files(std::map<std::string, Bytes> files);

 private:
  friend class DiskReplay;
  struct State;
  std::unique_ptr<State> state_;
};

// Follows recorded changes one by one, and says at any point what a power cut would leave.
class DiskReplay {
 public:
  void apply(const DiskEvent& event);
  [[nodiscard]] std::map<std::string, Bytes> after_power_cut(Survival survival,
                                                             base::Rng& rng) const;

 private:
  struct File {
    bool synced = false;   // its name is in the folder for good
    bool removed = false;  // ...but may come back
    Bytes durable;
    std::vector<DiskEvent> pending;
  };
  std::map<std::string, File> files_;
};

}  // namespace meshstow::storage
