#include "io/body_spool.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.hpp"

namespace meshstow::io {
namespace {

// Where the file system has no nameless files, the name is taken away at once.
FileHandle open_nameless(const std::filesystem::path& directory) {
  const int made = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (made >= 0) return FileHandle(made);
  std::string name = (directory / ".spool-XXXXXX").string();
  FileHandle named(::mkostemp(name.data(), O_CLOEXEC));
  if (named) ::unlink(name.c_str());
  return named;
}

}  // namespace

FileResult<void> BodySpool::append(ByteView piece) {
  if (piece.size() > limits::kDocument - size_) {
    return tl::unexpected(std::string("the document is too large"));
  }
  base::append(memory_, piece);
  size_ += piece.size();
  return memory_.size() > limits::kSpoolMemory ? write_out() : FileResult<void>();
}

FileResult<void> BodySpool::write_out() {
  if (!file_) file_ = open_nameless(directory_);
  if (!file_) return tl::unexpected(file_error("write in", directory_));
  ByteView rest = memory_;
  while (!rest.empty()) {
    const ssize_t count =
        ::pwrite(file_.get(), rest.data(), rest.size(), static_cast<off_t>(in_file_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(file_error("write in", directory_));
    in_file_ += static_cast<std::uint64_t>(count);
    rest = rest.subspan(static_cast<std::size_t>(count));
  }
  memory_.clear();
  return {};
}

FileResult<Bytes> BodySpool::read(std::uint64_t offset, std::size_t size) const {
  Bytes out;
  offset = std::min(offset, size_);
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - offset));
  while (out.size() < size && offset < in_file_) {
    const std::size_t filled = out.size();
    const std::uint64_t here = std::min<std::uint64_t>(size - filled, in_file_ - offset);
    out.resize(filled + static_cast<std::size_t>(here));
    const ssize_t count = ::pread(file_.get(), out.data() + filled, static_cast<std::size_t>(here),
                                  static_cast<off_t>(offset));
    out.resize(filled + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return tl::unexpected(file_error("read back from", directory_));
    offset += static_cast<std::uint64_t>(count);
  }
  if (out.size() < size) {
    base::append(out, ByteView(memory_).subspan(static_cast<std::size_t>(offset - in_file_),
                                                size - out.size()));
  }
  return out;
}

}  // namespace meshstow::io
