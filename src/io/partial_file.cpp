#include "io/partial_file.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInfix = ".partial-";
constexpr off_t kLockAt = off_t{1} << 62;  // far from where SQLite locks
constexpr int kTries = 20;

// The lock belongs to the descriptor: it goes with the process, and holds against the own one.
bool try_lock(const FileHandle& file) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLockAt;
  lock.l_len = 1;
  return ::fcntl(file.get(), F_OFD_SETLK, &lock) == 0;
}

bool is_named(const FileHandle& file, const std::string& name) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.get(), &opened) == 0 && ::lstat(name.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// The file itself goes last: as long as it is there, the rest is found by its name.
void remove_with_companions(const std::string& name) {
  for (const char* companion : {"-journal", "-wal", "-shm"}) ::unlink((name + companion).c_str());
  ::unlink(name.c_str());
}

void remove_leftover(const std::string& name) {
  const FileHandle file(::open(name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat about {};
  if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return;
  if (try_lock(file) && is_named(file, name)) remove_with_companions(name);
}

}  // namespace

PartialFile::PartialFile(const fs::path& target) : target_(target) {
  const std::string prefix = target.string() + kInfix;
  for (const fs::path& left : made_of_template(prefix)) remove_leftover(left.string());
  for (int i = 0; i < kTries && !descriptor_; ++i) {
    name_ = prefix + "XXXXXX";
    descriptor_ = FileHandle(::mkostemp(name_.data(), O_CLOEXEC));
    if (!descriptor_) return;
    const bool locked = try_lock(descriptor_) || (errno != EAGAIN && errno != EACCES);
    // Between those two steps it looks left behind to another process.
    if (!locked || !is_named(descriptor_, name_)) descriptor_ = FileHandle();
  }
}

PartialFile::~PartialFile() {
  if (descriptor_) remove_with_companions(name_);
}

FileResult<void> PartialFile::keep() {
  if (auto moved = move_to_new(name_, target_); !moved) return moved;
  descriptor_ = FileHandle();
  return sync_directory(target_.has_parent_path() ? target_.parent_path() : fs::path("."));
}

}  // namespace meshstow::io
