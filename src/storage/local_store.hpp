// storage/local_store.hpp: what an engine does for a space: rows, looked up and changed one by one,
// inside transactions. All rules (names, tags, versions, quota, sealing) live above, in
// RemoteStorage; an engine neither reads nor checks what it keeps.
//
// Engines: storage/sqlite/sqlite_store.hpp, storage/memory/memory_store.hpp.
// Threading: a LocalStore and its view belong to one thread, each LocalStoreReader to one thread.
// Errors are sticky: a primitive that fails answers as if there were nothing, and from then on so
// does every other one, until the transaction ends. status() tells; whoever acts on what was read
// asks it first. Errc::limit: the disk is full; corrupt: the file is damaged; unavailable: anything
// else.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "storage/store_shared.hpp"

namespace meshstow::storage {

using NodeId = std::int64_t;     // a folder, or a name that holds or held a document
using HistoryId = std::int64_t;  // a superseded state; ascending in the order of supersession
using ContentId = std::int64_t;  // a body
using ChunkId = std::int64_t;    // a part of bodies; all ids are positive and never used twice

enum class NodeKind : std::uint8_t { folder = 0, document = 1 };

// One name in one folder. At most one live node has a given (parent, key), and at most one dead one
// of each kind: a dead document is a deletion with a history, a dead folder holds only such.
struct NodeRow {
  NodeId id = 0;
  NodeId parent = 0;
  bool live = false;
  NodeKind kind = NodeKind::folder;
  Bytes key;      // the name, or what stands for it (Sealer::name_key)
  Bytes entry;    // name and, for a document, its current state (storage/entry.hpp)
  Hash32 digest;  // folder: sum over its live children (storage/digests.hpp)
  std::int64_t live_children = 0;  // folder
  std::int64_t children = 0;       // folder: dead ones too
  ContentId content = 0;           // document: 0 if deleted
  std::int64_t history = 0;        // document: number of its HistoryRows
};

struct HistoryRow {
  HistoryId id = 0;
  NodeId document = 0;
  NodeId usage = 0;             // whose history bytes these are (storage/usage_book.hpp)
  std::int64_t superseded = 0;  // the time lived until then, in microseconds
  std::int64_t bytes = 0;
  ContentId content = 0;
  Bytes entry;
};

struct ContentRow {
  std::int64_t references = 0;  // from nodes and history; 0 while it is in the loose list
  bool chunked = false;
  Bytes body;  // unless chunked
};

// Part of a chunked body: the plain bytes from `offset` on are those of `chunk`.
struct PieceRow {
  std::int64_t offset = 0;
  std::int64_t size = 0;
  ChunkId chunk = 0;
  Hash16 seal;  // binds all of it to the body (storage/digests.hpp)
};

struct ChunkRow {
  ChunkId id = 0;
  Hash32 address;               // SHA-256 of the data as it is stored
  std::int64_t references = 0;  // from pieces
};

// A live document and its body, which is empty if it is chunked.
struct DocumentRow {
  NodeRow node;
  ContentRow content;
};

// Bytes. False: stop here; what has been written is no store.
using BackupProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

class LocalStoreReader {
 public:
  virtual ~LocalStoreReader() = default;

  // What is read between begin() and end() is one committed state; later ones do not wait for it.
  // (The view of a LocalStore reads inside the transaction of its store instead.)
  virtual void begin() = 0;
  virtual void end() = 0;
  [[nodiscard]] virtual std::optional<Error> status() const = 0;
  [[nodiscard]] virtual std::shared_ptr<StoreShared> shared() const = 0;

  // The most frequent read, in one step and with a snapshot of its own: not between begin() and
  // end().
  [[nodiscard]] virtual Result<std::optional<DocumentRow>> live_document(NodeId parent,
                                                                         ByteView key) = 0;

  [[nodiscard]] virtual std::optional<NodeRow> node(NodeId id) = 0;
  [[nodiscard]] virtual std::optional<NodeRow> live_child(NodeId parent, ByteView key) = 0;
  [[nodiscard]] virtual std::optional<NodeRow> dead_child(NodeId parent, ByteView key,
                                                          NodeKind kind) = 0;
  // Live children with an id above `above`, in the order of ids, so that neighbours on the disk
  // follow one another; without their keys.
  [[nodiscard]] virtual std::vector<NodeRow> live_children(NodeId parent, NodeId above,
                                                           std::size_t limit) = 0;
  [[nodiscard]] virtual std::vector<NodeRow> nodes(NodeId above, std::size_t limit) = 0;

  [[nodiscard]] virtual std::vector<HistoryRow> history_of(NodeId document, HistoryId below,
                                                           std::size_t limit) = 0;  // newest first
  [[nodiscard]] virtual std::optional<HistoryRow> oldest_history_of(NodeId document) = 0;
  [[nodiscard]] virtual std::vector<HistoryRow> history(HistoryId above, std::size_t limit) = 0;

