#include "storage/testing/sim_disk.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <new>
#include <sqlite3.h>

namespace meshstow::storage {
namespace {

constexpr int kMaxPath = 256;
constexpr int kSectorSize = 4096;  // as SQLite's own VFS says
constexpr std::size_t kTornSector = 512;

void write_into(Bytes& file, std::int64_t offset, ByteView bytes) {
  const std::size_t end = static_cast<std::size_t>(offset) + bytes.size();
  if (file.size() < end) file.resize(end);
  std::copy(bytes.begin(), bytes.end(), file.begin() + offset);
}

}  // namespace

// One file with everybody's locks on it.
struct SimFile {
  std::string name;
  Bytes bytes;
  int shared = 0;
  const void* reserved = nullptr;  // the handle that has it
  const void* pending = nullptr;
  const void* exclusive = nullptr;
  std::vector<std::unique_ptr<Bytes>> regions;  // of shared memory
  std::array<int, SQLITE_SHM_NLOCK> shm_shared{};
  std::array<const void*, SQLITE_SHM_NLOCK> shm_exclusive{};
};

struct SimDisk::State {
  mutable std::mutex mutex;
  std::map<std::string, std::shared_ptr<SimFile>> files;
  Fault fault;
  std::vector<DiskEvent>* events = nullptr;
  std::string name;
  sqlite3_vfs vfs{};
  sqlite3_vfs* system = nullptr;

  int ask(DiskCall call) const { return fault ? fault(call) : SQLITE_OK; }
  void note(DiskEvent event) {
    if (events != nullptr) events->push_back(std::move(event));
  }

  // SQLite's handle of an open file; SQLite gives the memory.
  struct Handle {
    sqlite3_file base;
    State* disk;
    std::shared_ptr<SimFile> file;
    int lock;
    bool delete_on_close;
    std::array<bool, SQLITE_SHM_NLOCK> shm_shared;
  };
  static Handle& handle(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
  static State& state(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }
  static const sqlite3_io_methods& methods();

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out);
  static int remove(sqlite3_vfs* vfs, const char* name, int sync);
  static int access(sqlite3_vfs* vfs, const char* name, int flags, int* out);
  static int full_path(sqlite3_vfs* vfs, const char* name, int size, char* out);
  static int close(sqlite3_file* file);
  static int read(sqlite3_file* file, void* out, int count, sqlite3_int64 offset);
  static int write(sqlite3_file* file, const void* in, int count, sqlite3_int64 offset);
  static int truncate(sqlite3_file* file, sqlite3_int64 size);
  static int sync(sqlite3_file* file, int flags);
  static int size(sqlite3_file* file, sqlite3_int64* out);
  static int lock_file(sqlite3_file* file, int level);
  static int unlock_file(sqlite3_file* file, int level);
  static int check_reserved(sqlite3_file* file, int* out);
  static int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** out);
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags);
  static void shm_barrier(sqlite3_file*) {}
  static int shm_unmap(sqlite3_file* file, int remove);
};

const sqlite3_io_methods& SimDisk::State::methods() {
  static const sqlite3_io_methods kMethods = [] {
    sqlite3_io_methods out{};
    out.iVersion = 2;
    out.xClose = close;
    out.xRead = read;
    out.xWrite = write;
    out.xTruncate = truncate;
    out.xSync = sync;
    out.xFileSize = size;
    out.xLock = lock_file;
    out.xUnlock = unlock_file;
    out.xCheckReservedLock = check_reserved;
    out.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
    out.xSectorSize = [](sqlite3_file*) { return kSectorSize; };
    out.xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; };
    out.xShmMap = shm_map;
    out.xShmLock = shm_lock;
    out.xShmBarrier = shm_barrier;
    out.xShmUnmap = shm_unmap;
    return out;
  }();
  return kMethods;
}

