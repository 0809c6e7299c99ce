#include "input_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace meshstow::app {

bool is_stream(const std::string& file) { return file.empty() || file == "-"; }

InputFile::~InputFile() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

tl::expected<void, std::string> InputFile::open(const std::string& file) {
  is_named_ = !is_stream(file);
  name_ = is_named_ ? file : "standard input";
  descriptor_ = is_named_ ? ::open(file.c_str(), O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
  if (descriptor_ < 0) {
    return tl::unexpected(name_ + ": " + std::generic_category().message(errno));
  }
  struct stat about {};
  if (::fstat(descriptor_, &about) == 0 && S_ISDIR(about.st_mode)) {
    return tl::unexpected(name_ + ": is a directory");
  }
  before_ = look();
  return {};
}

bool InputFile::is_terminal() const { return ::isatty(descriptor_) == 1; }

std::optional<std::uint64_t> InputFile::size() const {
  if (!is_named_ || !before_) return std::nullopt;
  return before_->size;
}

std::optional<InputFile::Look> InputFile::look() const {
  struct stat about {};
  if (::fstat(descriptor_, &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  return Look{static_cast<std::uint64_t>(about.st_size), about.st_mtim};
}

bool InputFile::has_changed() const {
  const auto now = look();
  if (!before_ || !now) return false;
  return now->size != before_->size || now->modified.tv_sec != before_->modified.tv_sec ||
         now->modified.tv_nsec != before_->modified.tv_nsec;
}

tl::expected<std::size_t, std::string> InputFile::read(MutableByteView out) {
  for (;;) {
    const ssize_t count = ::read(descriptor_, out.data(), out.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return tl::unexpected("cannot read " + name_ + ": " + std::generic_category().message(errno));
    }
    read_ += static_cast<std::uint64_t>(count);
    // A file that grows faster than it is read has no end. What /proc makes up has no size.
    const bool beyond = size().value_or(0) > 0 && read_ > *size();
    if (beyond || (count == 0 && has_changed())) {
      return tl::unexpected(name_ + " changed while it was read; nothing was stored");
    }
    return static_cast<std::size_t>(count);
  }
}

}  // namespace meshstow::app
