#include "io/home_guard.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/control_socket.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

struct OwnFile {
  const char* name;
  bool written_in_place;  // so that another name of it would be written too
};
constexpr OwnFile kOwnFiles[] = {
    {"identities/owner", false}, {"identities/device", false},
    {"keyring", false},          {"lock", true},
    {"incarnation", true},       {"store.sqlite", true},
    {"store.sqlite-wal", true},  {"store.sqlite-shm", true},
    {"store.sqlite-mark", true}, {"known_destinations", false},
    {"control.path", false},
};

std::string quoted(const fs::path& path) { return '"' + path.string() + '"'; }

tl::unexpected<std::string> foreign(const fs::path& path, uid_t owner) {
  const std::string us = std::to_string(::geteuid());
  return tl::unexpected(
      path.string() + " belongs to user " + std::to_string(owner) + ", and you are user " + us +
      ". Use the home as its owner, or mend it with: chown " + us + " " + quoted(path));
}

// What is remembered of a file on NFS or FUSE may be of before its other name was taken away.
bool has_another_name(const fs::path& path) {
  struct statx found {};
  return ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC, STATX_NLINK,
                 &found) == 0 &&
         found.stx_nlink > 1;
}

FileResult<void> check_own_file(const fs::path& path, bool written_in_place) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return tl::unexpected(file_error("read", path));
  }
  if (!S_ISREG(found.st_mode)) {
    return tl::unexpected(path.string() + " is " + std::string(kind_of_file(found.st_mode)) +
                          ", where a home has a file of its own");
  }
  if (found.st_uid != ::geteuid()) return foreign(path, found.st_uid);
  if (written_in_place && found.st_nlink > 1 && has_another_name(path)) {
    return tl::unexpected(path.string() +
                          " has another name (a hard link), which would be written too. Put a copy "
                          "of it in its place");
  }
  // Whoever uses the home may take it away meanwhile.
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0 && errno != ENOENT) {
    return tl::unexpected(file_error("read", path));
  }
  return {};
}

std::string mount_advice() {
  return "mount it so that it is yours alone, with the options uid=" + std::to_string(::geteuid()) +
         ",umask=077 (CIFS: file_mode=0600,dir_mode=0700), or choose another --home";
}

// Where the modes are those of the mount, chmod mends nothing.
std::string mend(const char* mode, const fs::path& path) {
  const std::string advice = "Mend it with: chmod " + std::string(mode) + " " + quoted(path);
  return makes_up_inodes(path) ? advice + "; where that changes nothing: " + mount_advice()
                               : advice;
}

// The user's own: a link to it is theirs to make.
FileResult<void> check_config(const fs::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return tl::unexpected(file_error("read", path));
  if (found.st_uid != ::geteuid() && found.st_uid != 0) return foreign(path, found.st_uid);
  if ((found.st_mode & 022) == 0) return {};
  return tl::unexpected(path.string() + " can be written by other users. " + mend("go-w", path));
}

FileResult<void> try_modes(const fs::path& directory, int file) {
  struct stat made {};
  struct stat around {};
  if (::fstat(file, &made) != 0 || ::stat(directory.c_str(), &around) != 0) {
    return tl::unexpected(file_error("read", directory));
  }
  const auto us = ::geteuid();
  if (((made.st_mode | around.st_mode) & 077) == 0 && made.st_uid == us && around.st_uid == us) {
    return {};
  }
  return tl::unexpected("the file system of " + directory.parent_path().string() +
                        " does not keep the modes of files: other users could read the keys. "
                        "Nothing was written: " +
                        mount_advice());
}

}  // namespace

FileResult<void> check_directory(const fs::path& directory) {
  struct stat found {};
  if (::stat(directory.c_str(), &found) != 0) return tl::unexpected(file_error("read", directory));
  if (!S_ISDIR(found.st_mode)) return tl::unexpected(directory.string() + " is not a directory");
  if (found.st_uid != ::geteuid()) return foreign(directory, found.st_uid);
  if ((found.st_mode & 022) == 0) return {};
  return tl::unexpected(directory.string() +
                        " can be written by other users, who could exchange the keys in it. " +
                        mend("go-w", directory));
}

FileResult<void> check_home(const fs::path& home) {
  if (auto checked = check_directory(home); !checked) return checked;
  const fs::path identities = home / "identities";
  std::error_code ignored;
  if (fs::is_symlink(identities, ignored)) {
    return tl::unexpected(identities.string() +
                          " is a symbolic link, where a home has a directory of its own");
  }
  if (auto checked = check_directory(identities); !checked) return checked;
  for (const OwnFile& each : kOwnFiles) {
    if (auto checked = check_own_file(home / each.name, each.written_in_place); !checked) {
      return checked;
    }
  }
  return check_config(home / "config");
}

FileResult<void> check_private(const fs::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return tl::unexpected(file_error("read", file));
  if ((found.st_mode & 077) == 0) return {};
  return tl::unexpected(file.string() +
                        " can be read or written by other users; it holds secrets. " +
                        mend("600", file));
}

FileResult<void> try_out(const fs::path& directory) {
  const fs::path name = directory / "probe";
  const FileHandle file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return tl::unexpected(file_error("create", name));
  auto good = try_modes(directory, file.get());
  if (good && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    good = tl::unexpected(file_error("lock a file in", directory.parent_path()));
  }
  ::unlink(name.c_str());
  if (!good) return good;
  const auto socket = ControlSocket::make(directory);
  if (!socket) return tl::unexpected(socket.error());
  return {};
}

}  // namespace meshstow::io
