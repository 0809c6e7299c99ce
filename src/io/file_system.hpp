// io/file_system.hpp: small files, whole or not at all, with errors in words. Internal to io.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::io {

template <class T>
using FileResult = tl::expected<T, std::string>;

// A file descriptor that closes itself.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept : descriptor_(other.release()) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  ~FileHandle();

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] explicit operator bool() const { return descriptor_ >= 0; }
  int release();

 private:
  int descriptor_ = -1;
};

// "cannot <doing> <path>: <what errno says>"
std::string file_error(std::string_view doing, const std::filesystem::path& path);

// For reading. Never waits, as the opening of a pipe does: what is no regular file is refused by
// what it is.
[[nodiscard]] FileResult<FileHandle> open_regular_file(const std::filesystem::path& path);
// "a directory", "a pipe", "a device", …
std::string_view kind_of_file(unsigned mode);
[[nodiscard]] FileResult<Bytes> read_file(const std::filesystem::path& path, std::size_t limit);
// nullopt: there is none. One that cannot be read is an error.
[[nodiscard]] FileResult<std::optional<Bytes>> read_file_if_there(const std::filesystem::path& path,
                                                                  std::size_t limit);
// Makes a file of mode 0600 that is not there yet; durable.
[[nodiscard]] FileResult<void> write_new_file(const std::filesystem::path& path, ByteView content);
// Replaces or makes a file of mode 0600. Not durable: for caches.
[[nodiscard]] FileResult<void> replace_file(const std::filesystem::path& path, ByteView content);
// Gives a file that is there other content, in place: neither durable nor at once.
[[nodiscard]] FileResult<void> rewrite_file(const std::filesystem::path& path, ByteView content);
// FAT, exFAT, NTFS, CIFS, and whatever a program makes up (FUSE): modes and inode numbers may be
// new with every mount, and owners those of the mount.
bool makes_up_inodes(const std::filesystem::path& path);
[[nodiscard]] FileResult<void> sync_directory(const std::filesystem::path& path);
// Fails if `to` exists; an empty directory may give way to another. Where the system cannot rename
// without replacing (FUSE, NTFS, NFS), a crash may leave a file under both names; where it has no
// links either (exFAT), an empty file under the new one.
[[nodiscard]] FileResult<void> move_to_new(const std::filesystem::path& from,
                                           const std::filesystem::path& to);
// A directory of mode 0700 with a fresh name that begins like this.
[[nodiscard]] FileResult<std::filesystem::path> make_temporary_directory(
    const std::filesystem::path& prefix);
// What is there under names that mkstemp or mkdtemp makes of this prefix and XXXXXX.
[[nodiscard]] std::vector<std::filesystem::path> made_of_template(
    const std::filesystem::path& prefix);

}  // namespace meshstow::io
