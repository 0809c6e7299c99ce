#include "storage/folder_tree.hpp"

#include <algorithm>

namespace meshstow::storage {
namespace {

constexpr std::size_t kCategoryDepth = 1;
constexpr std::size_t kModuleDepth = 2;

NodeRow fixed_row(NodeId id, NodeId parent, bool live, std::string_view name) {
  NodeRow row;
  row.id = id;
  row.parent = parent;
  row.live = live;
  row.key = base::to_bytes(base::as_bytes(name));
  return row;
}

}  // namespace

void FolderTree::create_fixed_folders() {
  NodeRow root = fixed_row(kRootNode, 0, true, "");
  root.entry = box_.close_entry(false, root.id, root.parent, Entry{});
  root.children = static_cast<std::int64_t>(kCategoryNodes.size());
  store_.insert_node(root);
  for (const CategoryNode& category : kCategoryNodes) {
    NodeRow row = fixed_row(category.node, kRootNode, false, category.name);
    row.entry = box_.close_entry(false, row.id, row.parent, Entry{std::string(category.name), {}});
    store_.insert_node(row);
  }
}

Result<Folder*> FolderTree::root() {
  if (const auto found = by_id_.find(kRootNode); found != by_id_.end()) return &found->second;
  auto row = store_.view().node(kRootNode);
  if (!row) return fail(Errc::corrupt, "the root folder is missing");
  return &keep(std::move(*row), "", nullptr);
}

Folder& FolderTree::keep(NodeRow row, std::string name, Folder* parent) {
  Folder folder;
  folder.name = std::move(name);
  folder.parent = parent;
  folder.counted = row.digest;
  folder.is_counted = row.live;
  if (parent != nullptr) {
    folder.depth = parent->depth + 1;
    folder.category = parent->category;
    folder.secret = parent->secret;
    folder.usage = folder.depth <= kModuleDepth ? row.id : parent->usage;
  }
  if (folder.depth == kCategoryDepth) {
    for (const CategoryNode& category : kCategoryNodes) {
      if (category.node != row.id) continue;
      folder.category = category.category;
      folder.secret = category.secret;
    }
  }
  folder.row = std::move(row);
  Folder& kept = by_id_.insert_or_assign(folder.row.id, std::move(folder)).first->second;
  by_name_.insert_or_assign(Name{kept.row.parent, kept.name}, &kept);
  return kept;
}

Result<Folder*> FolderTree::open(NodeRow row, Folder& parent) {
  const bool secret = parent.secret;
  auto entry = box_.open_entry(secret, row.id, row.parent, row.entry);
  if (!entry) return fail(entry.error());
  if (box_.name_key(secret, row.parent, entry->name) != row.key) {
    return fail(Errc::corrupt, "a folder is not where its name belongs");
  }
  return &keep(std::move(row), std::move(entry->name), &parent);
}

Result<FolderTree::Walk> FolderTree::walk(std::span<const std::string_view> names) {
  auto at = root();
  if (!at) return fail(at.error());
  Walk walk{*at, 0, false};
  for (const std::string_view name : names) {
    Folder& parent = *walk.folder;
    const auto known = by_name_.find(Name{parent.row.id, std::string(name)});
    if (known != by_name_.end() && known->second->row.live) {
      walk.folder = known->second;
      ++walk.found;
      continue;
    }
    const Bytes key = box_.name_key(parent.secret, parent.row.id, name);
    std::optional<NodeRow> row;
    if (parent.row.live) row = store_.view().live_child(parent.row.id, key);
    if (row && row->kind == NodeKind::document) {
      walk.clash = true;
      return walk;
    }
    if (known != by_name_.end()) {
      walk.folder = known->second;
      ++walk.found;
      continue;
    }
    if (!row) row = store_.view().dead_child(parent.row.id, key, NodeKind::folder);
    if (!row) return walk;
    auto folder = open(std::move(*row), parent);
    if (!folder) return fail(folder.error());
    walk.folder = *folder;
    ++walk.found;
  }
  return walk;
}

Folder& FolderTree::create(const Walk& walk, std::span<const std::string_view> names,
                           SpaceRecord& space) {
  Folder* folder = walk.folder;
  for (const std::string_view name : names.subspan(walk.found)) {
    NodeRow row;
    row.id = space.next_node++;
    row.parent = folder->row.id;
    row.key = box_.name_key(folder->secret, row.parent, name);
    row.entry = box_.close_entry(folder->secret, row.id, row.parent, Entry{std::string(name), {}});
    store_.insert_node(row);
    child_added(*folder);
    folder = &keep(std::move(row), std::string(name), folder);
  }
  return *folder;
}

Result<Folder*> FolderTree::load(NodeId id) {
  std::vector<NodeRow> missing;
  Folder* folder = nullptr;
  while (folder == nullptr) {
    if (id == kRootNode) {
      auto at = root();
      if (!at) return fail(at.error());
      folder = *at;
    } else if (const auto found = by_id_.find(id); found != by_id_.end()) {
      folder = &found->second;
    } else {
      auto row = store_.view().node(id);
      if (!row) return nullptr;
      if (row->parent >= id) return fail(Errc::corrupt, "a folder is older than its parent");
      id = row->parent;
      missing.push_back(std::move(*row));
    }
  }
  for (; !missing.empty(); missing.pop_back()) {
    auto opened = open(std::move(missing.back()), *folder);
    if (!opened) return fail(opened.error());
    folder = *opened;
  }
  return folder;
}

void FolderTree::mark(Folder& folder) {
  if (folder.dirty) return;
  folder.dirty = true;
  dirty_[folder.depth].push_back(folder.row.id);
}

void FolderTree::child_added(Folder& folder) {
  ++folder.row.children;
  mark(folder);
}

void FolderTree::child_removed(Folder& folder) {
  for (Folder* at = &folder; at != nullptr;) {
    --at->row.children;
    mark(*at);
    if (at->row.children > 0 || at->row.id <= kLastFixedNode) return;
    Folder* parent = at->parent;
    remove(*at);
    at = parent;
  }
}

void FolderTree::remove(Folder& folder) {
  if (folder.is_counted) {
    subtract_from_digest(*folder.parent, digests_.of_folder(folder.name, folder.counted));
  }
  std::erase(dirty_[folder.depth], folder.row.id);
  store_.remove_node(folder.row.id);
  by_name_.erase(Name{folder.row.parent, folder.name});
  by_id_.erase(folder.row.id);
}

void FolderTree::child_lives(Folder& folder) {
  for (Folder* at = &folder; at != nullptr; at = at->parent) {
    mark(*at);
    if (++at->row.live_children > 1 || at->parent == nullptr) return;
    at->row.live = true;
    store_.set_live(at->row.id, true);
  }
}

void FolderTree::child_died(Folder& folder) {
  for (Folder* at = &folder; at != nullptr; at = at->parent) {
    mark(*at);
    if (--at->row.live_children > 0 || at->parent == nullptr) return;
    at->row.live = false;
    store_.set_live(at->row.id, false);
  }
}

void FolderTree::add_to_digest(Folder& folder, const Hash32& term) {
  add(folder.row.digest, term);
  mark(folder);
}

void FolderTree::subtract_from_digest(Folder& folder, const Hash32& term) {
  subtract(folder.row.digest, term);
  mark(folder);
}

void FolderTree::flush() {
  while (!dirty_.empty()) {
    const std::vector<NodeId> level = std::move(dirty_.begin()->second);
    dirty_.erase(dirty_.begin());
    for (const NodeId id : level) {
      Folder& folder = by_id_.at(id);
      folder.dirty = false;
      store_.set_folder(id, folder.row.digest, folder.row.live_children, folder.row.children);
      if (folder.parent == nullptr) continue;
      const bool unchanged = folder.is_counted == folder.row.live &&
                             (!folder.is_counted || folder.counted == folder.row.digest);
      if (unchanged) continue;
      if (folder.is_counted) {
        subtract_from_digest(*folder.parent, digests_.of_folder(folder.name, folder.counted));
      }
      if (folder.row.live) {
        add_to_digest(*folder.parent, digests_.of_folder(folder.name, folder.row.digest));
      }
      folder.is_counted = folder.row.live;
      folder.counted = folder.row.digest;
    }
  }
}

void FolderTree::forget() {
  by_id_.clear();
  by_name_.clear();
  dirty_.clear();
}

}  // namespace meshstow::storage
