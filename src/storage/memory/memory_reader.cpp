#include "storage/memory/memory_reader.hpp"

#include <algorithm>

namespace meshstow::storage {
namespace {

template <class Map, class Key>
auto value_at(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

}  // namespace

void MemoryReader::begin() {
  if (locking_) held_ = std::shared_lock(disk_->lock);
}

void MemoryReader::end() {
  if (held_.owns_lock()) held_.unlock();
}

Result<std::optional<DocumentRow>> MemoryReader::live_document(NodeId parent, ByteView key) {
  begin();
  std::optional<DocumentRow> out;
  if (auto row = live_child(parent, key); row && row->kind == NodeKind::document) {
    auto body = content(row->content);
    out = DocumentRow{std::move(*row), body ? std::move(*body) : ContentRow{}};
  }
  end();
  return out;
}

std::optional<NodeRow> MemoryReader::node(NodeId id) { return value_at(rows().nodes, id); }

std::optional<NodeRow> MemoryReader::live_child(NodeId parent, ByteView key) {
  const Bytes name = base::to_bytes(key);
  const auto found = rows().names.lower_bound({parent, true, name, NodeKind::folder});
  if (found == rows().names.end()) return std::nullopt;
  const auto& [at, live, found_name, kind] = found->first;
  if (at != parent || !live || found_name != name) return std::nullopt;
  return node(found->second);
}

std::optional<NodeRow> MemoryReader::dead_child(NodeId parent, ByteView key, NodeKind kind) {
  const auto id =
      value_at(rows().names, MemoryRows::Name{parent, false, base::to_bytes(key), kind});
  return id ? node(*id) : std::nullopt;
}

std::vector<NodeRow> MemoryReader::live_children(NodeId parent, NodeId above, std::size_t limit) {
  std::vector<NodeId> ids;
  for (auto at = rows().names.lower_bound({parent, true, {}, NodeKind::folder});
       at != rows().names.end() && std::get<0>(at->first) == parent && std::get<1>(at->first);
       ++at) {
    if (at->second > above) ids.push_back(at->second);
  }
  std::ranges::sort(ids);
  ids.resize(std::min(ids.size(), limit));
  std::vector<NodeRow> out;
  for (const NodeId id : ids) {
    out.push_back(rows().nodes.at(id));
    out.back().key.clear();
  }
  return out;
}

std::vector<NodeRow> MemoryReader::nodes(NodeId above, std::size_t limit) {
  std::vector<NodeRow> out;
  for (auto at = rows().nodes.upper_bound(above); at != rows().nodes.end() && out.size() < limit;
       ++at) {
    out.push_back(at->second);
  }
  return out;
}

std::vector<HistoryRow> MemoryReader::history_of(NodeId document, HistoryId below,
                                                 std::size_t limit) {
  std::vector<HistoryRow> out;
  auto at = rows().history_of.lower_bound({document, below});
  while (at != rows().history_of.begin() && out.size() < limit) {
    --at;
    if (at->first != document) break;
    out.push_back(rows().history.at(at->second));
  }
  return out;
}

std::optional<HistoryRow> MemoryReader::oldest_history_of(NodeId document) {
  const auto at = rows().history_of.lower_bound({document, 0});
  if (at == rows().history_of.end() || at->first != document) return std::nullopt;
  return rows().history.at(at->second);
}

std::vector<HistoryRow> MemoryReader::history(HistoryId above, std::size_t limit) {
  std::vector<HistoryRow> out;
  for (auto at = rows().history.upper_bound(above);
       at != rows().history.end() && out.size() < limit; ++at) {
    out.push_back(at->second);
  }
  return out;
}

std::optional<ContentRow> MemoryReader::content(ContentId id) {
  return value_at(rows().contents, id);
}

std::vector<std::pair<ContentId, ContentRow>> MemoryReader::contents(ContentId above,
                                                                     std::size_t limit) {
  std::vector<std::pair<ContentId, ContentRow>> out;
  for (auto at = rows().contents.upper_bound(above);
       at != rows().contents.end() && out.size() < limit; ++at) {
    out.emplace_back(at->first, ContentRow{at->second.references, at->second.chunked, {}});
  }
  return out;
}

std::optional<PieceRow> MemoryReader::piece_at(ContentId content, std::int64_t offset) {
  auto at = rows().pieces.upper_bound({content, offset});
  if (at == rows().pieces.begin()) return std::nullopt;
  --at;
  if (at->first.first != content) return std::nullopt;
  return at->second;
}

std::vector<PieceRow> MemoryReader::pieces(ContentId content, std::int64_t from_offset,
                                           std::size_t limit) {
  std::vector<PieceRow> out;
  for (auto at = rows().pieces.lower_bound({content, from_offset});
       at != rows().pieces.end() && at->first.first == content && out.size() < limit; ++at) {
    out.push_back(at->second);
  }
  return out;
}

std::optional<Bytes> MemoryReader::chunk_data(ChunkId id) {
  const auto found = rows().chunks.find(id);
  if (found == rows().chunks.end()) return std::nullopt;
  return found->second.data;
}

std::optional<ChunkRow> MemoryReader::chunk(ChunkId id) {
  const auto found = rows().chunks.find(id);
  if (found == rows().chunks.end()) return std::nullopt;
  return found->second.row;
}

std::optional<ChunkRow> MemoryReader::chunk_at(const Hash32& address) {
  const auto id = value_at(rows().addresses, address);
  return id ? chunk(*id) : std::nullopt;
}

std::vector<ChunkRow> MemoryReader::chunks(ChunkId above, std::size_t limit) {
  std::vector<ChunkRow> out;
  for (auto at = rows().chunks.upper_bound(above); at != rows().chunks.end() && out.size() < limit;
       ++at) {
    out.push_back(at->second.row);
  }
  return out;
}

std::vector<ContentId> MemoryReader::loose(ContentId above, std::size_t limit) {
  std::vector<ContentId> out;
  for (auto at = rows().loose.upper_bound(above); at != rows().loose.end() && out.size() < limit;
       ++at) {
    out.push_back(*at);
  }
  return out;
}

bool MemoryReader::is_loose(ContentId id) { return rows().loose.contains(id); }

std::optional<Bytes> MemoryReader::record(ByteView key) {
  return value_at(rows().records, base::to_bytes(key));
}

std::vector<std::pair<Bytes, Bytes>> MemoryReader::records(ByteView prefix, ByteView after,
                                                           std::size_t limit) {
  std::vector<std::pair<Bytes, Bytes>> out;
  auto at = after.empty() ? rows().records.lower_bound(base::to_bytes(prefix))
                          : rows().records.upper_bound(base::to_bytes(after));
  for (; at != rows().records.end() && out.size() < limit; ++at) {
    if (!base::as_text(at->first).starts_with(base::as_text(prefix))) break;
    out.emplace_back(at->first, at->second);
  }
  return out;
}

}  // namespace meshstow::storage