int SimDisk::State::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                         int* out) {
  State& disk = state(vfs);
  const std::lock_guard guard(disk.mutex);
  file->pMethods = nullptr;
  if (const int code = disk.ask(DiskCall::open); code != SQLITE_OK) return SQLITE_CANTOPEN;
  std::shared_ptr<SimFile> opened;
  if (name == nullptr) {
    opened = std::make_shared<SimFile>();
  } else if (const auto found = disk.files.find(name); found != disk.files.end()) {
    opened = found->second;
  } else if ((flags & SQLITE_OPEN_CREATE) == 0) {
    return SQLITE_CANTOPEN;
  } else {
    opened = std::make_shared<SimFile>();
    opened->name = name;
    disk.files[name] = opened;
  }
  new (file) Handle{{&methods()},
                    &disk,
                    std::move(opened),
                    SQLITE_LOCK_NONE,
                    (flags & SQLITE_OPEN_DELETEONCLOSE) != 0,
                    {}};
  if (out != nullptr) *out = flags;
  return SQLITE_OK;
}

int SimDisk::State::remove(sqlite3_vfs* vfs, const char* name, int sync) {
  State& disk = state(vfs);
  const std::lock_guard guard(disk.mutex);
  if (disk.ask(DiskCall::remove) != SQLITE_OK) return SQLITE_IOERR_DELETE;
  if (disk.files.erase(name) == 0) return SQLITE_IOERR_DELETE_NOENT;
  disk.note({DiskCall::remove, name, 0, {}, sync != 0});
  return SQLITE_OK;
}

int SimDisk::State::access(sqlite3_vfs* vfs, const char* name, int, int* out) {
  State& disk = state(vfs);
  const std::lock_guard guard(disk.mutex);
  const auto found = disk.files.find(name);
  *out = found != disk.files.end() && !found->second->bytes.empty() ? 1 : 0;
  return SQLITE_OK;
}

int SimDisk::State::full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int SimDisk::State::close(sqlite3_file* file) {
  unlock_file(file, SQLITE_LOCK_NONE);
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  if (opened.delete_on_close) opened.disk->files.erase(opened.file->name);
  opened.~Handle();
  return SQLITE_OK;
}

int SimDisk::State::read(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  if (const int code = opened.disk->ask(DiskCall::read); code != SQLITE_OK) return code;
  const Bytes& bytes = opened.file->bytes;
  const auto size = static_cast<sqlite3_int64>(bytes.size());
  const auto there = static_cast<std::size_t>(std::clamp<sqlite3_int64>(size - offset, 0, count));
  if (there > 0) std::memcpy(out, bytes.data() + offset, there);
  if (there == static_cast<std::size_t>(count)) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + there, 0, static_cast<std::size_t>(count) - there);
  return SQLITE_IOERR_SHORT_READ;
}

int SimDisk::State::write(sqlite3_file* file, const void* in, int count, sqlite3_int64 offset) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  if (const int code = opened.disk->ask(DiskCall::write); code != SQLITE_OK) return code;
  const ByteView bytes(static_cast<const Byte*>(in), static_cast<std::size_t>(count));
  write_into(opened.file->bytes, offset, bytes);
  opened.disk->note({DiskCall::write, opened.file->name, offset, base::to_bytes(bytes), false});
  return SQLITE_OK;
}

int SimDisk::State::truncate(sqlite3_file* file, sqlite3_int64 size) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  if (const int code = opened.disk->ask(DiskCall::truncate); code != SQLITE_OK) return code;
  opened.file->bytes.resize(static_cast<std::size_t>(size));
  opened.disk->note({DiskCall::truncate, opened.file->name, size, {}, false});
  return SQLITE_OK;
}

int SimDisk::State::sync(sqlite3_file* file, int) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  if (const int code = opened.disk->ask(DiskCall::sync); code != SQLITE_OK) return code;
  opened.disk->note({DiskCall::sync, opened.file->name, 0, {}, false});
  return SQLITE_OK;
}

