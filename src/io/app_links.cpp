#include "io/app_links.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "base/limits.hpp"

namespace meshstow::io {
namespace {

using Files = std::vector<http::AppSourceFile>;

constexpr int kMostFollowed = 40;  // on one path, as on Linux
constexpr int kDeepest = 16;       // folders of links within folders of links

std::deque<std::string> names_of(std::string_view path) {
  std::deque<std::string> out;
  while (!path.empty()) {
    out.emplace_back(path.substr(0, path.find('/')));
    path.remove_prefix(std::min(path.size(), out.back().size() + 1));
  }
  return out;
}

std::string joined(const std::deque<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : "/") + name;
  return out;
}

class LinkFollower {
 public:
  explicit LinkFollower(std::vector<ArchiveEntry> entries) {
    for (ArchiveEntry& entry : entries) {
      std::string path = entry.path;
      if (entry.kind == EntryKind::file) total_ += entry.bytes.size();
      entries_.insert_or_assign(std::move(path), std::move(entry));
    }
  }

  tl::expected<Files, std::string> run() {
    for (const auto& [path, entry] : entries_) {
      if (entry.kind == EntryKind::file || is_hidden(path)) continue;
      if (entry.kind == EntryKind::other) {
        return tl::unexpected(path + " is no file, folder or link that an app can hold");
      }
      if (auto problem = copy_to(path, path, 0)) {
        return tl::unexpected("the link " + path + " leads to " + entry.target + ", which " +
                              *problem);
      }
    }
    for (auto& [path, entry] : entries_) {
      if (entry.kind == EntryKind::file) copies_.push_back({path, std::move(entry.bytes)});
    }
    return std::move(copies_);
  }

 private:
  // Copies what is found at `from` to `to`; the problem, if there is one.
  std::optional<std::string> copy_to(const std::string& to, const std::string& from, int depth) {
    const auto place = real_path(from);
    if (!place) return place.error();
    if (const auto found = entries_.find(*place); found != entries_.end()) {
      return copy_file(to, found->second);
    }
    if (place->empty() || to.starts_with(*place + "/") || depth == kDeepest) {
      return "holds the link itself";
    }
    const std::string folder = *place + "/";
    auto inside = entries_.lower_bound(folder);
    if (inside == entries_.end() || !inside->first.starts_with(folder)) return "is not in the app";
    for (; inside != entries_.end() && inside->first.starts_with(folder); ++inside) {
      const std::string there = to + "/" + inside->first.substr(folder.size());
      if (is_hidden(there)) continue;
      if (auto problem = copy_to(there, inside->first, depth + 1)) return problem;
    }
    return std::nullopt;
  }

  std::optional<std::string> copy_file(const std::string& to, const ArchiveEntry& file) {
    if (file.kind != EntryKind::file) return "is no file";
    total_ += file.bytes.size();
    if (total_ > limits::kAppBytes || entries_.size() + copies_.size() >= limits::kAppFiles) {
      return "makes the app larger than one may be";
    }
    copies_.push_back({to, file.bytes});
    return std::nullopt;
  }

  // Where a path leads once all links on it have been followed; else the problem.
  [[nodiscard]] tl::expected<std::string, std::string> real_path(std::string_view path) const {
    const auto outside = tl::unexpected<std::string>("is not in the app");
    std::deque<std::string> at;
    std::deque<std::string> ahead = names_of(path);
    for (int followed = 0; !ahead.empty();) {
      std::string name = std::move(ahead.front());
      ahead.pop_front();
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        if (at.empty()) return outside;
        at.pop_back();
        continue;
      }
      at.push_back(std::move(name));
      const auto found = entries_.find(joined(at));
      if (found == entries_.end()) continue;
      const ArchiveEntry& entry = found->second;
      const bool is_hard = entry.kind == EntryKind::hard_link;
      if (!is_hard && entry.kind != EntryKind::symbolic_link) continue;
      if (entry.target.starts_with('/')) return outside;
      if (++followed > kMostFollowed) {
        return tl::unexpected<std::string>("leads to itself, or over more links than are followed");
      }
      is_hard ? at.clear() : at.pop_back();
      const auto target = names_of(entry.target);
      ahead.insert(ahead.begin(), target.begin(), target.end());
    }
    return joined(at);
  }

  std::map<std::string, ArchiveEntry> entries_;
  Files copies_;
  std::size_t total_ = 0;  // bytes
};

}  // namespace

bool is_hidden(std::string_view path) {
  // "." and ".." are no names: whoever writes them into an archive is told, not obeyed.
  return std::ranges::any_of(names_of(path), [](const std::string& name) {
    return name.starts_with('.') && name != "." && name != "..";
  });
}

tl::expected<Files, std::string> follow_links(std::vector<ArchiveEntry> entries) {
  return LinkFollower(std::move(entries)).run();
}

}  // namespace meshstow::io
