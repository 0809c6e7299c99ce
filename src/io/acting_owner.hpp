// io/acting_owner.hpp: root that works on the home of another user works as that user, so that all
// that is made there stays theirs. Internal to io. Of the whole process, all threads.
#pragma once

#include <optional>
#include <sys/types.h>
#include <vector>

#include "io/file_system.hpp"

namespace meshstow::io {

// From of() until the object goes. Where we are not root, or the directory is root's,
// nothing changes.
class ActingOwner {
 public:
  ActingOwner() = default;
  ActingOwner(ActingOwner&& other) noexcept;
  ActingOwner& operator=(ActingOwner&& other) noexcept;
  ~ActingOwner();

  [[nodiscard]] static FileResult<ActingOwner> of(const std::filesystem::path& directory);

 private:
  struct Before {
    gid_t group = 0;
    std::vector<gid_t> groups;
  };
  std::optional<Before> before_;
};

// Where this user keeps what programs remember on this machine: $XDG_STATE_HOME, else
// ~/.local/state; of the user that root acts for, what the system says. Empty: nowhere.
std::filesystem::path state_directory();

}  // namespace meshstow::io
