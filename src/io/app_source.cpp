#include "io/app_source.hpp"

#include <algorithm>
#include <set>

#include "base/limits.hpp"
#include "io/archive.hpp"
#include "io/file_system.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;
using Files = std::vector<http::AppSourceFile>;

// "." and ".." are no names: whoever writes them into an archive is told, not obeyed.
bool is_hidden(const fs::path& name) {
  return name.native().starts_with('.') && name != "." && name != "..";
}

tl::expected<Files, std::string> read_folder(const fs::path& folder) {
  Files files;
  std::size_t total = 0;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (is_hidden(at->path().filename()) || at->is_symlink()) {
      if (at->is_directory()) at.disable_recursion_pending();
      continue;
    }
    if (!at->is_regular_file()) continue;
    auto bytes = read_file(at->path(), limits::kAppBytes);
    if (!bytes) return tl::unexpected(bytes.error());
    total += bytes->size();
    if (total > limits::kAppBytes || files.size() == limits::kAppFiles) {
      return tl::unexpected(folder.string() + " holds more than an app may");
    }
    files.push_back({at->path().lexically_relative(folder).generic_string(), std::move(*bytes)});
  }
  if (error) return tl::unexpected("cannot read " + folder.string() + ": " + error.message());
  return files;
}

std::string_view first_folder(const std::string& path) {
  const std::size_t slash = path.find('/');
  return slash == std::string::npos ? std::string_view()
                                    : std::string_view(path).substr(0, slash + 1);
}

void tidy(Files& files) {
  for (http::AppSourceFile& file : files) {
    if (file.path.starts_with("./")) file.path.erase(0, 2);
  }
  std::erase_if(files, [](const http::AppSourceFile& file) {
    return std::ranges::any_of(fs::path(file.path), is_hidden);
  });
  if (files.empty()) return;
  // An archive that was added to holds a file more than once; the last is the one that is meant.
  std::set<std::string> seen;
  std::reverse(files.begin(), files.end());
  std::erase_if(files, [&](const auto& file) { return !seen.insert(file.path).second; });
  const std::string top(first_folder(files.front().path));
  const bool in_one_folder =
      !top.empty() && std::all_of(files.begin(), files.end(),
                                  [&](const auto& file) { return first_folder(file.path) == top; });
  if (!in_one_folder) return;
  for (http::AppSourceFile& file : files) file.path.erase(0, top.size());
}

}  // namespace

tl::expected<Files, std::string> read_app_source(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return read_folder(path);
  const auto archive = read_file(path, limits::kAppBytes);
  if (!archive) return tl::unexpected(archive.error());
  auto files = read_archive(*archive, limits::kAppBytes);
  if (!files) return tl::unexpected(path.string() + ": " + files.error().detail);
  tidy(*files);
  return std::move(*files);
}

std::string app_name_of(const fs::path& path) {
  fs::path name = path.filename().empty() ? path.parent_path().filename() : path.filename();
  for (const char* ending : {".gz", ".tgz", ".tar", ".zip"}) {
    if (name.extension() == ending) name = name.stem();
  }
  std::string out;
  for (const char c : name.string()) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (upper || plain) {
      out += upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

}  // namespace meshstow::io
