// io/incarnation.hpp: is the store that lies here the one that was written here last? Internal to
// io. docs/FORMAT.md says what is kept where.
//
// A token, new with each opening that writes, lies in the store and in home/incarnation, with what
// the file system says of both files; a copy has other files. Where inodes are made up anew with
// every mount that says nothing: there a file outside of the home has the token too, for the home's
// place in its file system.
#pragma once

#include "base/bytes.hpp"
#include "io/file_system.hpp"

namespace meshstow::io {

class Incarnation {
 public:
  // `device`: of the home. All that is kept lies beside `store`, or is named after both.
  Incarnation(std::filesystem::path store, const Hash16& device);

  static std::filesystem::path file_of(const std::filesystem::path& store);

  // The token that the store has if it was written here last; zeros: that cannot be said of any.
  [[nodiscard]] FileResult<Hash16> last() const;
  // Before the store has it. `remembers`: the store lies where it will be opened again.
  void keep(const Hash16& token, bool remembers) const;

 private:
  [[nodiscard]] std::string place(const std::filesystem::path& token_file) const;
  [[nodiscard]] std::filesystem::path memory() const;
  [[nodiscard]] bool is_remembered(const Hash16& token) const;
  void remember(const Hash16& token) const;

  std::filesystem::path store_;
  Hash16 device_;
  bool made_up_;  // the inodes there are
};

}  // namespace meshstow::io
