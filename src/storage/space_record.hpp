// storage/space_record.hpp: what the store remembers about the space as a whole, and the keys of
// its records. All of it is sealed, so that a store opened with foreign keys says so at once.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "storage/entry.hpp"

namespace meshstow::storage {

// First byte of every record's key in the engine.
enum class RecordKind : Byte {
  space = 'S',            // SpaceRecord
  clock = 'C',            // + log: highest sequence of a log that is not ours now
  usage = 'U',            // + node: UsageRecord of a module
  space_settings = 'P',   // Settings
  module_settings = 'Q',  // + name key: Settings
  user = 'R',             // + key of the layers above
  copied = 'X',           // empty; put into backups: who opens the copy starts a new log
};
Bytes record_key(RecordKind kind, ByteView rest = {});
Bytes record_key(RecordKind kind, std::int64_t number);

struct SpaceRecord {
  LogId log;
  Hash16 token;  // StorageOptions::expected_token of the next opening
  std::uint64_t next_sequence = 1;
  std::int64_t next_node = 1;
  std::int64_t next_history = 1;
  std::int64_t next_content = 1;
  std::int64_t next_chunk = 1;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;             // of current versions
  std::uint64_t history_bytes = 0;     // of superseded ones
  std::optional<std::uint64_t> quota;  // in force
  Duration lived{};                    // storage/lived_time.hpp
  std::optional<WallTime> lived_at;    // when that was so; nullopt: written before that was known
  WallTime forgotten{};  // the latest state of any document of which nothing is left, deletions too
};
Bytes encode(const SpaceRecord& record);
[[nodiscard]] Result<SpaceRecord> decode_space_record(ByteView bytes);

struct UsageRecord {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::uint64_t history_bytes = 0;
  friend bool operator==(const UsageRecord&, const UsageRecord&) = default;
};
Bytes encode(const UsageRecord& record);
[[nodiscard]] Result<UsageRecord> decode_usage_record(ByteView bytes);

// What the owner has set for the space, or for a module in all categories.
struct Settings {
  std::string module;
  bool quota_is_set = false;  // then `quota` holds, nullopt meaning without bound
  std::optional<std::uint64_t> quota;
  std::optional<HistoryPolicy> history;
};
Bytes encode(const Settings& settings);
[[nodiscard]] Result<Settings> decode_settings(ByteView bytes);

// Fixed ids of the folders that every space has.
inline constexpr NodeId kRootNode = 1;
inline constexpr NodeId kPublicNode = 2;
inline constexpr NodeId kPrivateNode = 3;
inline constexpr NodeId kSharedNode = 4;
inline constexpr NodeId kLastFixedNode = kSharedNode;

struct CategoryNode {
  NodeId node;
  Category category;
  std::string_view name;
  bool secret;
};
inline constexpr std::array<CategoryNode, 3> kCategoryNodes{{
    {kPublicNode, Category::public_, "public", false},
    {kPrivateNode, Category::private_, "private", true},
    {kSharedNode, Category::shared, "shared", true},
}};

// Reads and decodes; the caller has begun a transaction. Errc::corrupt.
[[nodiscard]] Result<std::optional<SpaceRecord>> load_space_record(LocalStoreReader& store,
                                                                   const RecordBox& box);
[[nodiscard]] Result<UsageRecord> load_usage(LocalStoreReader& store, const RecordBox& box,
                                             NodeId node);
void store_usage(LocalStore& store, RecordBox& box, NodeId node, const UsageRecord& usage);
[[nodiscard]] Result<Settings> load_space_settings(LocalStoreReader& store, const RecordBox& box);
[[nodiscard]] Result<std::map<std::string, Settings>> load_module_settings(LocalStoreReader& store,
                                                                           const RecordBox& box);
void store_space_settings(LocalStore& store, RecordBox& box, const Settings& settings);
void store_module_settings(LocalStore& store, RecordBox& box, const Settings& settings);
// Highest sequence of every log, ours included; sorted by log.
[[nodiscard]] Result<CausalContext> load_clock(LocalStoreReader& store, const RecordBox& box,
                                               const SpaceRecord& space);
void store_clock(LocalStore& store, RecordBox& box, const VersionId& seen);

}  // namespace meshstow::storage
