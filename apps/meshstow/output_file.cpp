#include "output_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace meshstow::app {
namespace {

std::string system_message() { return std::generic_category().message(errno); }

// What open() would have given a new file; mkstemp gives 0600.
void apply_umask(int descriptor) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor, 0666 & ~mask);
}

}  // namespace

io::HomeResult<OutputFile> OutputFile::standard_output() {
  return OutputFile(STDOUT_FILENO, {}, {});
}

io::HomeResult<OutputFile> OutputFile::create(const std::filesystem::path& target) {
  std::error_code ignored;
  const auto status = std::filesystem::status(target, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    const int descriptor = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return tl::unexpected(target.string() + ": " + system_message());
    return OutputFile(descriptor, {}, {});
  }
  const auto folder = target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  const int nameless = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
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
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const char* what = descriptor_ == STDOUT_FILENO ? "standard output" : "the document";
      return tl::unexpected(std::string("cannot write ") + what + ": " + system_message());
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
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

tl::expected<void, std::string> OutputFile::keep() {
  if (target_.empty()) return {};
  const bool kept = ::fsync(descriptor_) == 0 && (!temporary_.empty() || give_name()) &&
                    ::rename(temporary_.c_str(), target_.c_str()) == 0;
  if (!kept) return tl::unexpected(target_.string() + ": " + system_message());
  temporary_.clear();
  return {};
}

}  // namespace meshstow::app
