// io/partial_file.hpp: a large file in the making, beside the name that it gets once it is whole.
// Internal to io.
#pragma once

#include "io/file_system.hpp"

namespace meshstow::io {

// Goes with the object unless it is kept; what a kill leaves goes when the next one with the same
// target is made. SQLite may write it by its name, with its own files beside it.
class PartialFile {
 public:
  explicit PartialFile(const std::filesystem::path& target);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  [[nodiscard]] bool made() const { return static_cast<bool>(descriptor_); }  // else see errno
  [[nodiscard]] const std::string& name() const { return name_; }
  // Under the target's name, durable; fails if that is taken.
  [[nodiscard]] FileResult<void> keep();

 private:
  std::filesystem::path target_;
  std::string name_;
  FileHandle descriptor_;  // holds a lock: this file is being made
};

}  // namespace meshstow::io
