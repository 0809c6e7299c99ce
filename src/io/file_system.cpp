#include "io/file_system.hpp"

#include <algorithm>
#include <array>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <utility>

namespace meshstow::io {
namespace {

tl::unexpected<std::string> failed(std::string_view doing, const std::filesystem::path& path) {
  return tl::unexpected(file_error(doing, path));
}

FileResult<void> write_all(const FileHandle& file, ByteView content,
                           const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(file.get(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("write", path);
    content = content.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

// What a file system says of a call that it does not have.
bool is_unknown_here(int code) { return code == EINVAL || code == ENOSYS || code == EOPNOTSUPP; }

FileResult<void> move_over(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("create", to);
  return {};
}

}  // namespace

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = other.release();
  }
  return *this;
}

FileHandle::~FileHandle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int FileHandle::release() { return std::exchange(descriptor_, -1); }

std::string file_error(std::string_view doing, const std::filesystem::path& path) {
  const int code = errno;
  std::string out = "cannot ";
  out += doing;
  out += ' ' + path.string() + ": " + ::strerror(code);
  return out;
}

std::string_view kind_of_file(unsigned mode) {
  if (S_ISREG(mode)) return "a file";
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a pipe";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

FileResult<FileHandle> open_regular_file(const std::filesystem::path& path) {
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat about {};
  if (!file && errno == ENXIO) {  // a socket; a device without a driver
    return tl::unexpected("cannot read " + path.string() + ": it is no regular file");
  }
  if (!file || ::fstat(file.get(), &about) != 0) return failed("read", path);
  if (!S_ISREG(about.st_mode)) {
    return tl::unexpected("cannot read " + path.string() + ": it is " +
                          std::string(kind_of_file(about.st_mode)) + ", no regular file");
  }
  return file;
}

FileResult<std::optional<Bytes>> read_file_if_there(const std::filesystem::path& path,
                                                    std::size_t limit) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0 && errno == ENOENT) return std::nullopt;
  auto bytes = read_file(path, limit);
  if (!bytes) return tl::unexpected(bytes.error());
  return std::move(*bytes);
}

FileResult<Bytes> read_file(const std::filesystem::path& path, std::size_t limit) {
  const auto file = open_regular_file(path);
  if (!file) return tl::unexpected(file.error());
  Bytes out;
  for (;;) {
    const std::size_t filled = out.size();
    out.resize(filled + 64 * 1024);
    const ssize_t count = ::read(file->get(), out.data() + filled, out.size() - filled);
    out.resize(filled + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("read", path);
    if (count == 0) return out;
    if (out.size() > limit) {
      return tl::unexpected("cannot read " + path.string() + ": it is larger than " +
                            std::to_string(limit) + " bytes");
    }
  }
}

FileResult<void> write_new_file(const std::filesystem::path& path, ByteView content) {
  const FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return failed("create", path);
  if (auto written = write_all(file, content, path); !written) return written;
  if (::fsync(file.get()) != 0) return failed("write", path);
  return {};
}

FileResult<void> replace_file(const std::filesystem::path& path, ByteView content) {
  const std::filesystem::path aside = path.string() + ".new";
  ::unlink(aside.c_str());  // whatever lies there, nothing is written through it
  {
    const FileHandle file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) return failed("create", aside);
    if (auto written = write_all(file, content, aside); !written) return written;
  }
  if (::rename(aside.c_str(), path.c_str()) != 0) return failed("replace", path);
  return {};
}

FileResult<void> rewrite_file(const std::filesystem::path& path, ByteView content) {
  const FileHandle file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return failed("write", path);
  return write_all(file, content, path);
}

bool makes_up_inodes(const std::filesystem::path& path) {
  static constexpr std::array<std::uint32_t, 7> kTypes{
      MSDOS_SUPER_MAGIC, EXFAT_SUPER_MAGIC,     FUSE_SUPER_MAGIC, CIFS_SUPER_MAGIC,
      SMB2_SUPER_MAGIC,  0x5346544E /* NTFS */, 0x7366746E /* NTFS3 */};
  struct statfs system {};
  return ::statfs(path.c_str(), &system) == 0 &&
         std::ranges::find(kTypes, static_cast<std::uint32_t>(system.f_type)) != kTypes.end();
}

FileResult<void> sync_directory(const std::filesystem::path& path) {
  const FileHandle directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failed("open", path);
  // Some file systems cannot sync a directory and say so; they have nothing to lose either.
  if (::fsync(directory.get()) != 0 && errno != EINVAL) return failed("write", path);
  return {};
}

FileResult<void> move_to_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (!is_unknown_here(errno)) return failed("create", to);
  struct stat about {};
  if (::lstat(from.c_str(), &about) != 0) return failed("read", from);
  if (S_ISDIR(about.st_mode)) return move_over(from, to);
  if (::link(from.c_str(), to.c_str()) == 0) {
    if (::unlink(from.c_str()) != 0) return failed("remove", from);
    return {};
  }
  if (errno != EPERM && !is_unknown_here(errno)) return failed("create", to);
  const FileHandle reserved(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!reserved) return failed("create", to);
  auto moved = move_over(from, to);
  if (!moved) ::unlink(to.c_str());
  return moved;
}

FileResult<std::filesystem::path> make_temporary_directory(const std::filesystem::path& prefix) {
  std::string name = prefix.string() + "XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return failed("write in", prefix.parent_path());
  return std::filesystem::path(name);
}

std::vector<std::filesystem::path> made_of_template(const std::filesystem::path& prefix) {
  const std::string begin = prefix.filename().string();
  const auto folder = prefix.has_parent_path() ? prefix.parent_path() : std::filesystem::path(".");
  std::vector<std::filesystem::path> out;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.size() == begin.size() + 6 && name.starts_with(begin)) out.push_back(at->path());
  }
  return out;
}

}  // namespace meshstow::io
