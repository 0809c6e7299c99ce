// access/scope.hpp: what a capability permits.
//
// Spellings (design.md 5, remotestorage-http.md 1.2, 1.3):
//   storage:read:/private/notes/      a folder and all below it
//   storage:write:/shared/maps/a.txt  that document
//   notes:r  notes:rw                 a module's private and public documents, folders included
//   *:r  *:rw                         everything, the root folders and shared documents too
// write includes read. "shared:rw" covers /shared/ and /public/shared/, as an HTTP app would read
// it. A module name is not "public" and has no "/", ":", white space or control character.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "codec/storage_path.hpp"

namespace meshstow::access {

enum class Operation { read, write };

class Scope {
 public:
  [[nodiscard]] static Result<Scope> parse(std::string_view text);
  [[nodiscard]] static Result<Scope> path_scope(Operation right, const StoragePath& path);
  [[nodiscard]] static Result<Scope> module_scope(std::string_view module_or_star, Operation right);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool permits(Operation operation, const StoragePath& path) const;
  [[nodiscard]] Operation right() const { return right_; }
  [[nodiscard]] bool is_path() const { return is_path_; }
  // The path, or the module, or "*".
  [[nodiscard]] const std::string& subject() const { return subject_; }
  friend bool operator==(const Scope&, const Scope&) = default;

 private:
  Scope(bool is_path, Operation right, std::string subject)
      : is_path_(is_path), right_(right), subject_(std::move(subject)) {}
  bool is_path_;
  Operation right_;
  std::string subject_;
};

// Separated by spaces (a path with a space in it: Scope::parse it alone). At least one, at most
// limits::kTokenScopes.
[[nodiscard]] Result<std::vector<Scope>> parse_scopes(std::string_view text);
std::string to_text(std::span<const Scope> scopes);

}  // namespace meshstow::access
