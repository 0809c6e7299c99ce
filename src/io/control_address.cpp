#include "io/control_address.hpp"

#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>

namespace meshstow::io {

FileResult<ControlAddress> control_address(const std::filesystem::path& socket_file) {
  ControlAddress out;
  out.address.sun_family = AF_UNIX;
  std::string text = socket_file.string();
  if (text.size() >= sizeof out.address.sun_path) {
    const std::filesystem::path home = socket_file.parent_path();
    out.directory = FileHandle(::open(home.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!out.directory) return tl::unexpected(file_error("open", home));
    text = "/proc/self/fd/" + std::to_string(out.directory.get()) + "/" +
           socket_file.filename().string();
  }
  std::memcpy(out.address.sun_path, text.c_str(), text.size() + 1);
  return out;
}

}  // namespace meshstow::io
