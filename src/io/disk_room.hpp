// io/disk_room.hpp: how much may still be written to the disk that holds the home.
//
// A store that has filled its disk to the last byte cannot even delete: the write-ahead log needs
// room to grow, and so does the file when the log is copied into it. So new bodies are refused
// before that. Threading: any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "storage/operations.hpp"

namespace meshstow::io {

// Bytes.
struct DiskSpace {
  std::uint64_t free = 0;
  std::uint64_t total = 0;

  // What is left for new bodies. Kept back is a full write-ahead log and a batch; half of a small
  // disk is always enough, since the log is not larger than what has been written.
  [[nodiscard]] std::uint64_t room() const;
};
// nullopt: the system does not say.
using DiskProbe = std::function<std::optional<DiskSpace>()>;
[[nodiscard]] std::optional<DiskSpace> probe_disk(const std::filesystem::path& directory);

// What a write adds to the store at most: the body in it, or the size that it announces.
[[nodiscard]] std::uint64_t new_bytes(const storage::Operation& operation);

}  // namespace meshstow::io
