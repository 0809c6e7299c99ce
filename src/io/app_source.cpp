#include "io/app_source.hpp"

#include <algorithm>
#include <set>

#include "base/limits.hpp"
#include "http/message.hpp"
#include "io/app_links.hpp"
#include "io/file_system.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;
using Files = std::vector<http::AppSourceFile>;
using Entries = std::vector<ArchiveEntry>;

// A link as an archive would hold it. One that names its place from the top of the disk may lead
// into the folder all the same.
ArchiveEntry read_link(const fs::path& folder, const fs::path& link, std::string name) {
  std::error_code ignored;
  fs::path target = fs::read_symlink(link, ignored);
  if (target.is_absolute()) {
    const fs::path inside = target.lexically_relative(folder);
    if (!inside.empty() && *inside.begin() != "..") {
      target = (folder / inside).lexically_relative(link.parent_path());
    }
  }
  return {std::move(name), EntryKind::symbolic_link, {}, target.generic_string()};
}

tl::expected<Entries, std::string> read_folder(const fs::path& path) {
  Entries entries;
  std::size_t total = 0;
  std::error_code error;
  const fs::path folder = fs::canonical(path, error);
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::string name = at->path().lexically_relative(folder).generic_string();
    std::error_code ignored;  // of a link that leads in a circle
    if (is_hidden(name)) {
      if (at->is_directory(ignored)) at.disable_recursion_pending();
    } else if (at->is_symlink(ignored)) {
      entries.push_back(read_link(folder, at->path(), std::move(name)));
    } else if (at->is_regular_file(ignored)) {
      auto bytes = read_file(at->path(), limits::kAppBytes);
      if (!bytes) return tl::unexpected(bytes.error());
      total += bytes->size();
      entries.push_back({std::move(name), EntryKind::file, std::move(*bytes), {}});
    } else if (!at->is_directory(ignored)) {
      entries.push_back({std::move(name), EntryKind::other, {}, {}});
    }
    if (total > limits::kAppBytes || entries.size() > limits::kAppFiles) {
      return tl::unexpected(path.string() + " holds more than an app may");
    }
  }
  if (error) return tl::unexpected("cannot read " + path.string() + ": " + error.message());
  return entries;
}

// Some systems write their own sign between the names of a path.
void tidy_names(Entries& entries) {
  for (ArchiveEntry& entry : entries) {
    std::ranges::replace(entry.path, '\\', '/');
    std::ranges::replace(entry.target, '\\', '/');
    while (entry.path.starts_with("./")) entry.path.erase(0, 2);
  }
}

// Which of two is meant, nobody can tell.
template <class Items>
tl::expected<void, std::string> check_names_differ(const Items& items) {
  std::set<std::string_view> seen;
  for (const auto& item : items) {
    if (!seen.insert(item.path).second) {
      return tl::unexpected("it holds more than one file of the name " + item.path);
    }
  }
  return {};
}

std::string_view first_folder(const std::string& path) {
  const std::size_t slash = path.find('/');
  return slash == std::string::npos ? std::string_view()
                                    : std::string_view(path).substr(0, slash + 1);
}

void strip_top_folder(Files& files) {
  if (files.empty()) return;
  const std::string top(first_folder(files.front().path));
  const bool in_one_folder =
      !top.empty() && std::all_of(files.begin(), files.end(),
                                  [&](const auto& file) { return first_folder(file.path) == top; });
  if (!in_one_folder) return;
  for (http::AppSourceFile& file : files) file.path.erase(0, top.size());
}

// A folder, or an archive of one; what an app cannot be made of is named.
tl::expected<Files, std::string> files_of(Entries entries, bool is_archive) {
  if (is_archive) tidy_names(entries);
  if (auto checked = check_names_differ(entries); !checked) return tl::unexpected(checked.error());
  auto files = follow_links(std::move(entries));
  if (!files) return files;
  // A folder that is a link may stand beside files below its name.
  if (auto checked = check_names_differ(*files); !checked) return tl::unexpected(checked.error());
  std::erase_if(*files, [](const http::AppSourceFile& file) { return is_hidden(file.path); });
  if (is_archive) strip_top_folder(*files);
  for (const http::AppSourceFile& file : *files) {
    const bool odd = file.path.find('\\') != std::string::npos;  // browsers take it for a slash
    if (odd || !http::is_app_file_path(file.path)) {
      return tl::unexpected("the name " + file.path + " is none that a browser can ask for");
    }
  }
  return files;
}

}  // namespace

tl::expected<Files, std::string> read_app_source(const fs::path& path) {
  std::error_code error;
  const auto told = [&path](const std::string& problem) { return path.string() + ": " + problem; };
  if (fs::is_directory(path, error)) {
    auto entries = read_folder(path);
    if (!entries) return tl::unexpected(entries.error());
    return files_of(std::move(*entries), /*is_archive=*/false).map_error(told);
  }
  const auto archive = read_file(path, limits::kAppBytes);
  if (!archive) return tl::unexpected(archive.error());
  auto entries = read_archive(*archive, limits::kAppBytes);
  if (!entries) return tl::unexpected(told(entries.error().detail));
  return files_of(std::move(*entries), /*is_archive=*/true).map_error(told);
}

std::string app_name_of(const fs::path& path) {
  fs::path name = path.filename().empty() ? path.parent_path().filename() : path.filename();
  for (const char* ending : {".gz", ".tgz", ".tar", ".zip"}) {
    if (http::equal_ignoring_case(name.extension().native(), ending)) name = name.stem();
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
