#include "storage/memory/memory_store.hpp"

#include "storage/memory/memory_reader.hpp"

namespace meshstow::storage {
namespace {

// Changes rows in place and remembers how to take each change back.
class MemoryStore final : public LocalStore {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk)
      : disk_(std::move(disk)), view_(disk_, /*locking=*/false) {}
  ~MemoryStore() override { rollback(); }

  LocalStoreReader& view() override { return view_; }
  Result<std::unique_ptr<LocalStoreReader>> make_reader() override {
    return std::make_unique<MemoryReader>(disk_, /*locking=*/true);
  }

  Result<void> begin(bool) override {
    held_ = std::unique_lock(disk_->lock);
    return {};
  }

  Result<void> commit() override {
    undo_.clear();
    disk_->shared->commits.fetch_add(1);
    held_ = {};
    return {};
  }

  void rollback() override {
    for (; !undo_.empty(); undo_.pop_back()) undo_.back()();
    held_ = {};
  }

  void insert_node(const NodeRow& row) override {
    set(rows().nodes, row.id, row);
    set(rows().names, name_of(row), row.id);
  }

  void update_node(const NodeRow& row) override {
    NodeRow changed = rows().nodes.at(row.id);
    changed.entry = row.entry;
    changed.digest = row.digest;
    changed.live_children = row.live_children;
    changed.children = row.children;
    changed.content = row.content;
    changed.history = row.history;
    set(rows().nodes, row.id, std::move(changed));
  }

  void set_folder(NodeId id, const Hash32& digest, std::int64_t live_children,
                  std::int64_t children) override {
    NodeRow changed = rows().nodes.at(id);
    changed.digest = digest;
    changed.live_children = live_children;
    changed.children = children;
    set(rows().nodes, id, std::move(changed));
  }

  void set_live(NodeId id, bool live) override {
    NodeRow changed = rows().nodes.at(id);
    unset(rows().names, name_of(changed));
    changed.live = live;
    set(rows().names, name_of(changed), id);
    set(rows().nodes, id, std::move(changed));
  }

  void remove_node(NodeId id) override {
    unset(rows().names, name_of(rows().nodes.at(id)));
    unset(rows().nodes, id);
  }

  void insert_history(const HistoryRow& row) override {
    set(rows().history, row.id, row);
    insert(rows().history_of, {row.document, row.id});
  }

  void remove_history(HistoryId id) override {
    erase(rows().history_of, {rows().history.at(id).document, id});
    unset(rows().history, id);
  }

  void insert_content(ContentId id, const ContentRow& row) override {
    set(rows().contents, id, row);
  }

  void set_references(ContentId id, std::int64_t references) override {
    ContentRow changed = rows().contents.at(id);
    changed.references = references;
    set(rows().contents, id, std::move(changed));
  }

  void remove_content(ContentId id) override { unset(rows().contents, id); }

  void insert_piece(ContentId content, const PieceRow& row) override {
    set(rows().pieces, {content, row.offset}, row);
  }

  void remove_piece(ContentId content, std::int64_t offset) override {
    unset(rows().pieces, {content, offset});
  }

  void insert_chunk(const ChunkRow& row, ByteView data) override {
    set(rows().chunks, row.id, MemoryRows::Chunk{row, base::to_bytes(data)});
    set(rows().addresses, row.address, row.id);
  }

  void set_chunk_references(ChunkId id, std::int64_t references) override {
    ChunkRow& row = rows().chunks.at(id).row;
    undo_.push_back([&row, before = row.references] { row.references = before; });
    row.references = references;
  }

  void remove_chunk(ChunkId id) override {
    unset(rows().addresses, rows().chunks.at(id).row.address);
    unset(rows().chunks, id);
  }

  void add_loose(ContentId id) override { insert(rows().loose, id); }
  void remove_loose(ContentId id) override { erase(rows().loose, id); }

  void put_record(ByteView key, ByteView value) override {
    set(rows().records, base::to_bytes(key), base::to_bytes(value));
  }
  void remove_record(ByteView key) override { unset(rows().records, base::to_bytes(key)); }

  void tidy(bool) override {}
  Result<bool> shrink(std::size_t) override { return false; }
  FileSize file_size() override { return {}; }

 private:
  MemoryRows& rows() { return disk_->rows; }

  static MemoryRows::Name name_of(const NodeRow& row) {
    return {row.parent, row.live, row.key, row.kind};
  }

  template <class Map>
  void set(Map& map, typename Map::key_type key, typename Map::mapped_type value) {
    const auto found = map.find(key);
    if (found == map.end()) {
      undo_.push_back([&map, key] { map.erase(key); });
      map.emplace(std::move(key), std::move(value));
    } else {
      // Nodes of a map stay where they are, so an outer reference to the value stays good.
      undo_.push_back([&map, key, before = found->second] { map.at(key) = before; });
      found->second = std::move(value);
    }
  }

  template <class Map>
  void unset(Map& map, const typename Map::key_type& key) {
    auto node = std::make_shared<typename Map::node_type>(map.extract(key));
    if (!node->empty()) undo_.push_back([&map, node] { map.insert(std::move(*node)); });
  }

  template <class Set>
  void insert(Set& set, const typename Set::key_type& key) {
    if (set.insert(key).second) undo_.push_back([&set, key] { set.erase(key); });
  }

  template <class Set>
  void erase(Set& set, const typename Set::key_type& key) {
    if (set.erase(key) > 0) undo_.push_back([&set, key] { set.insert(key); });
  }

  std::shared_ptr<MemoryDisk> disk_;
  MemoryReader view_;
  std::unique_lock<std::shared_mutex> held_;
  std::vector<std::function<void()>> undo_;
};

}  // namespace

std::shared_ptr<MemoryDisk> make_memory_disk() { return std::make_shared<MemoryDisk>(); }

std::shared_ptr<MemoryDisk> copy(const MemoryDisk& disk) {
  auto out = std::make_shared<MemoryDisk>();
  const std::shared_lock lock(disk.lock);
  out->rows = disk.rows;
  return out;
}

std::unique_ptr<LocalStore> make_memory_store() { return make_memory_store(make_memory_disk()); }

std::unique_ptr<LocalStore> make_memory_store(std::shared_ptr<MemoryDisk> disk) {
  return std::make_unique<MemoryStore>(std::move(disk));
}

}  // namespace meshstow::storage
