// io/body_spool.hpp: a body on its way to another node, which is read twice: in memory up to
// limits::kSpoolMemory, then in a file without a name. Internal to io. Threading: the loop thread.
#pragma once

#include <filesystem>

#include "io/file_system.hpp"

namespace meshstow::io {

class BodySpool {
 public:
  // The file, if one is needed, is made in this directory and vanishes with the object.
  explicit BodySpool(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] FileResult<void> append(ByteView piece);
  [[nodiscard]] FileResult<Bytes> read(std::uint64_t offset, std::size_t size) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  [[nodiscard]] FileResult<void> write_out();

  std::filesystem::path directory_;
  Bytes memory_;  // the end of the body that is not in the file yet
  FileHandle file_;
  std::uint64_t in_file_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace meshstow::io
