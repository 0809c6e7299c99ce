// io/control_socket.hpp: where the commands of a home find its running `serve`. Internal to io.
//
// home/control.sock. Where the file system has no sockets, or the path is too long for one
// (sockaddr_un holds 107 bytes), home/control.path names one in a new folder of mode 0700 in
// $XDG_RUNTIME_DIR, else in /tmp. It names its home too: a copy of the home names no socket.
#pragma once

#include "io/file_system.hpp"

namespace meshstow::io {

// The server's end: bound and listening; its files go with the object.
class ControlSocket {
 public:
  // What lies there is taken for a leftover: only who has locked the home may call this. Of the
  // mode 0600 from its first moment.
  [[nodiscard]] static FileResult<ControlSocket> make(const std::filesystem::path& home);
  ControlSocket(ControlSocket&&) = default;
  ControlSocket& operator=(ControlSocket&&) = delete;
  ~ControlSocket();

  [[nodiscard]] int get() const { return socket_.get(); }
  int release() { return socket_.release(); }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  ControlSocket() = default;
  [[nodiscard]] FileResult<void> make_elsewhere(const std::filesystem::path& home);

  FileHandle socket_;
  std::filesystem::path file_;
  std::filesystem::path pointer_;  // empty: it lies in the home
};

// nullopt: nobody listens at that home. Whoever listens is this user, or root.
[[nodiscard]] FileResult<std::optional<FileHandle>> connect_control_socket(
    const std::filesystem::path& home);

}  // namespace meshstow::io
