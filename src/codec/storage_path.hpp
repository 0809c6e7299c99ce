// codec/storage_path.hpp: the grammar of paths in a space, as a value that is valid once made.
//
// "/public/notes/a.txt": category, module, path. A folder ends in "/"; "/" is the root of the
// space. A name is any non-empty UTF-8 without "/" and NUL, not "." or "..". Nothing is normalised,
// nothing is percent-decoded. Source: remotestorage-http.md N1 to N7, design.md 5. Limits:
// limits::kPath, kNameSegment, kPathDepth.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace meshstow::codec {

enum class Category { root, public_, private_, shared };  // root: the folder "/" only

class StoragePath {
 public:
  // Errc::malformed with a detail that says which rule is broken; Errc::limit if too long or deep.
  // A first segment other than public, private, shared is malformed, and so are documents named
  // "/public", "/private", "/shared".
  [[nodiscard]] static Result<StoragePath> parse(std::string_view text);
  static StoragePath root();

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_folder() const { return text_.back() == '/'; }
  [[nodiscard]] bool is_root() const { return text_.size() == 1; }
  [[nodiscard]] Category category() const { return category_; }
  [[nodiscard]] bool is_secret() const {  // sealed on disk and in messages
    return category_ == Category::private_ || category_ == Category::shared;
  }
  // "notes" of "/public/notes/a.txt"; empty for "/public/", "/public/a.txt" and "/".
  [[nodiscard]] std::string_view module() const;
  // Names from the root on, without slashes: {"public", "notes", "a.txt"}.
  [[nodiscard]] std::vector<std::string_view> segments() const;
  [[nodiscard]] std::string_view name() const;  // the last segment, "" for the root
  [[nodiscard]] StoragePath parent() const;  // the folder it is in; the root's parent is the root
  // True for every path under this folder, itself included; for a document only for itself.
  [[nodiscard]] bool covers(const StoragePath& other) const;

  friend bool operator==(const StoragePath& a, const StoragePath& b) { return a.text_ == b.text_; }
  friend auto operator<=>(const StoragePath& a, const StoragePath& b) {
    return a.text_ <=> b.text_;
  }

 private:
  StoragePath(std::string text, Category category) : text_(std::move(text)), category_(category) {}
  std::string text_;
  Category category_;
};

}  // namespace meshstow::codec

namespace meshstow {
using codec::Category;
using codec::StoragePath;
}  // namespace meshstow
