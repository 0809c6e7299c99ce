// apps/meshstow/input_file.hpp: what `put` reads: a file, or standard input. Blocking.
#pragma once

#include <ctime>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::app {

// Empty and "-" mean the standard stream.
[[nodiscard]] bool is_stream(const std::string& file);

class InputFile {
 public:
  InputFile() = default;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  [[nodiscard]] tl::expected<void, std::string> open(const std::string& file);
  // 0: the end. An error too for a regular file that changed since it was opened, for then what was
  // read may be half of the old and half of the new.
  [[nodiscard]] tl::expected<std::size_t, std::string> read(MutableByteView out);
  [[nodiscard]] bool is_terminal() const;
  [[nodiscard]] std::optional<std::uint64_t> size() const;  // of a regular file that was named

 private:
  struct Look {
    std::uint64_t size = 0;
    std::timespec modified{};
  };
  [[nodiscard]] std::optional<Look> look() const;  // nullopt: it is no regular file
  [[nodiscard]] bool has_changed() const;

  int descriptor_ = -1;
  bool is_named_ = false;
  std::string name_;
  std::optional<Look> before_;
  std::uint64_t read_ = 0;
};

}  // namespace meshstow::app
