// apps/meshstow/output_file.hpp: where the body of `get` goes: a file that appears whole or not at
// all, or a stream. Blocking.
#pragma once

#include <filesystem>
#include <string>

#include "base/bytes.hpp"
#include "io/home.hpp"

namespace meshstow::app {

// Without a name until keep(), so that nothing of it is left when the process is killed. A file
// that is there already keeps its mode, its owner and its names: a symbolic link stays, and leads
// to the new content; what has several names is rewritten in place once all has come. What is no
// regular file (a pipe, /dev/null) is written straight.
class OutputFile {
 public:
  [[nodiscard]] static io::HomeResult<OutputFile> standard_output();
  [[nodiscard]] static io::HomeResult<OutputFile> create(const std::filesystem::path& target);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;
  ~OutputFile();

  [[nodiscard]] tl::expected<void, std::string> write(ByteView bytes);
  [[nodiscard]] tl::expected<void, std::string> keep();  // after the last byte

 private:
  OutputFile(int descriptor, std::filesystem::path target, std::filesystem::path temporary)
      : descriptor_(descriptor), target_(std::move(target)), temporary_(std::move(temporary)) {}
  [[nodiscard]] bool give_name();
  [[nodiscard]] bool put_in_place();
  [[nodiscard]] bool copy_into_target();
  void abandon();

  int descriptor_;                   // -1: moved from
  std::filesystem::path target_;     // empty: a stream
  std::filesystem::path temporary_;  // its name before it is kept, if it has one
};

}  // namespace meshstow::app
