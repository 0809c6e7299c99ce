// storage/memory/memory_reader.hpp: reads of the memory engine.
#pragma once

#include "storage/memory/memory_disk.hpp"

namespace meshstow::storage {

class MemoryReader final : public LocalStoreReader {
 public:
  // `locking`: begin() and end() take the lock; without, the owner of the transaction has it.
  MemoryReader(std::shared_ptr<MemoryDisk> disk, bool locking)
      : disk_(std::move(disk)), locking_(locking) {}

  void begin() override;
  void end() override;
  std::optional<Error> status() const override { return std::nullopt; }
  std::shared_ptr<StoreShared> shared() const override { return disk_->shared; }

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
  std::vector<std::string> check_file(std::size_t) override { return {}; }
  Result<void> backup(const std::string&, Bytes, const BackupProgress&) override {
    return fail(Errc::unavailable, "a store in memory has no file to copy");
  }

 private:
  const MemoryRows& rows() const { return disk_->rows; }

  std::shared_ptr<MemoryDisk> disk_;
  bool locking_;
  std::shared_lock<std::shared_mutex> held_;
};

}  // namespace meshstow::storage
