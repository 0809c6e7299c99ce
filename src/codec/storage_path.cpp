#include "codec/storage_path.hpp"

#include <optional>

#include "base/limits.hpp"
#include "codec/utf8.hpp"

namespace meshstow::codec {
namespace {

std::optional<Category> category_named(std::string_view name) {
  if (name == "public") return Category::public_;
  if (name == "private") return Category::private_;
  if (name == "shared") return Category::shared;
  return std::nullopt;
}

Result<void> check_segment(std::string_view name) {
  if (name.empty()) return fail(Errc::malformed, "a path has an empty name in it");
  if (name.size() > limits::kNameSegment) return fail(Errc::limit, "a name is too long");
  if (name == "." || name == "..") return fail(Errc::malformed, "a name is '.' or '..'");
  return {};
}

}  // namespace

Result<StoragePath> StoragePath::parse(std::string_view text) {
  if (text.size() > limits::kPath) return fail(Errc::limit, "a path is too long");
  if (text.empty() || text.front() != '/') {
    return fail(Errc::malformed, "a path does not begin with '/'");
  }
  if (text.find('\0') != std::string_view::npos) {
    return fail(Errc::malformed, "a path has a NUL in it");
  }
  if (!is_valid_utf8(text)) return fail(Errc::malformed, "a path is not valid UTF-8");
  if (text.size() == 1) return root();

  std::string_view rest = text.substr(1);
  if (rest.back() == '/') rest.remove_suffix(1);  // "//" leaves "", an empty segment
  std::optional<Category> category;
  for (std::size_t depth = 1;; ++depth) {
    if (depth > limits::kPathDepth) return fail(Errc::limit, "a path is too deep");
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (auto valid = check_segment(segment); !valid) return fail(valid.error());
    if (!category) {
      category = category_named(segment);
      if (!category) {
        return fail(Errc::malformed, "a path begins with /public/, /private/ or /shared/");
      }
    }
    if (slash == std::string_view::npos) {
      if (depth == 1 && text.back() != '/') {
        return fail(Errc::malformed, "a category is a folder and ends in '/'");
      }
      break;
    }
    rest.remove_prefix(slash + 1);
  }
  return StoragePath(std::string(text), *category);
}

StoragePath StoragePath::root() { return StoragePath("/", Category::root); }

std::string_view StoragePath::module() const {
  const std::string_view text = text_;
  const std::size_t begin = text.find('/', 1);
  if (begin == std::string_view::npos) return {};
  const std::size_t end = text.find('/', begin + 1);
  if (end == std::string_view::npos) return {};
  return text.substr(begin + 1, end - begin - 1);
}

std::vector<std::string_view> StoragePath::segments() const {
  std::vector<std::string_view> out;
  std::string_view rest = std::string_view(text_).substr(1);
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    out.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return out;
}

std::string_view StoragePath::name() const {
  std::string_view text = text_;
  if (text.back() == '/') text.remove_suffix(1);
  if (text.empty()) return {};
  return text.substr(text.rfind('/') + 1);
}

StoragePath StoragePath::parent() const {
  if (is_root()) return *this;
  const std::size_t last = is_folder() ? text_.size() - 2 : text_.size() - 1;
  const std::size_t slash = text_.rfind('/', last);
  if (slash == 0) return root();
  return StoragePath(text_.substr(0, slash + 1), category_);
}

bool StoragePath::covers(const StoragePath& other) const {
  if (!is_folder()) return text_ == other.text_;
  return std::string_view(other.text_).substr(0, text_.size()) == text_;
}

}  // namespace meshstow::codec
