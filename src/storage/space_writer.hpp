// storage/space_writer.hpp: the writing half of RemoteStorage.
//
// space_writer.cpp: opening, batches, settings, records. space_documents.cpp: put, remove, restore.
// space_uploads.cpp: bodies in pieces. space_reclaim.cpp: history and what nobody refers to.
#pragma once

#include <memory>
#include <span>
#include <unordered_map>

#include "base/rng.hpp"
#include "storage/body_store.hpp"
#include "storage/folder_tree.hpp"
#include "storage/lived_time.hpp"
#include "storage/remote_storage.hpp"
#include "storage/usage_book.hpp"

namespace meshstow::storage {

class SpaceWriter {
 public:
  SpaceWriter(std::unique_ptr<LocalStore> engine, std::unique_ptr<Sealer> sealer,
              StorageOptions options);

  [[nodiscard]] Result<void> open(Now now, base::Rng& rng);
  [[nodiscard]] std::vector<StoreReply> execute_batch(Now now,
                                                      std::span<const StoreRequest> writes);
  [[nodiscard]] Result<std::unique_ptr<StorageReader>> make_reader();
  [[nodiscard]] bool reclaim_some(Now now, bool idle);
  [[nodiscard]] std::uint64_t unused_bytes() { return engine_->file_size().unused; }
  [[nodiscard]] Result<std::uint64_t> compact(Now now, const CompactProgress& progress);
  [[nodiscard]] Result<void> start_new_log(base::Rng& rng);
  [[nodiscard]] std::optional<LivedTime::Jump> take_clock_jump();
  [[nodiscard]] const SpaceRecord& space() const { return space_; }

 private:
  // A name, and what the store knows about it.
  struct Place {
    FolderTree::Walk walk;
    std::vector<std::string_view> folders;  // names, without the last
    std::string_view name;
    Bytes key;                           // of the name, if all folders are there
    std::optional<NodeRow> node;         // of the document, live or deleted
    std::optional<DocumentState> state;  // the node's
    bool clash = false;

    [[nodiscard]] bool exists() const { return node && node->live; }
    [[nodiscard]] std::optional<ETag> tag() const {
      return exists() ? std::optional(document_etag(state->version)) : std::nullopt;
    }
  };
  struct Upload {
    BodyInProgress body;
    Category category;
    std::string module;
    std::uint64_t replaces = 0;  // size of the document that was there
    std::optional<Failure> failed;
  };

  // Batches.
  [[nodiscard]] Result<void> open_in_transaction(base::Rng& rng);
  void resume_lived_time();
  void advance(Now now);
  void create_space(base::Rng& rng);
  [[nodiscard]] bool is_copy(const SpaceRecord& found);
  [[nodiscard]] Result<void> read_settings();
  void change_log(const LogId& log);
  [[nodiscard]] std::optional<Error> run_all(std::span<const StoreRequest> writes,
                                             std::vector<StoreReply>& replies);
  [[nodiscard]] Result<void> finish_transaction();
  void write_caches();
  void take_back(const SpaceRecord& before);
  void save_space();

  // Operations.
  Outcome<Answer> run(const PutDocument& put);
  Outcome<Answer> run(const RemoveDocument& remove);
  Outcome<Answer> run(const RestoreVersion& restore);
  Outcome<Answer> run(const BeginUpload& begin);
  Outcome<Answer> run(const AppendUpload& append);
  Outcome<Answer> run(const AbortUpload& abort);
  Outcome<Answer> run(const PutRecord& put);
  Outcome<Answer> run(const RemoveRecord& remove);
  Outcome<Answer> run(const SetQuota& set);
  Outcome<Answer> run(const SetHistory& set);
  template <class Read>
  Outcome<Answer> run(const Read&);

  // Documents.
  [[nodiscard]] Outcome<Place> locate(const StoragePath& path);
  [[nodiscard]] Outcome<void> check_conditions(const Place& place, const Conditions& conditions);
  [[nodiscard]] Outcome<StoredBody> take_body(const PutDocument& put, bool secret);
  [[nodiscard]] Outcome<Upload*> upload_for(const PutDocument& put);
  [[nodiscard]] Outcome<WriteResult> write_version(Place& place, DocumentState state,
                                                   ContentId content);
  [[nodiscard]] Outcome<WriteResult> write_deletion(Place& place);
  [[nodiscard]] DocumentState next_state(const Place& place);
  void forget(WallTime latest);
  [[nodiscard]] Result<void> supersede(NodeRow& node, const DocumentState& old, Folder& folder);
  [[nodiscard]] Result<void> drop_history(NodeRow& node, const HistoryRow& row);
  [[nodiscard]] Outcome<std::pair<DocumentState, ContentId>> find_version(const Place& place,
                                                                          const VersionId& version);

  // Bounds.
  [[nodiscard]] std::optional<std::uint64_t> space_quota() const;
  [[nodiscard]] const Settings* settings_of(std::string_view module) const;
  [[nodiscard]] HistoryPolicy policy_of(const Folder& folder);
  [[nodiscard]] Result<std::uint64_t> module_bytes(std::string_view module);
  // Whether `size` bytes may take the place of `replaced` ones.
  [[nodiscard]] Outcome<void> check_room(std::string_view module, std::uint64_t size,
                                         std::uint64_t replaced);

  // Reclamation.
  [[nodiscard]] bool reclaim_bodies(std::size_t most);
  [[nodiscard]] Result<bool> sweep_history(Now now, std::size_t most);
  [[nodiscard]] Result<bool> shrink_history(std::size_t most);
  [[nodiscard]] Result<void> drop_row(const HistoryRow& row);
  [[nodiscard]] bool is_expired(const HistoryRow& row, const NodeRow& node,
                                const HistoryPolicy& policy) const;
  [[nodiscard]] bool is_over_quota() const;
  [[nodiscard]] std::optional<ContentId> next_reclaimable();
  [[nodiscard]] bool is_uploading(ContentId content) const;

  std::unique_ptr<LocalStore> engine_;
  std::unique_ptr<Sealer> sealer_;
  StorageOptions options_;
  RecordBox box_;
  Digests digests_;
  SpaceRecord space_;
  std::optional<LogId> next_log_;     // that could not be begun yet
  std::optional<Hash16> next_token_;  // until a transaction has stored it
  Settings space_settings_;
  std::map<std::string, Settings> module_settings_;
  FolderTree folders_;
  UsageBook usage_;
  BodyStore bodies_;
  std::unordered_map<UploadId, Upload> uploads_;
  std::vector<UploadId> touched_uploads_;  // by the current batch
  bool settings_changed_ = false;          // by the current batch
  LivedTime lived_;
  bool jump_is_told_ = true;
  HistoryId swept_ = 0;  // the sweep over history has come this far
  std::optional<TimePoint> next_sweep_;
  std::size_t reclaimed_ = 0;  // bodies and versions, by the current reclaim_some()
};

}  // namespace meshstow::storage
