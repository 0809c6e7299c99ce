#include "io/disk_room.hpp"

#include <algorithm>
#include <sys/statvfs.h>

namespace meshstow::io {
namespace {

constexpr std::uint64_t kReserve = 32 * 1024 * 1024;

}  // namespace

std::uint64_t DiskSpace::room() const { return free - std::min({free, kReserve, total / 2}); }

std::optional<DiskSpace> probe_disk(const std::filesystem::path& directory) {
  struct statvfs disk {};
  if (::statvfs(directory.c_str(), &disk) != 0) return std::nullopt;
  return DiskSpace{std::uint64_t{disk.f_bavail} * disk.f_frsize,
                   std::uint64_t{disk.f_blocks} * disk.f_frsize};
}

std::uint64_t new_bytes(const storage::Operation& operation) {
  if (const auto* put = std::get_if<storage::PutDocument>(&operation)) {
    const auto* body = std::get_if<Bytes>(&put->body);
    return body == nullptr ? 0 : body->size();
  }
  if (const auto* piece = std::get_if<storage::AppendUpload>(&operation)) {
    return piece->piece.size();
  }
  const auto* begin = std::get_if<storage::BeginUpload>(&operation);
  return begin == nullptr ? 0 : begin->announced_size.value_or(0);
}

}  // namespace meshstow::io
