#include "io/acting_owner.hpp"

#include <cstdlib>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

std::vector<gid_t> groups_of(uid_t user, gid_t group) {
  const passwd* known = ::getpwuid(user);
  if (known == nullptr) return {group};
  int count = 64;
  std::vector<gid_t> out(static_cast<std::size_t>(count));
  if (::getgrouplist(known->pw_name, group, out.data(), &count) < 0) return {group};
  out.resize(static_cast<std::size_t>(count));
  return out;
}

}  // namespace

ActingOwner::ActingOwner(ActingOwner&& other) noexcept
    : before_(std::exchange(other.before_, std::nullopt)) {}

ActingOwner& ActingOwner::operator=(ActingOwner&& other) noexcept {
  std::swap(before_, other.before_);
  return *this;
}

ActingOwner::~ActingOwner() {
  if (!before_) return;
  // Back to what this process was: that cannot fail.
  (void)!::seteuid(0);
  (void)!::setegid(before_->group);
  (void)!::setgroups(before_->groups.size(), before_->groups.data());
}

FileResult<ActingOwner> ActingOwner::of(const fs::path& directory) {
  ActingOwner out;
  struct stat about {};
  if (::geteuid() != 0 || ::stat(directory.c_str(), &about) != 0 || about.st_uid == 0) return out;
  Before before{::getegid(), std::vector<gid_t>(65'536)};
  const int count = ::getgroups(static_cast<int>(before.groups.size()), before.groups.data());
  before.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  const auto groups = groups_of(about.st_uid, about.st_gid);
  out.before_ = std::move(before);
  if (::setgroups(groups.size(), groups.data()) != 0 || ::setegid(about.st_gid) != 0 ||
      ::seteuid(about.st_uid) != 0) {
    return tl::unexpected(file_error("act as the owner of", directory));
  }
  return out;
}

fs::path state_directory() {
  if (::getuid() != ::geteuid()) {
    const passwd* user = ::getpwuid(::geteuid());
    return user == nullptr ? fs::path() : fs::path(user->pw_dir) / ".local/state";
  }
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return state;
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? fs::path(home) / ".local/state" : fs::path();
}

}  // namespace meshstow::io
