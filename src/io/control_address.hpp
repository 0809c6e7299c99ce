// io/control_address.hpp: the socket of a home as an address that fits, however long the home's
// path is (sockaddr_un holds 107 bytes). Internal to io.
#pragma once

#include <filesystem>
#include <sys/un.h>

#include "io/file_system.hpp"

namespace meshstow::io {

struct ControlAddress {
  FileHandle directory;  // of a path that is too long: the address names it by this descriptor
  sockaddr_un address{};
};
[[nodiscard]] FileResult<ControlAddress> control_address(const std::filesystem::path& socket_file);

}  // namespace meshstow::io
