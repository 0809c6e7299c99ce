// storage/operations.hpp: what a node asks of its store, and what it hears back, as values.
//
// The core emits StoreRequest; a driver executes it (io/disk_thread.hpp, or inline in tests and the
// simulator) and hands the StoreReply with the same id back. Writes are answered after fsync.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/types.hpp"

namespace meshstow::storage {

using RequestNumber = std::uint64_t;  // chosen by the asker, unique while unanswered
using UploadId = std::uint64_t;       // a body that arrives in pieces
using ReadHandle = std::uint64_t;     // pins one version while it is read; 0: nothing to close

// -- Writes: one batch, one transaction, answered after fsync.
struct PutDocument {
  StoragePath path;
  std::string content_type;
  Conditions conditions;
  std::variant<Bytes, UploadId> body;
};
struct RemoveDocument {
  StoragePath path;
  Conditions conditions;
};
struct RestoreVersion {
  StoragePath path;
  VersionId version;
};  // as a new version
// Bodies in pieces: nothing of it is visible before the PutDocument that names the upload, and an
// upload that is never named is reclaimed, over a restart too. `announced_size` is checked against
// quota and limits at once.
struct BeginUpload {
  UploadId upload = 0;
  StoragePath path;
  std::optional<std::uint64_t> announced_size;
};
struct AppendUpload {
  UploadId upload = 0;
  Bytes piece;
};
struct AbortUpload {
  UploadId upload = 0;
};
// Small records of the layers above (tokens, grants, settings); key and value are theirs, sealed if
// secret.
struct PutRecord {
  Bytes key;
  Bytes value;
};
struct RemoveRecord {
  Bytes key;
};
// Without a module: of the space. A module's quota counts all three categories. Settings persist.
struct SetQuota {
  std::optional<std::string> module;
  std::optional<std::uint64_t> bytes;
};
struct SetHistory {
  std::optional<std::string> module;
  std::optional<HistoryPolicy> policy;
};  // nullopt: default

// -- Reads: never wait for writes.
// The document or one of its versions, with the first bytes of the body from `offset` on (up to
// `max_bytes`).
struct OpenDocument {
  StoragePath path;
  std::optional<VersionId> version;
  Conditions conditions;  // If-None-Match -> Refusal::not_modified, If-Match -> precondition_failed
  std::uint64_t offset = 0;
  std::size_t max_bytes = 64 * 1024;  // 0: only the description (stat, HEAD)
};
struct ReadDocument {
  ReadHandle handle = 0;
  std::uint64_t offset = 0;
  std::size_t max_bytes = 64 * 1024;
};
struct CloseDocument {
  ReadHandle handle = 0;
};
struct ListFolder {
  StoragePath path;
  Bytes after;
  std::size_t max_items = 1000;
};
struct ListVersions {
  StoragePath path;
};  // newest first, deletions included
struct FindVersion {
  StoragePath path;
  std::string text;
};  // `--version V`: a unique beginning of its text
struct ReadUsage {};
struct GetRecord {
  Bytes key;
};
struct ListRecords {
  Bytes prefix;
};

using Operation = std::variant<PutDocument, RemoveDocument, RestoreVersion, BeginUpload,
                               AppendUpload, AbortUpload, PutRecord, RemoveRecord, SetQuota,
                               SetHistory, OpenDocument, ReadDocument, CloseDocument, ListFolder,
                               ListVersions, FindVersion, ReadUsage, GetRecord, ListRecords>;
[[nodiscard]] bool is_write(const Operation& operation);

struct StoreRequest {
  RequestNumber number = 0;
  Operation operation;
};

struct Done {};
struct OpenedDocument {
  DocumentInfo info;
  Bytes first;
  ReadHandle handle = 0;
};  // handle 0: `first` was all asked
struct ReadPiece {
  Bytes bytes;
};
struct VersionList {
  std::vector<DocumentInfo> versions;
};
struct RecordList {
  std::vector<std::pair<Bytes, Bytes>> records;
  std::vector<Bytes> damaged;  // keys whose values fail their checksum
};

using Answer = std::variant<Done, WriteResult, OpenedDocument, ReadPiece, FolderPage, VersionList,
                            VersionId, Usage, RecordList>;
struct StoreReply {
  RequestNumber number = 0;
  Outcome<Answer> outcome;
};

}  // namespace meshstow::storage
