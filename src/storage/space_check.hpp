// storage/space_check.hpp: looks at everything a store keeps and says what is damaged.
//
// Every hash, seal, tag, count and reference is computed anew and compared. Works on one committed
// state while the store is in use. Memory: some tens of bytes for each folder, body and chunk.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/digests.hpp"
#include "storage/entry.hpp"
#include "storage/space_record.hpp"

namespace meshstow::storage {

struct Damage {
  std::string path;  // of the document or folder, as far as it can be told; empty: the store's own
  std::string what;
};

struct CheckReport {
  std::uint64_t documents = 0;
  std::uint64_t versions = 0;  // earlier ones
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;  // of bodies that were read
  std::uint64_t found = 0;  // damages; `damages` has the first of them
  std::vector<Damage> damages;
  bool stopped = false;  // not all was looked at
  [[nodiscard]] bool whole() const { return found == 0 && !stopped; }
};

// `done` and `total` count nodes and versions. False: stop here.
using CheckProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

class SpaceCheck {
 public:
  SpaceCheck(LocalStoreReader& store, const RecordBox& box, const Digests& digests)
      : store_(store), box_(box), digests_(digests) {}

  // The caller has begun a transaction of the store.
  [[nodiscard]] CheckReport run(const CheckProgress& progress);

 private:
  struct FolderState {
    NodeId parent = 0;
    std::string name;
    bool secret = false;
    bool live = false;
    NodeId usage = 0;
    Hash32 digest;  // as stored
    std::int64_t live_children = 0;
    std::int64_t children = 0;
    Hash32 found_digest;  // as found
    std::int64_t found_live = 0;
    std::int64_t found_children = 0;
  };
  struct DocumentWithHistory {
    NodeId parent = 0;
    std::string name;
    std::int64_t history = 0;
  };

  void report(std::string path, std::string what);
  [[nodiscard]] std::string path_of(NodeId folder, std::string_view name) const;
  void check_space_record();
  void check_nodes(const CheckProgress& progress);
  void check_node(const NodeRow& row);
  void add_folder(const NodeRow& row, const Entry& entry, FolderState* parent);
  void check_document(const NodeRow& row, const Entry& entry, FolderState& parent);
  void check_folders();
  void check_history(const CheckProgress& progress);
  void check_version(const HistoryRow& row);
  void check_body(const std::string& path, bool secret, const DocumentState& state,
                  ContentId content);
  [[nodiscard]] const char* check_small(bool secret, const DocumentState& state,
                                        const ContentRow& row);
  [[nodiscard]] const char* check_chunked(bool secret, const DocumentState& state,
                                          ContentId content);
  [[nodiscard]] const char* check_piece(bool secret, const DocumentState& state,
                                        const PieceRow& piece, Hash32& list);
  [[nodiscard]] const char* check_chunk(bool secret, const ChunkRow& chunk, std::uint64_t size);
  void check_references();
  void count_pieces(ContentId content);
  void check_chunk_references();
  void check_usage();
  void check_records();
  [[nodiscard]] bool advance(const CheckProgress& progress);

  LocalStoreReader& store_;
  const RecordBox& box_;
  const Digests& digests_;
  CheckReport report_;
  SpaceRecord space_;
  std::int64_t superseded_ = 0;  // of the history row looked at last
  std::uint64_t done_ = 0;
  std::unordered_map<NodeId, FolderState> folders_;
  std::vector<NodeId> folder_order_;  // ascending: parents first
  std::unordered_map<NodeId, DocumentWithHistory> with_history_;
  std::unordered_map<NodeId, UsageRecord> usage_;
  std::vector<ContentId> references_;  // one for each version with a body
  std::unordered_map<ChunkId, std::int64_t> chunk_references_;
  std::vector<bool> checked_chunks_;  // by id
};

}  // namespace meshstow::storage
