// storage/sqlite/sqlite_reader.hpp: reads of the SQLite engine, on a connection of their own or on
// the writer's.
#pragma once

#include "storage/local_store.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/sqlite_store.hpp"

namespace meshstow::storage {

class SqliteReader final : public LocalStoreReader {
 public:
  // Reads inside the transactions of whoever owns `database`, which outlives this.
  SqliteReader(Database& database, std::shared_ptr<StoreShared> shared);
  // With a connection of its own.
  static Result<std::unique_ptr<SqliteReader>> open(const std::string& path,
                                                    const SqliteOptions& options,
                                                    std::shared_ptr<StoreShared> shared);

  void begin() override;
  void end() override;
  std::optional<Error> status() const override { return database_.error(); }
  std::shared_ptr<StoreShared> shared() const override { return shared_; }

  Result<std::optional<DocumentRow>> live_document(NodeId parent, ByteView key) override;
  std::optional<NodeRow> node(NodeId id) override;
  std::optional<NodeRow> live_child(NodeId parent, ByteView key) override;
  std::optional<NodeRow> dead_child(NodeId parent, ByteView key, NodeKind kind) override;
  std::vector<NodeRow> live_children(NodeId parent, NodeId above, std::size_t limit) override;
  std::vector<NodeRow> nodes(NodeId above, std::size_t limit) override;
  std::vector<HistoryRow> history_of(NodeId document, HistoryId below, std::size_t limit) override;
  std::optional<HistoryRow> oldest_history_of(NodeId document) override;
  std::vector<HistoryRow> history(HistoryId above, std::size_t limit) override;
  std::optional<ContentRow> content(ContentId id) override;
  std::vector<std::pair<ContentId, ContentRow>> contents(ContentId above,
                                                         std::size_t limit) override;
  std::optional<PieceRow> piece_at(ContentId content, std::int64_t offset) override;
  std::vector<PieceRow> pieces(ContentId content, std::int64_t from_offset,
                               std::size_t limit) override;
  std::optional<Bytes> chunk_data(ChunkId id) override;
  std::optional<ChunkRow> chunk(ChunkId id) override;
  std::optional<ChunkRow> chunk_at(const Hash32& address) override;
  std::vector<ChunkRow> chunks(ChunkId above, std::size_t limit) override;
  std::vector<ContentId> loose(ContentId above, std::size_t limit) override;
  bool is_loose(ContentId id) override;
  std::optional<Bytes> record(ByteView key) override;
  std::vector<std::pair<Bytes, Bytes>> records(ByteView prefix, ByteView after,
                                               std::size_t limit) override;
  std::vector<std::string> check_file(std::size_t limit) override;
  Result<void> backup(const std::string& path, Bytes mark_key,
                      const BackupProgress& progress) override;

 private:
  std::vector<std::string> texts(const char* sql);
  static std::vector<std::string> schema_of_new_stores();
  SqliteReader(std::unique_ptr<Database> own, std::shared_ptr<StoreShared> shared);

  std::unique_ptr<Database> own_;
  Database& database_;
  std::shared_ptr<StoreShared> shared_;
  Statement begin_, end_;
  Statement live_document_;
  Statement node_, live_child_, dead_child_, live_children_, nodes_;
  Statement history_of_, oldest_history_of_, history_;
  Statement content_, contents_, piece_at_, pieces_;
  Statement chunk_data_, chunk_, chunk_at_, chunks_;
  Statement loose_, is_loose_;
  Statement record_, records_;
};

}  // namespace meshstow::storage
