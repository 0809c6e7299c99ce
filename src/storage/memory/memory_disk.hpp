// storage/memory/memory_disk.hpp: the rows of the memory engine. Whoever touches them holds `lock`.
#pragma once

#include <map>
#include <set>
#include <shared_mutex>
#include <tuple>

#include "storage/local_store.hpp"

namespace meshstow::storage {

struct MemoryRows {
  using Name = std::tuple<NodeId, bool, Bytes, NodeKind>;  // parent, live, key, kind
  struct Chunk {
    ChunkRow row;
    Bytes data;
  };

  std::map<NodeId, NodeRow> nodes;
  std::map<Name, NodeId> names;
  std::map<HistoryId, HistoryRow> history;
  std::set<std::pair<NodeId, HistoryId>> history_of;
  std::map<ContentId, ContentRow> contents;
  std::map<std::pair<ContentId, std::int64_t>, PieceRow> pieces;
  std::map<ChunkId, Chunk> chunks;
  std::map<Hash32, ChunkId> addresses;
  std::set<ContentId> loose;
  std::map<Bytes, Bytes> records;
};

class MemoryDisk {
 public:
  mutable std::shared_mutex lock;
  MemoryRows rows;
  std::shared_ptr<StoreShared> shared = std::make_shared<StoreShared>();
};

}  // namespace meshstow::storage