  [[nodiscard]] virtual std::optional<ContentRow> content(ContentId id) = 0;
  // Rows without their bodies.
  [[nodiscard]] virtual std::vector<std::pair<ContentId, ContentRow>> contents(
      ContentId above, std::size_t limit) = 0;
  // The last piece that begins at or before `offset`.
  [[nodiscard]] virtual std::optional<PieceRow> piece_at(ContentId content,
                                                         std::int64_t offset) = 0;
  [[nodiscard]] virtual std::vector<PieceRow> pieces(ContentId content, std::int64_t from_offset,
                                                     std::size_t limit) = 0;
  [[nodiscard]] virtual std::optional<Bytes> chunk_data(ChunkId id) = 0;
  [[nodiscard]] virtual std::optional<ChunkRow> chunk(ChunkId id) = 0;
  [[nodiscard]] virtual std::optional<ChunkRow> chunk_at(const Hash32& address) = 0;
  [[nodiscard]] virtual std::vector<ChunkRow> chunks(ChunkId above, std::size_t limit) = 0;

  [[nodiscard]] virtual std::vector<ContentId> loose(ContentId above, std::size_t limit) = 0;
  [[nodiscard]] virtual bool is_loose(ContentId id) = 0;

  [[nodiscard]] virtual std::optional<Bytes> record(ByteView key) = 0;
  // Records whose key begins with `prefix` and is above `after`, in the order of keys.
  [[nodiscard]] virtual std::vector<std::pair<Bytes, Bytes>> records(ByteView prefix,
                                                                     ByteView after,
                                                                     std::size_t limit) = 0;

  // The engine's own check of its file, one line for each thing found wrong, at most `limit`.
  [[nodiscard]] virtual std::vector<std::string> check_file(std::size_t limit) = 0;
  // Copies the newest committed state into a new file while the store is in use. Errc::conflict if
  // there is such a file, Errc::unavailable for an engine without files.
  [[nodiscard]] virtual Result<void> backup(const std::string& path, Bytes mark_key,
                                            const BackupProgress& progress) = 0;
};

class LocalStore {
 public:
  virtual ~LocalStore() = default;

  // Reads what the current transaction has written, or what is committed when there is none.
  [[nodiscard]] virtual LocalStoreReader& view() = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<LocalStoreReader>> make_reader() = 0;

  // `durable`: commit() returns after the bytes are on the disk; else they are no later than those
  // of the next durable one. After a failed commit() the transaction is rolled back.
  [[nodiscard]] virtual Result<void> begin(bool durable) = 0;
  [[nodiscard]] virtual Result<void> commit() = 0;
  virtual void rollback() = 0;

  virtual void insert_node(const NodeRow& row) = 0;
  // Everything but live, parent, kind and key.
  virtual void update_node(const NodeRow& row) = 0;
  virtual void set_folder(NodeId id, const Hash32& digest, std::int64_t live_children,
                          std::int64_t children) = 0;
  virtual void set_live(NodeId id, bool live) = 0;
  virtual void remove_node(NodeId id) = 0;

  virtual void insert_history(const HistoryRow& row) = 0;
  virtual void remove_history(HistoryId id) = 0;

  virtual void insert_content(ContentId id, const ContentRow& row) = 0;
  virtual void set_references(ContentId id, std::int64_t references) = 0;
  virtual void remove_content(ContentId id) = 0;

  virtual void insert_piece(ContentId content, const PieceRow& row) = 0;
  virtual void remove_piece(ContentId content, std::int64_t offset) = 0;

  virtual void insert_chunk(const ChunkRow& row, ByteView data) = 0;
  virtual void set_chunk_references(ChunkId id, std::int64_t references) = 0;
  virtual void remove_chunk(ChunkId id) = 0;

  virtual void add_loose(ContentId id) = 0;
  virtual void remove_loose(ContentId id) = 0;

  virtual void put_record(ByteView key, ByteView value) = 0;
  virtual void remove_record(ByteView key) = 0;

  // Upkeep between transactions: at most a few milliseconds' worth. `idle`: nobody waits.
  virtual void tidy(bool idle) = 0;
  // Gives back unused room of the file, some of it a call. True: there is more to give back.
  [[nodiscard]] virtual Result<bool> shrink(std::size_t bytes) = 0;
  // Size of the file and how much of it is unused, in bytes.
  struct FileSize {
    std::uint64_t total = 0;
    std::uint64_t unused = 0;
  };
  [[nodiscard]] virtual FileSize file_size() = 0;
};

}  // namespace meshstow::storage
