#include "output_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/limits.hpp"
#include "io/file_system.hpp"

namespace meshstow::app {
namespace {

std::string system_message() { return std::generic_category().message(errno); }

bool write_all(int descriptor, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

// What open() would have given a new file; mkstemp gives 0600.
void apply_umask(int descriptor) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor, 0666 & ~mask);
}

// Past symbolic links, also to what is not there yet.
std::filesystem::path behind_links(std::filesystem::path target) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(target, error); ++i) {
    const auto to = std::filesystem::read_symlink(target, error);
    target = to.is_absolute() ? to : target.parent_path() / to;
  }
  return target;
}

}  // namespace

io::HomeResult<OutputFile> OutputFile::standard_output() {
  return OutputFile(STDOUT_FILENO, {}, {});
}

io::HomeResult<OutputFile> OutputFile::create(const std::filesystem::path& given) {
  std::error_code ignored;
  const auto status = std::filesystem::status(given, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    // Not past its links: those of /proc, as /dev/stdout is one, lead to no name.
    const int descriptor = ::open(given.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) return tl::unexpected(given.string() + ": " + system_message());
    return OutputFile(descriptor, {}, {});
  }
  const auto target = behind_links(given);
  if (std::filesystem::is_symlink(target, ignored)) {
    return tl::unexpected(given.string() + ": links that lead to one another");
  }
  if (std::filesystem::exists(status) && ::access(target.c_str(), W_OK) != 0) {
    return tl::unexpected(target.string() + ": " + system_message());
  }
  const auto folder = target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  const int nameless = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
  if (nameless >= 0) return OutputFile(nameless, target, {});
  // A file system without nameless files: a hidden name, which a kill leaves behind.
  std::string name = folder / ("." + target.filename().string() + ".XXXXXX");
  const int descriptor = ::mkstemp(name.data());
  if (descriptor < 0) return tl::unexpected(target.string() + ": " + system_message());
  apply_umask(descriptor);
  return OutputFile(descriptor, target, name);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  if (this != &other) {
    abandon();
    descriptor_ = std::exchange(other.descriptor_, -1);
    target_ = std::move(other.target_);
    temporary_ = std::exchange(other.temporary_, {});
  }
  return *this;
}

OutputFile::~OutputFile() { abandon(); }

void OutputFile::abandon() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
  temporary_.clear();
  descriptor_ = -1;
}

tl::expected<void, std::string> OutputFile::write(ByteView bytes) {
  if (write_all(descriptor_, bytes)) return {};
  const char* what = descriptor_ == STDOUT_FILENO ? "standard output" : "the document";
  return tl::unexpected(std::string("cannot write ") + what + ": " + system_message());
}

// linkat() replaces nothing, so the file gets a name beside its target for the moment of the
// rename.
bool OutputFile::give_name() {
  const std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
  const std::string name = target_.string() + "." + std::to_string(::getpid()) + ".new";
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0)
    return false;
  temporary_ = name;
  return true;
}

// Every name of the file leads to the new content.
bool OutputFile::copy_into_target() {
  const io::FileHandle target(::open(target_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!target || ::lseek(descriptor_, 0, SEEK_SET) != 0) return false;
  Bytes piece(limits::kBodyPiece);
  for (;;) {
    const ssize_t count = ::read(descriptor_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) return ::fsync(target.get()) == 0;
    const auto part = ByteView(piece).first(static_cast<std::size_t>(count));
    if (!write_all(target.get(), part)) return false;
  }
}

bool OutputFile::put_in_place() {
  struct stat before {};
  const bool is_there = ::stat(target_.c_str(), &before) == 0;
  if (is_there && before.st_nlink > 1) {
    const bool copied = copy_into_target();
    abandon();
    return copied;
  }
  if (is_there) {
    (void)!::fchown(descriptor_, before.st_uid, before.st_gid);  // only root has a choice
    ::fchmod(descriptor_, before.st_mode & 07777);
  }
  if (::fsync(descriptor_) != 0 || (temporary_.empty() && !give_name())) return false;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) return false;
  temporary_.clear();
  return true;
}

tl::expected<void, std::string> OutputFile::keep() {
  if (target_.empty()) return {};
  if (!put_in_place()) return tl::unexpected(target_.string() + ": " + system_message());
  return {};
}

}  // namespace meshstow::app