int SimDisk::State::size(sqlite3_file* file, sqlite3_int64* out) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  *out = static_cast<sqlite3_int64>(opened.file->bytes.size());
  return SQLITE_OK;
}

// SQLite's five levels (sqlite.org/lockingv3.html), without a process boundary.
int SimDisk::State::lock_file(sqlite3_file* file, int level) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  SimFile& locks = *opened.file;
  const auto others = [&](const void* holder) { return holder != nullptr && holder != &opened; };
  if (opened.lock >= level) return SQLITE_OK;
  if (others(locks.exclusive)) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_SHARED) {
    if (others(locks.pending)) return SQLITE_BUSY;
    ++locks.shared;
  } else if (level == SQLITE_LOCK_RESERVED) {
    if (others(locks.reserved)) return SQLITE_BUSY;
    locks.reserved = &opened;
  } else {
    if (others(locks.reserved) || others(locks.pending)) return SQLITE_BUSY;
    locks.pending = &opened;
    opened.lock = SQLITE_LOCK_PENDING;
    if (locks.shared > 1) return SQLITE_BUSY;
    locks.exclusive = &opened;
  }
  opened.lock = level;
  return SQLITE_OK;
}

int SimDisk::State::unlock_file(sqlite3_file* file, int level) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  SimFile& locks = *opened.file;
  if (opened.lock <= level) return SQLITE_OK;
  for (const void** holder : {&locks.exclusive, &locks.pending, &locks.reserved}) {
    if (*holder == &opened) *holder = nullptr;
  }
  if (level == SQLITE_LOCK_NONE) --locks.shared;
  opened.lock = level;
  return SQLITE_OK;
}

int SimDisk::State::check_reserved(sqlite3_file* file, int* out) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  *out = opened.file->reserved != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int SimDisk::State::shm_map(sqlite3_file* file, int region, int size, int extend,
                            void volatile** out) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  auto& regions = opened.file->regions;
  const auto index = static_cast<std::size_t>(region);
  *out = nullptr;
  if (index >= regions.size()) {
    if (extend == 0) return SQLITE_OK;
    while (regions.size() <= index) {
      regions.push_back(std::make_unique<Bytes>(static_cast<std::size_t>(size)));
    }
  }
  *out = regions[index]->data();
  return SQLITE_OK;
}

int SimDisk::State::shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  SimFile& locks = *opened.file;
  const auto first = static_cast<std::size_t>(offset);
  const auto end = first + static_cast<std::size_t>(count);
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (std::size_t i = first; i < end; ++i) {
      if (locks.shm_exclusive[i] == &opened) locks.shm_exclusive[i] = nullptr;
      if (opened.shm_shared[i]) --locks.shm_shared[i];
      opened.shm_shared[i] = false;
    }
    return SQLITE_OK;
  }
  for (std::size_t i = first; i < end; ++i) {
    const int own = opened.shm_shared[i] ? 1 : 0;
    if (locks.shm_exclusive[i] != nullptr && locks.shm_exclusive[i] != &opened) return SQLITE_BUSY;
    if (exclusive && locks.shm_shared[i] > own) return SQLITE_BUSY;
  }
  for (std::size_t i = first; i < end; ++i) {
    if (exclusive) {
      locks.shm_exclusive[i] = &opened;
    } else if (!opened.shm_shared[i]) {
      opened.shm_shared[i] = true;
      ++locks.shm_shared[i];
    }
  }
  return SQLITE_OK;
}

int SimDisk::State::shm_unmap(sqlite3_file* file, int remove) {
  Handle& opened = handle(file);
  const std::lock_guard guard(opened.disk->mutex);
  if (remove != 0) opened.file->regions.clear();
  return SQLITE_OK;
}

