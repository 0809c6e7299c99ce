// io/body_spool.hpp: a body that has to wait: in memory up to limits::kSpoolMemory, the rest in a
// file without a name, sealed under a key that is nowhere but here. Internal to io.
// Threading: one thread at a time.
#pragma once

#include <filesystem>
#include <optional>

#include "base/rng.hpp"
#include "crypto/secret.hpp"
#include "io/file_system.hpp"

namespace meshstow::io {

class BodySpool {
 public:
  // The file, if one is needed, is made in this directory and vanishes with the object.
  BodySpool(std::filesystem::path directory, base::Rng& rng)
      : directory_(std::move(directory)), rng_(rng) {}

  [[nodiscard]] FileResult<void> append(ByteView piece);
  [[nodiscard]] FileResult<Bytes> read(std::uint64_t offset, std::size_t size) const;
  [[nodiscard]] std::uint64_t size() const { return in_file() + memory_.size(); }
  // Why append() failed: what is left of the disk is kept for the store.
  [[nodiscard]] bool is_disk_full() const { return disk_full_; }

 private:
  [[nodiscard]] FileResult<void> write_out();
  [[nodiscard]] FileResult<void> write_block(ByteView plain);
  [[nodiscard]] FileResult<Bytes> read_block(std::uint64_t number) const;
  [[nodiscard]] std::uint64_t in_file() const;

  std::filesystem::path directory_;
  base::Rng& rng_;
  Bytes memory_;  // the end of the body that is not in the file yet
  FileHandle file_;
  std::uint64_t blocks_ = 0;  // in the file
  crypto::Secret32 key_;      // made with the file
  bool disk_full_ = false;
};

}  // namespace meshstow::io
