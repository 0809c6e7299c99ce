#include "storage/space_check.hpp"

#include <algorithm>

#include "crypto/hash.hpp"

namespace meshstow::storage {
namespace {

constexpr std::size_t kPage = 256;
constexpr std::size_t kDamagesNamed = 1000;
constexpr std::size_t kFileErrorsNamed = 20;
constexpr std::uint64_t kBetweenReports = 16;

}  // namespace

CheckReport SpaceCheck::run(const CheckProgress& progress) {
  for (std::string& line : store_.check_file(kFileErrorsNamed)) report("", std::move(line));
  check_space_record();
  check_nodes(progress);
  if (!report_.stopped) check_folders();
  if (!report_.stopped) check_history(progress);
  if (report_.stopped) return std::move(report_);
  check_references();
  check_chunk_references();
  check_usage();
  check_records();
  if (const auto error = store_.status()) report("", error->detail);
  return std::move(report_);
}

void SpaceCheck::report(std::string path, std::string what) {
  ++report_.found;
  if (report_.damages.size() < kDamagesNamed) {
    report_.damages.push_back({std::move(path), std::move(what)});
  }
}

std::string SpaceCheck::path_of(NodeId folder, std::string_view name) const {
  std::string path(name);
  for (auto at = folders_.find(folder); at != folders_.end(); at = folders_.find(folder)) {
    path = at->second.name + "/" + path;
    if (at->second.parent >= folder) break;
    folder = at->second.parent;
  }
  return path;
}

bool SpaceCheck::advance(const CheckProgress& progress) {
  ++done_;
  if (!progress || done_ % kBetweenReports != 0) return true;
  const auto total = static_cast<std::uint64_t>(space_.next_node + space_.next_history);
  report_.stopped = !progress(std::min(done_, total), total);
  return !report_.stopped;
}

void SpaceCheck::check_space_record() {
  auto space = load_space_record(store_, box_);
  if (!space || !*space) {
    report("", "the record of the space is missing or damaged");
    return;
  }
  space_ = **space;
}

void SpaceCheck::check_nodes(const CheckProgress& progress) {
  NodeId above = 0;
  for (;;) {
    const auto page = store_.nodes(above, kPage);
    for (const NodeRow& row : page) {
      above = row.id;
      check_node(row);
      if (!advance(progress)) return;
    }
    if (page.size() < kPage) return;
  }
}

void SpaceCheck::check_node(const NodeRow& row) {
  const bool is_root = row.id == kRootNode;
  FolderState* parent = nullptr;
  if (!is_root) {
    const auto found = folders_.find(row.parent);
    if (found == folders_.end() || row.parent >= row.id) {
      report("", "something is in a folder that is missing");
      return;
    }
    parent = &found->second;
    ++parent->found_children;
    if (row.live) ++parent->found_live;
  }
  if (row.id >= space_.next_node) report("", "a name has a number that was not given yet");
  const bool secret = parent != nullptr && parent->secret;
  auto entry = box_.open_entry(secret, row.id, row.parent, row.entry);
  if (!entry) {
    report(path_of(row.parent, "?"), entry.error().detail);
    if (row.kind == NodeKind::folder) add_folder(row, Entry{"?", {}}, parent);
    return;
  }
  const std::string path = path_of(row.parent, entry->name);
  if (!is_root && box_.name_key(secret, row.parent, entry->name) != row.key) {
    report(path, "the name is not where it belongs");
  }
  if ((row.kind == NodeKind::document) != entry->document.has_value()) {
    report(path, "a document's entry for a folder, or a folder's for a document");
  } else if (row.kind == NodeKind::folder) {
    add_folder(row, *entry, parent);
  } else {
    check_document(row, *entry, *parent);
  }
}

void SpaceCheck::add_folder(const NodeRow& row, const Entry& entry, FolderState* parent) {
  FolderState folder;
  folder.parent = row.parent;
  folder.name = entry.name;
  folder.live = row.live;
  folder.digest = row.digest;
  folder.live_children = row.live_children;
  folder.children = row.children;
  folder.usage = row.id;
  if (parent != nullptr) {
    folder.secret = parent->secret;
    const bool below_module = row.parent > kLastFixedNode;
    if (below_module) folder.usage = parent->usage;
  }
  for (const CategoryNode& category : kCategoryNodes) {
    if (category.node == row.id) folder.secret = category.secret;
  }
  folders_.emplace(row.id, std::move(folder));
  folder_order_.push_back(row.id);
}

void SpaceCheck::check_document(const NodeRow& row, const Entry& entry, FolderState& parent) {
  const DocumentState& state = *entry.document;
  const std::string path = path_of(row.parent, entry.name);
  if (state.deleted == row.live) report(path, "is both there and deleted");
  if (state.version.log == space_.log && state.version.sequence >= space_.next_sequence) {
    report(path, "has a version that was not written yet");
  }
  if (row.live) {
    ++report_.documents;
    add(parent.found_digest, digests_.of_document(entry.name, state.version));
    UsageRecord& usage = usage_[parent.usage];
    ++usage.documents;
    usage.bytes += state.size;
  }
  if (row.history > 0)
    with_history_.emplace(row.id, DocumentWithHistory{row.parent, entry.name, row.history});
  check_body(path, parent.secret, state, row.content);
}

// Children have higher numbers than their folder, so that from the end on every sum is complete.
void SpaceCheck::check_folders() {
  for (auto at = folder_order_.rbegin(); at != folder_order_.rend(); ++at) {
    const FolderState& folder = folders_.at(*at);
    const std::string path = path_of(*at, "");
    if (folder.found_children != folder.children || folder.found_live != folder.live_children) {
      report(path, "the number of things in the folder is wrong");
    }
    if (folder.live != (folder.found_live > 0) && *at != kRootNode) {
      report(path, "the folder is empty and listed, or full and not listed");
    }
    if (folder.found_digest != folder.digest) report(path, "the folder's tag is wrong");
    const auto parent = folders_.find(folder.parent);
    if (folder.live && parent != folders_.end()) {
      add(parent->second.found_digest, digests_.of_folder(folder.name, folder.digest));
    }
  }
}

void SpaceCheck::check_history(const CheckProgress& progress) {
  HistoryId above = 0;
  for (;;) {
    const auto page = store_.history(above, kPage);
    for (const HistoryRow& row : page) {
      above = row.id;
      check_version(row);
      if (!advance(progress)) return;
    }
    if (page.size() < kPage) break;
  }
  for (const auto& [id, document] : with_history_) {
    if (document.history != 0) {
      report(path_of(document.parent, document.name), "the number of earlier versions is wrong");
    }
  }
}

void SpaceCheck::check_version(const HistoryRow& row) {
  ++report_.versions;
  const auto found = with_history_.find(row.document);
  if (found == with_history_.end()) {
    report("", "an earlier version of a document that is missing");
    return;
  }
  DocumentWithHistory& document = found->second;
  --document.history;
  const FolderState& folder = folders_.at(document.parent);
  const std::string path = path_of(document.parent, document.name);
  if (row.id >= space_.next_history) {
    report(path, "an earlier version has a number that was not given yet");
  }
  auto entry = box_.open_entry(folder.secret, row.document, document.parent, row.entry);
  if (!entry || !entry->document || entry->name != document.name) {
    report(path, "an earlier version is damaged");
    return;
  }
  const DocumentState& state = *entry->document;
  if (row.usage != folder.usage || static_cast<std::uint64_t>(row.bytes) != state.size) {
    report(path, "an earlier version is counted wrongly");
  }
  const bool from_the_future = space_.lived_at && Duration{row.superseded} > space_.lived;
  if (row.superseded < superseded_ || from_the_future) {
    report(path, "an earlier version has an age that cannot be");
  }
  superseded_ = row.superseded;
  usage_[folder.usage].history_bytes += state.size;
  check_body(path, folder.secret, state, row.content);
}

void SpaceCheck::check_references() {
  std::ranges::sort(references_);
  auto at = references_.begin();
  ContentId above = 0;
  for (;;) {
    const auto page = store_.contents(above, kPage);
    for (const auto& [id, row] : page) {
      above = id;
      const auto first = std::lower_bound(at, references_.end(), id);
      at = std::upper_bound(first, references_.end(), id);
      if (at - first != row.references) report("", "a body has a wrong number of references");
      if ((row.references == 0) != store_.is_loose(id)) report("", "a body is lost");
      if (id >= space_.next_content) report("", "a body has a number that was not given yet");
      if (row.chunked) count_pieces(id);
    }
    if (page.size() < kPage) return;
  }
}

void SpaceCheck::count_pieces(ContentId content) {
  std::int64_t from = 0;
  for (;;) {
    const auto page = store_.pieces(content, from, kPage);
    for (const PieceRow& piece : page) {
      ++chunk_references_[piece.chunk];
      from = piece.offset + 1;
    }
    if (page.size() < kPage) return;
  }
}

void SpaceCheck::check_chunk_references() {
  ChunkId above = 0;
  for (;;) {
    const auto page = store_.chunks(above, kPage);
    for (const ChunkRow& row : page) {
      above = row.id;
      ++report_.chunks;
      const auto found = chunk_references_.find(row.id);
      if (found == chunk_references_.end() || found->second != row.references) {
        report("", "a chunk has a wrong number of references");
      }
      if (row.id >= space_.next_chunk) report("", "a chunk has a number that was not given yet");
    }
    if (page.size() < kPage) return;
  }
}

void SpaceCheck::check_usage() {
  UsageRecord total;
  for (const auto& [node, found] : usage_) {
    total.documents += found.documents;
    total.bytes += found.bytes;
    total.history_bytes += found.history_bytes;
    const auto stored = load_usage(store_, box_, node);
    if (!stored || *stored != found) report(path_of(node, ""), "the usage of the module is wrong");
  }
  if (total != UsageRecord{space_.documents, space_.bytes, space_.history_bytes}) {
    report("", "the usage of the space is wrong");
  }
}

void SpaceCheck::check_records() {
  if (!load_space_settings(store_, box_) || !load_module_settings(store_, box_)) {
    report("", "settings are damaged");
  }
  if (!load_clock(store_, box_, space_)) report("", "the clock is damaged");
  const Bytes prefix = record_key(RecordKind::user);
  Bytes after;
  for (;;) {
    const auto page = store_.records(prefix, after, kPage);
    for (const auto& [key, stored] : page) {
      if (!box_.open(false, key, stored)) report("", "a record is damaged");
      after = key;
    }
    if (page.size() < kPage) return;
  }
}

}  // namespace meshstow::storage
