#include <algorithm>
#include <unordered_map>

#include "base/limits.hpp"
#include "base/lru_cache.hpp"
#include "crypto/aead_batch.hpp"
#include "storage/body_reader.hpp"
#include "storage/refusals.hpp"
#include "storage/remote_storage.hpp"
#include "storage/space_record.hpp"

namespace meshstow::storage {
namespace {

constexpr std::size_t kPage = 256;
constexpr int kTriesToPin = 16;
constexpr std::size_t kFoldersRemembered = 1024;
constexpr std::size_t kLongestRemembered = 512;

const CategoryNode* category_node(Category category) {
  const auto found = std::ranges::find(kCategoryNodes, category, &CategoryNode::category);
  return found == kCategoryNodes.end() ? nullptr : &*found;
}

bool begins_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

}  // namespace

struct StorageReader::State {
  struct Found {
    NodeRow node;
    DocumentState state;
    ContentId content = 0;
  };
  struct Handle {
    OpenBody body;
    bool pinned = false;
  };
  struct Document {  // a small one
    DocumentInfo info;
    Bytes body;
  };

  State(std::unique_ptr<LocalStoreReader> reader, std::unique_ptr<Sealer> keys)
      : store(std::move(reader)),
        sealer(std::move(keys)),
        box(*sealer),
        digests(sealer->digest_key()),
        bodies(*store, box, digests),
        shared(store->shared()) {}

  Outcome<Answer> run(const OpenDocument& open);
  Outcome<Answer> run(const ReadDocument& read);
  Outcome<Answer> run(const CloseDocument& close);
  Outcome<Answer> run(const ListFolder& list);
  Outcome<Answer> run(const ListVersions& list);
  Outcome<Answer> run(const FindVersion& find);
  Outcome<Answer> run(const ReadUsage& read);
  Outcome<Answer> run(const GetRecord& get);
  Outcome<Answer> run(const ListRecords& list);
  template <class Write>
  Outcome<Answer> run(const Write&) {
    return refuse(Refusal::malformed, "a write among the reads");
  }

  // Everything `read` does sees one committed state; an error of the engine overrides what it says.
  template <class Read>
  auto in_snapshot(Read read) -> decltype(read()) {
    store->begin();
    auto outcome = read();
    const auto error = store->status();
    store->end();
    if (error) return refuse(*error);
    return outcome;
  }

  std::optional<NodeId> walk_to_folder(const StoragePath& folder, bool dead_too);
  std::optional<NodeId> live_folder(const StoragePath& folder, bool anew);
  std::optional<NodeRow> find_folder(const StoragePath& folder);
  std::optional<NodeRow> find_node(const StoragePath& path, bool dead_too);
  Outcome<Found> find_document(const StoragePath& path, const std::optional<VersionId>& version);
  Outcome<Found> open_state(const NodeRow& node, bool secret, ByteView entry, ContentId content,
                            std::string_view name);
  Outcome<Found> find_in_history(const NodeRow& node, const StoragePath& path,
                                 const VersionId& version);
  Outcome<std::vector<DocumentInfo>> versions_of(const StoragePath& path);
  Outcome<FolderItem> describe_child(const NodeRow& row, bool secret) const;
  std::optional<Outcome<Answer>> open_quickly(const OpenDocument& open);
  const Document* cached(const StoragePath& path);
  std::optional<Outcome<Answer>> load_quickly(const OpenDocument& open);
  static std::optional<Outcome<Answer>> answer(const OpenDocument& open, const Document& document);
  static Outcome<void> check_conditions(const Conditions& conditions, const DocumentInfo& info);
  Outcome<Answer> give(const OpenDocument& open, const Found& found);
  Outcome<Answer> give_pinned(const OpenDocument& open, const Found& found);
  Outcome<Answer> keep_handle(OpenedDocument opened, OpenBody body, bool pinned);
  Outcome<void> list_modules(Usage& usage);
  Outcome<ModuleUsage> describe_module(NodeId node);

