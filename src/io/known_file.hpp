// io/known_file.hpp: the destinations that a node has heard of, kept in a file. Internal to io.
//
// A log that is appended to, and written anew without what was replaced when it has doubled: both
// on a thread of its own, since the table may be large and the loop has others to see to. A cache:
// what cannot be saved is heard again. Threading: the loop thread.
#pragma once

#include <filesystem>
#include <memory>

#include "base/bytes.hpp"

namespace meshstow::io {

class KnownFile {
 public:
  explicit KnownFile(std::filesystem::path path);
  ~KnownFile();  // writes what was given
  KnownFile(const KnownFile&) = delete;
  KnownFile& operator=(const KnownFile&) = delete;

  [[nodiscard]] Bytes load() const;  // empty if there are none
  // What was appended before is not written yet.
  [[nodiscard]] bool busy() const;
  void append(Bytes records);
  // What load() gave ends in something that is no record.
  void repair();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::io