SimDisk::SimDisk() : state_(std::make_unique<State>()) {
  static std::atomic<int> count = 0;
  State& state = *state_;
  state.name = "meshstow-sim-" + std::to_string(count++);
  state.system = sqlite3_vfs_find(nullptr);
  state.vfs = *state.system;
  state.vfs.iVersion = 1;
  state.vfs.szOsFile = sizeof(State::Handle);
  state.vfs.mxPathname = kMaxPath;
  state.vfs.pNext = nullptr;
  state.vfs.zName = state.name.c_str();
  state.vfs.pAppData = &state;
  state.vfs.xOpen = State::open;
  state.vfs.xDelete = State::remove;
  state.vfs.xAccess = State::access;
  state.vfs.xFullPathname = State::full_path;
  sqlite3_vfs_register(&state.vfs, 0);
}

SimDisk::~SimDisk() { sqlite3_vfs_unregister(&state_->vfs); }

const std::string& SimDisk::vfs() const { return state_->name; }

void SimDisk::set_fault(Fault fault) {
  const std::lock_guard guard(state_->mutex);
  state_->fault = std::move(fault);
}

void SimDisk::record(std::vector<DiskEvent>* events) {
  const std::lock_guard guard(state_->mutex);
  state_->events = events;
}

std::map<std::string, Bytes> SimDisk::files() const {
  const std::lock_guard guard(state_->mutex);
  std::map<std::string, Bytes> out;
  for (const auto& [name, file] : state_->files) out[name] = file->bytes;
  return out;
}

void SimDisk::set_files(std::map<std::string, Bytes> files) {
  const std::lock_guard guard(state_->mutex);
  state_->files.clear();
  for (auto& [name, bytes] : files) {
    auto file = std::make_shared<SimFile>();
    file->name = name;
    file->bytes = std::move(bytes);
    state_->files[name] = std::move(file);
  }
}

void DiskReplay::apply(const DiskEvent& event) {
  File& file = files_[event.file];
  if (event.call == DiskCall::remove) {
    if (event.durable || !file.synced) {
      files_.erase(event.file);
    } else {
      file.removed = true;
      file.pending.clear();
    }
    return;
  }
  if (file.removed) file = File{};  // a new file of that name
  if (event.call != DiskCall::sync) {
    file.pending.push_back(event);
    return;
  }
  for (const DiskEvent& change : file.pending) {
    if (change.call == DiskCall::truncate) {
      file.durable.resize(static_cast<std::size_t>(change.offset));
    } else {
      write_into(file.durable, change.offset, change.bytes);
    }
  }
  file.pending.clear();
  if (file.synced) return;
  // The first sync of a new file syncs its folder too, and with it what was removed from there.
  file.synced = true;
  std::erase_if(files_, [](const auto& entry) { return entry.second.removed; });
}

std::map<std::string, Bytes> DiskReplay::after_power_cut(Survival survival, base::Rng& rng) const {
  const auto survives = [&] {
    return survival == Survival::everything || (survival == Survival::some && rng.below(2) == 0);
  };
  std::map<std::string, Bytes> out;
  for (const auto& [name, file] : files_) {
    if (file.removed && (survival == Survival::everything || survives())) continue;
    if (!file.synced && !survives()) continue;
    Bytes bytes = file.durable;
    for (const DiskEvent& change : file.pending) {
      if (change.call == DiskCall::truncate) {
        if (survives()) bytes.resize(static_cast<std::size_t>(change.offset));
        continue;
      }
      for (std::size_t at = 0; at < change.bytes.size();) {  // sector by sector
        const std::size_t position = static_cast<std::size_t>(change.offset) + at;
        const std::size_t size =
            std::min(kTornSector - position % kTornSector, change.bytes.size() - at);
        if (survives()) {
          write_into(bytes, static_cast<std::int64_t>(position),
                     ByteView(change.bytes).subspan(at, size));
        }
        at += size;
      }
    }
    out[name] = std::move(bytes);
  }
  return out;
}

}  // namespace meshstow::storage