  std::unique_ptr<LocalStoreReader> store;
  std::unique_ptr<Sealer> sealer;
  RecordBox box;
  Digests digests;
  BodyReader bodies;
  std::shared_ptr<StoreShared> shared;
  std::unordered_map<std::string, NodeId> folder_ids;
  base::LruCache<Document> documents{limits::kReadCache};
  std::uint64_t commits = 0;  // the number at which `documents` were read
  std::unordered_map<ReadHandle, Handle> handles;
  ReadHandle next_handle = 1;
};

StorageReader::StorageReader(std::unique_ptr<LocalStoreReader> engine,
                             std::unique_ptr<Sealer> sealer)
    : state_(std::make_unique<State>(std::move(engine), std::move(sealer))) {}

StorageReader::~StorageReader() {
  for (const auto& [number, handle] : state_->handles) {
    if (handle.pinned) state_->shared->pins.unpin(handle.body.content);
  }
}

StoreReply StorageReader::execute(const StoreRequest& request) {
  return {request.number,
          std::visit([this](const auto& operation) { return state_->run(operation); },
                     request.operation)};
}

CheckReport StorageReader::check(const CheckProgress& progress) {
  state_->store->begin();
  CheckReport report = SpaceCheck(*state_->store, state_->box, state_->digests).run(progress);
  state_->store->end();
  return report;
}

Result<void> StorageReader::backup(const std::string& path, const BackupProgress& progress) {
  return state_->store->backup(path, record_key(RecordKind::copied), progress);
}

std::optional<NodeId> StorageReader::State::walk_to_folder(const StoragePath& folder,
                                                           bool dead_too) {
  if (folder.is_root()) return kRootNode;
  const bool secret = folder.is_secret();
  const auto names = folder.segments();
  NodeId at = category_node(folder.category())->node;
  for (std::size_t i = 1; i < names.size(); ++i) {
    const Bytes key = box.name_key(secret, at, names[i]);
    auto row = store->live_child(at, key);
    if (row && row->kind != NodeKind::folder) row.reset();
    if (!row && dead_too) row = store->dead_child(at, key, NodeKind::folder);
    if (!row) return std::nullopt;
    at = row->id;
  }
  return at;
}

// Numbers of folders are never given twice, so whatever is found under a remembered one is there;
// only whoever finds nothing must look `anew`.
std::optional<NodeId> StorageReader::State::live_folder(const StoragePath& folder, bool anew) {
  if (const auto known = folder_ids.find(folder.text()); known != folder_ids.end()) {
    if (!anew) return known->second;
    folder_ids.erase(known);
  }
  const auto id = walk_to_folder(folder, /*dead_too=*/false);
  if (!id) return std::nullopt;
  if (folder_ids.size() >= kFoldersRemembered) folder_ids.clear();
  if (folder.text().size() <= kLongestRemembered) folder_ids.emplace(folder.text(), *id);
  return id;
}

std::optional<NodeRow> StorageReader::State::find_folder(const StoragePath& folder) {
  for (const bool anew : {false, true}) {
    const auto id = live_folder(folder, anew);
    auto row = id ? store->node(*id) : std::nullopt;
    if (row && row->live) return row;
  }
  return std::nullopt;
}

std::optional<NodeRow> StorageReader::State::find_node(const StoragePath& path, bool dead_too) {
  const StoragePath parent = path.parent();
  for (const bool anew : {false, true}) {
    const auto folder = live_folder(parent, anew);
    if (!folder) continue;
    auto node = store->live_child(*folder, box.name_key(path.is_secret(), *folder, path.name()));
    if (node && node->kind == NodeKind::document) return node;
  }
  if (!dead_too) return std::nullopt;
  const auto folder = walk_to_folder(parent, /*dead_too=*/true);
  if (!folder) return std::nullopt;
  const Bytes key = box.name_key(path.is_secret(), *folder, path.name());
  return store->dead_child(*folder, key, NodeKind::document);
}

Outcome<StorageReader::State::Found> StorageReader::State::open_state(const NodeRow& node,
                                                                      bool secret, ByteView stored,
                                                                      ContentId content,
                                                                      std::string_view name) {
  auto entry = box.open_entry(secret, node.id, node.parent, stored);
  if (!entry) return refuse(entry.error());
  if (!entry->document || entry->name != name) {
    return refuse(Refusal::corrupt, "a document is not where its name belongs");
  }
  return Found{node, std::move(*entry->document), content};
}

Outcome<StorageReader::State::Found> StorageReader::State::find_document(
    const StoragePath& path, const std::optional<VersionId>& version) {
  if (path.is_folder()) return refuse(Refusal::malformed, "a folder where a document is needed");
  const auto node = find_node(path, version.has_value());
  if (!node) return refuse(Refusal::not_found, "no such document");
  auto current = open_state(*node, path.is_secret(), node->entry, node->content, path.name());
  if (!version) return current;
  if (current && current->state.version == *version) return current;
  return find_in_history(*node, path, *version);
}

Outcome<StorageReader::State::Found> StorageReader::State::find_in_history(
    const NodeRow& node, const StoragePath& path, const VersionId& version) {
  HistoryId below = INT64_MAX;
  for (;;) {
    const auto page = store->history_of(node.id, below, kPage);
    for (const HistoryRow& row : page) {
      auto found = open_state(node, path.is_secret(), row.entry, row.content, path.name());
      if (!found || found->state.version == version) return found;
      below = row.id;
    }
    if (page.size() < kPage) return refuse(Refusal::not_found, "no such version");
  }
}

Outcome<void> StorageReader::State::check_conditions(const Conditions& conditions,
                                                     const DocumentInfo& info) {
  const ETag& tag = info.etag;
  if (conditions.if_match && !conditions.if_match->matches_strong(tag)) {
    return refuse(Refusal::precondition_failed, "If-Match does not hold", tag);
  }
  if (!unmodified_holds(conditions, info.modified, info.dated)) {
    return refuse(Refusal::precondition_failed, "If-Unmodified-Since does not hold", tag);
  }
  if ((conditions.if_none_match && conditions.if_none_match->matches_weak(tag)) ||
      !modified_holds(conditions, info.modified, info.dated)) {
    return refuse(Refusal::not_modified, "not modified", tag);
  }
  return {};
}

// A small document from memory, or from a folder that is remembered in one step. nullopt: look
// thoroughly.
std::optional<Outcome<Answer>> StorageReader::State::open_quickly(const OpenDocument& open) {
  if (open.version || open.path.is_folder() || open.max_bytes == 0) return std::nullopt;
  if (const Document* document = cached(open.path)) return answer(open, *document);
  return load_quickly(open);
}

const StorageReader::State::Document* StorageReader::State::cached(const StoragePath& path) {
  // Before anything is read: what is then read is of this number or newer.
  const std::uint64_t newest = shared->commits.load();
  if (newest == commits) return documents.find(path.text());
  documents.clear();
  commits = newest;
  return nullptr;
}

std::optional<Outcome<Answer>> StorageReader::State::load_quickly(const OpenDocument& open) {
  const bool secret = open.path.is_secret();
  const auto folder = folder_ids.find(open.path.parent().text());
  if (folder == folder_ids.end()) return std::nullopt;
  const Bytes key = box.name_key(secret, folder->second, open.path.name());
  auto row = store->live_document(folder->second, key);
  if (!row || !*row || (*row)->content.chunked) return std::nullopt;
  auto found = open_state((*row)->node, secret, (*row)->node.entry, 0, open.path.name());
  if (!found) return tl::unexpected(found.error());
  if (found->state.chunked) return std::nullopt;
  auto body = box.open_body(secret, found->state.body, (*row)->content.body);
  if (!body) return refuse(body.error());
  if (body->size() != found->state.size) return refuse(Refusal::corrupt, "a body has another size");
  Document document{describe(found->state), std::move(*body)};
  auto out = answer(open, document);
  const std::size_t size = document.body.size() + document.info.content_type.size();
  documents.keep(open.path.text(), std::move(document), size);
  return out;
}

std::optional<Outcome<Answer>> StorageReader::State::answer(const OpenDocument& open,
                                                            const Document& document) {
  if (auto held = check_conditions(open.conditions, document.info); !held) {
    return tl::unexpected(held.error());
  }
  const ByteView body = document.body;
  const ByteView wanted = body.subspan(std::min<std::uint64_t>(open.offset, body.size()));
  if (open.max_bytes < wanted.size()) return std::nullopt;  // needs a handle
  OpenedDocument opened;
  opened.info = document.info;
  opened.first = base::to_bytes(wanted);
  return opened;
}

Outcome<Answer> StorageReader::State::run(const OpenDocument& open) {
  if (auto quick = open_quickly(open)) return std::move(*quick);
  ContentId missing = 0;
  for (int i = 0; i < kTriesToPin; ++i) {
    std::optional<Found> chunked;
    auto outcome = in_snapshot([&]() -> Outcome<Answer> {
      auto found = find_document(open.path, open.version);
      if (!found) return tl::unexpected(found.error());
      if (auto held = check_conditions(open.conditions, describe(found->state)); !held) {
        return tl::unexpected(held.error());
      }
      if (found->state.deleted && open.max_bytes > 0) {
        return refuse(Refusal::not_found, "that version is a deletion");
      }
      if (found->state.chunked && open.max_bytes > 0) {
        shared->pins.pin(found->content);
        chunked = std::move(*found);
        return Done{};
      }
      return give(open, *found);
    });
    if (!chunked) return outcome;
    auto given = give_pinned(open, *chunked);
    if (!given || !std::holds_alternative<Done>(*given)) return given;
    // Gone before it was pinned; or never there, if the document still says so.
    if (missing == chunked->content) return refuse(Refusal::corrupt, "the body is missing");
    missing = chunked->content;
  }
  return refuse(Refusal::unavailable, "the document changes faster than it can be opened");
}

// A document without chunks, or only its description.
Outcome<Answer> StorageReader::State::give(const OpenDocument& open, const Found& found) {
  OpenedDocument opened;
  opened.info = describe(found.state);
  if (open.max_bytes == 0) return opened;
  OpenBody body = body_of(found.state, found.content, open.path.is_secret());
  auto first = bodies.read(body, open.offset, open.max_bytes);
  if (!first) return refuse(first.error());
  opened.first = std::move(*first);
  if (open.offset + opened.first.size() >= body.size) return opened;
  return keep_handle(std::move(opened), std::move(body), /*pinned=*/false);
}

// A document whose chunks have been pinned. Done: they were no longer referred to, so look again.
Outcome<Answer> StorageReader::State::give_pinned(const OpenDocument& open, const Found& found) {
  OpenBody body = body_of(found.state, found.content, open.path.is_secret());
  auto outcome = in_snapshot([&]() -> Outcome<Answer> {
    const auto row = store->content(found.content);
    if (!row || row->references == 0) return Done{};
    auto first = bodies.read(body, open.offset, open.max_bytes);
    if (!first) return refuse(first.error());
    return OpenedDocument{describe(found.state), std::move(*first), 0};
  });
  auto* opened = outcome ? std::get_if<OpenedDocument>(&*outcome) : nullptr;
  if (opened == nullptr || open.offset + opened->first.size() >= body.size) {
    shared->pins.unpin(found.content);
    return outcome;
  }
  return keep_handle(std::move(*opened), std::move(body), /*pinned=*/true);
}

Outcome<Answer> StorageReader::State::keep_handle(OpenedDocument opened, OpenBody body,
                                                  bool pinned) {
  if (handles.size() >= limits::kReadHandles) {
    if (pinned) shared->pins.unpin(body.content);
    return refuse(Refusal::unavailable, "too many documents are being read at once");
  }
  opened.handle = next_handle++;
  handles.emplace(opened.handle, Handle{std::move(body), pinned});
  return opened;
}

Outcome<Answer> StorageReader::State::run(const ReadDocument& read) {
  const auto found = handles.find(read.handle);
  if (found == handles.end()) return refuse(Refusal::not_found, "no document is open there");
  OpenBody& body = found->second.body;
  return in_snapshot([&]() -> Outcome<Answer> {
    auto bytes = bodies.read(body, read.offset, read.max_bytes);
    if (!bytes) return refuse(bytes.error());
    return ReadPiece{std::move(*bytes)};
  });
}

Outcome<Answer> StorageReader::State::run(const CloseDocument& close) {
  const auto found = handles.find(close.handle);
  if (found == handles.end()) return Done{};
  if (found->second.pinned) shared->pins.unpin(found->second.body.content);
  handles.erase(found);
  return Done{};
}

Outcome<FolderItem> StorageReader::State::describe_child(const NodeRow& row, bool secret) const {
  auto entry = box.open_entry(secret, row.id, row.parent, row.entry);
  if (!entry) return refuse(entry.error());
  FolderItem item;
  item.name = std::move(entry->name);
  item.is_folder = row.kind == NodeKind::folder;
  if (item.is_folder) {
    item.etag = digests.folder_etag(row.digest);
    return item;
  }
  if (!entry->document) return refuse(Refusal::corrupt, "a document has the entry of a folder");
  DocumentState& state = *entry->document;
  item.etag = document_etag(state.version);
  item.content_type = std::move(state.content_type);
  item.size = state.size;
  item.modified = state.modified;
  return item;
}

Outcome<Answer> StorageReader::State::run(const ListFolder& list) {
  if (!list.path.is_folder()) return refuse(Refusal::malformed, "a document is not a folder");
  if (list.after.size() > sizeof(NodeId))
    return refuse(Refusal::malformed, "no place in a listing");
  return in_snapshot([&]() -> Outcome<Answer> {
    const auto folder = find_folder(list.path);
    FolderPage page;
    page.etag = digests.folder_etag(folder ? folder->digest : Hash32{});
    if (folder) page.count = static_cast<std::uint64_t>(folder->live_children);
    if (!folder || list.max_items == 0) return page;
    const auto after = static_cast<NodeId>(base::read_big_endian(list.after));
    auto rows = store->live_children(folder->id, after, list.max_items + 1);
    if (rows.size() > list.max_items) {
      rows.pop_back();
      base::append_big_endian(page.next, rows.back().id);
    }
    page.items.reserve(rows.size());
    const crypto::AeadBatch batch;
    for (const NodeRow& row : rows) {
      auto item = describe_child(row, list.path.is_secret());
      if (!item) return tl::unexpected(item.error());
      page.items.push_back(std::move(*item));
    }
    return page;
  });
}

Outcome<std::vector<DocumentInfo>> StorageReader::State::versions_of(const StoragePath& path) {
  if (path.is_folder()) return refuse(Refusal::malformed, "a folder has no versions");
  const auto node = find_node(path, /*dead_too=*/true);
  if (!node) return refuse(Refusal::not_found, "no such document");
  std::vector<DocumentInfo> versions;
  auto current = open_state(*node, path.is_secret(), node->entry, node->content, path.name());
  if (!current) return tl::unexpected(current.error());
  versions.push_back(describe(current->state));
  HistoryId below = INT64_MAX;
  for (;;) {
    const auto page = store->history_of(node->id, below, kPage);
    for (const HistoryRow& row : page) {
      auto found = open_state(*node, path.is_secret(), row.entry, row.content, path.name());
      if (!found) return tl::unexpected(found.error());
      versions.push_back(describe(found->state));
      below = row.id;
    }
    if (page.size() < kPage) return versions;
  }
}

Outcome<Answer> StorageReader::State::run(const ListVersions& list) {
  return in_snapshot([&]() -> Outcome<Answer> {
    auto versions = versions_of(list.path);
    if (!versions) return tl::unexpected(versions.error());
    return VersionList{std::move(*versions)};
  });
}

Outcome<Answer> StorageReader::State::run(const FindVersion& find) {
  return in_snapshot([&]() -> Outcome<Answer> {
    auto versions = versions_of(find.path);
    if (!versions) return tl::unexpected(versions.error());
    std::optional<VersionId> found;
    bool several = false;
    for (const DocumentInfo& info : *versions) {
      const std::string text = to_text(info.version);
      if (text == find.text) return info.version;
      if (find.text.empty() || !begins_with(text, find.text)) continue;
      several = found.has_value();
      found = info.version;
    }
    if (several) return refuse(Refusal::malformed, "several versions begin like that");
    if (!found) return refuse(Refusal::not_found, "no such version");
    return *found;
  });
}

Outcome<ModuleUsage> StorageReader::State::describe_module(NodeId node) {
  ModuleUsage module;
  if (node <= kLastFixedNode) {
    const auto found = std::ranges::find(kCategoryNodes, node, &CategoryNode::node);
    if (found == kCategoryNodes.end()) return refuse(Refusal::corrupt, "usage of no module");
    module.category = found->category;
    return module;
  }
  const auto row = store->node(node);
  if (!row) return refuse(Refusal::corrupt, "usage of a module that is missing");
  const auto category = std::ranges::find(kCategoryNodes, row->parent, &CategoryNode::node);
  if (category == kCategoryNodes.end()) return refuse(Refusal::corrupt, "usage of no module");
  auto entry = box.open_entry(category->secret, row->id, row->parent, row->entry);
  if (!entry) return refuse(entry.error());
  module.category = category->category;
  module.module = std::move(entry->name);
  return module;
}

Outcome<void> StorageReader::State::list_modules(Usage& usage) {
  const auto settings = load_module_settings(*store, box);
  if (!settings) return refuse(settings.error());
  for (const auto& [name, each] : *settings) {
    usage.rules.push_back({name, each.quota, each.history});
  }
  const Bytes prefix = record_key(RecordKind::usage);
  Bytes after;
  for (;;) {
    const auto page = store->records(prefix, after, kPage);
    for (const auto& [key, stored] : page) {
      after = key;
      const auto node = static_cast<NodeId>(base::read_big_endian(ByteView(key).subspan(1)));
      auto counted = load_usage(*store, box, node);
      if (!counted) return refuse(counted.error());
      auto module = describe_module(node);
      if (!module) return tl::unexpected(module.error());
      module->documents = counted->documents;
      module->bytes = counted->bytes;
      module->history_bytes = counted->history_bytes;
      const auto set = settings->find(module->module);
      if (set != settings->end() && !module->module.empty()) module->quota = set->second.quota;
      usage.modules.push_back(std::move(*module));
    }
    if (page.size() < kPage) return {};
  }
}

Outcome<Answer> StorageReader::State::run(const ReadUsage&) {
  return in_snapshot([&]() -> Outcome<Answer> {
    auto space = load_space_record(*store, box);
    if (!space) return refuse(space.error());
    const auto root = store->node(kRootNode);
    if (!*space || !root) return refuse(Refusal::corrupt, "the record of the space is missing");
    auto clock = load_clock(*store, box, **space);
    if (!clock) return refuse(clock.error());
    Usage usage;
    usage.documents = (*space)->documents;
    usage.bytes = (*space)->bytes;
    usage.history_bytes = (*space)->history_bytes;
    usage.clock_jump = std::chrono::seconds{shared->clock_jump_seconds};
    usage.sweep_is_held = shared->sweep_is_held;
    usage.quota = (*space)->quota;
    usage.space_left =
        usage.quota ? *usage.quota - std::min(*usage.quota, usage.bytes) : UINT64_MAX;
    usage.fingerprint = digests.fingerprint(root->digest, *clock);
    const auto settings = load_space_settings(*store, box);
    if (!settings) return refuse(settings.error());
    usage.history = settings->history;
    if (auto listed = list_modules(usage); !listed) return tl::unexpected(listed.error());
    return usage;
  });
}

Outcome<Answer> StorageReader::State::run(const GetRecord& get) {
  return in_snapshot([&]() -> Outcome<Answer> {
    const Bytes key = record_key(RecordKind::user, get.key);
    const auto stored = store->record(key);
    if (!stored) return refuse(Refusal::not_found, "no such record");
    auto value = box.open(false, key, *stored);
    if (!value) return refuse(value.error());
    RecordList list;
    list.records.emplace_back(get.key, std::move(*value));
    return list;
  });
}

Outcome<Answer> StorageReader::State::run(const ListRecords& list) {
  return in_snapshot([&]() -> Outcome<Answer> {
    const Bytes prefix = record_key(RecordKind::user, list.prefix);
    RecordList found;
    Bytes after;
    for (;;) {
      const auto page = store->records(prefix, after, kPage);
      for (const auto& [key, stored] : page) {
        after = key;
        Bytes name(key.begin() + 1, key.end());
        if (auto value = box.open(false, key, stored)) {
          found.records.emplace_back(std::move(name), std::move(*value));
        } else {
          found.damaged.push_back(std::move(name));
        }
      }
      if (page.size() < kPage) return found;
    }
  });
}

}  // namespace meshstow::storage
