#include "io/control_socket.hpp"

#include <cstdlib>
#include <cstring>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSocket = "control.sock";
constexpr const char* kPointer = "control.path";
constexpr const char* kFolder = "meshstow-";
constexpr std::size_t kPointerFile = 16 * 1024;

// As every process sees it that is asked for this home.
std::string real_path(const fs::path& home) {
  std::error_code error;
  const fs::path real = fs::canonical(home, error);
  return error ? std::string() : real.string();
}

// nullopt: too long.
std::optional<sockaddr_un> address_of(const fs::path& file) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  const std::string text = file.string();
  if (text.size() >= sizeof out.sun_path) return std::nullopt;
  std::memcpy(out.sun_path, text.c_str(), text.size() + 1);
  return out;
}

bool is_ours_alone(const fs::path& directory) {
  struct stat about {};
  return ::lstat(directory.c_str(), &about) == 0 && S_ISDIR(about.st_mode) &&
         about.st_uid == ::geteuid() && (about.st_mode & 077) == 0;
}

// The socket that the home names elsewhere, if it is this home that does.
FileResult<std::optional<fs::path>> named_by(const fs::path& home) {
  const auto bytes = read_file_if_there(home / kPointer, kPointerFile);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return std::nullopt;
  const std::string_view text = base::as_text(**bytes);
  const auto end = text.find('\n');
  if (end == std::string_view::npos || text.substr(end + 1) != real_path(home)) return std::nullopt;
  return fs::path(text.substr(0, end));
}

void remove_elsewhere(const fs::path& file) {
  const fs::path folder = file.parent_path();
  if (!folder.filename().string().starts_with(kFolder) || !is_ours_alone(folder)) return;
  ::unlink(file.c_str());
  ::rmdir(folder.c_str());
}

FileResult<FileHandle> listen_at(const fs::path& file) {
  const auto address = address_of(file);
  if (!address) return tl::unexpected("cannot create " + file.string() + ": the path is too long");
  FileHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return tl::unexpected(file_error("create", file));
  // The file takes the mode of the socket, so that nobody finds it open to all even for a moment.
  ::fchmod(socket.get(), 0600);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    return tl::unexpected(file_error("create", file));
  }
  return socket;
}

// The user's runtime directory, if it is what it should be.
std::vector<fs::path> places() {
  std::vector<fs::path> out;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/' && is_ours_alone(runtime)) out.emplace_back(runtime);
  out.emplace_back("/tmp");
  return out;
}

bool is_served_by_us(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0 || ::geteuid() == 0);
}

}  // namespace

FileResult<ControlSocket> ControlSocket::make(const fs::path& home) {
  if (const auto left = named_by(home); left && *left) remove_elsewhere(**left);
  ::unlink((home / kPointer).c_str());
  ControlSocket out;
  out.file_ = home / kSocket;
  ::unlink(out.file_.c_str());
  auto socket = listen_at(out.file_);
  if (socket) {
    out.socket_ = std::move(*socket);
    return out;
  }
  ::unlink(out.file_.c_str());  // exFAT makes a file before it finds that it has no sockets
  if (auto elsewhere = out.make_elsewhere(home); !elsewhere) {
    return tl::unexpected(socket.error() + "; " + elsewhere.error());
  }
  return out;
}

FileResult<void> ControlSocket::make_elsewhere(const fs::path& home) {
  FileResult<FileHandle> socket = tl::unexpected(std::string());
  for (const fs::path& place : places()) {
    const auto folder = make_temporary_directory(place / kFolder);
    if (!folder) {
      socket = tl::unexpected(folder.error());
      continue;
    }
    file_ = *folder / kSocket;
    socket = listen_at(file_);
    if (socket) break;
    ::rmdir(folder->c_str());
  }
  if (!socket) return tl::unexpected(socket.error());
  socket_ = std::move(*socket);
  pointer_ = home / kPointer;
  return replace_file(pointer_, base::as_bytes(file_.string() + "\n" + real_path(home)));
}

ControlSocket::~ControlSocket() {
  if (file_.empty()) return;
  if (pointer_.empty()) {
    ::unlink(file_.c_str());
  } else {
    ::unlink(pointer_.c_str());
    remove_elsewhere(file_);
  }
}

FileResult<std::optional<FileHandle>> connect_control_socket(const fs::path& home) {
  auto named = named_by(home);
  if (!named) return tl::unexpected(named.error());
  const fs::path file = *named ? **named : home / kSocket;
  auto address = address_of(file);
  if (!address) address = address_of(fs::path(real_path(home)) / kSocket);  // past a link
  if (!address) return std::nullopt;
  FileHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return tl::unexpected(file_error("use", file));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return std::nullopt;  // also one that may not be used: it is none of ours
  }
  if (!is_served_by_us(socket.get())) {
    return tl::unexpected("another user listens at " + file.string());
  }
  return socket;
}

}  // namespace meshstow::io
