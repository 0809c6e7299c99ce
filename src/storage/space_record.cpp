#include "storage/space_record.hpp"

#include <algorithm>

#include "storage/byte_reader.hpp"

namespace meshstow::storage {
namespace {

constexpr Byte kSpaceForm = 2;
constexpr Byte kFirstSpaceForm = 1;  // without lived time and the time of what is forgotten
constexpr Byte kHasQuota = 1;
constexpr Byte kHasBound = 2;
constexpr Byte kHasHistory = 4;
constexpr std::size_t kPage = 256;

// Opens the record of a key; its key is its context.
Result<std::optional<Bytes>> load(LocalStoreReader& store, const RecordBox& box, ByteView key) {
  const auto stored = store.record(key);
  if (!stored) return std::nullopt;
  auto plain = box.open(true, key, *stored);
  if (!plain) return fail(plain.error());
  return std::move(*plain);
}

void save(LocalStore& store, RecordBox& box, ByteView key, ByteView plain) {
  store.put_record(key, box.close(true, key, plain));
}

// Calls `visit(key, plain)` for each record of a kind.
template <class Visit>
Result<void> for_each(LocalStoreReader& store, const RecordBox& box, RecordKind kind, Visit visit) {
  const Bytes prefix = record_key(kind);
  Bytes after;
  for (;;) {
    const auto page = store.records(prefix, after, kPage);
    if (page.empty()) return {};
    for (const auto& [key, stored] : page) {
      auto plain = box.open(true, key, stored);
      if (!plain) return fail(plain.error());
      if (Result<void> visited = visit(key, *plain); !visited) return visited;
    }
    after = page.back().first;
  }
}

Bytes module_key(const RecordBox& box, std::string_view module) {
  return record_key(RecordKind::module_settings, box.name_key(true, 0, module));
}

}  // namespace

Bytes record_key(RecordKind kind, ByteView rest) {
  Bytes key{static_cast<Byte>(kind)};
  base::append(key, rest);
  return key;
}

Bytes record_key(RecordKind kind, std::int64_t number) {
  Bytes key{static_cast<Byte>(kind)};
  base::append_big_endian(key, number);
  return key;
}

Bytes encode(const SpaceRecord& record) {
  Bytes out{kSpaceForm};
  base::append(out, record.log.view());
  base::append(out, record.token.view());
  base::append_big_endian(out, record.next_sequence);
  base::append_big_endian(out, record.next_node);
  base::append_big_endian(out, record.next_history);
  base::append_big_endian(out, record.next_content);
  base::append_big_endian(out, record.next_chunk);
  base::append_big_endian(out, record.documents);
  base::append_big_endian(out, record.bytes);
  base::append_big_endian(out, record.history_bytes);
  out.push_back(record.quota ? kHasBound : 0);
  base::append_big_endian(out, record.quota.value_or(0));
  base::append_big_endian(out, record.lived.count());
  base::append_big_endian(out, record.lived_at.value_or(WallTime{}).time_since_epoch().count());
  base::append_big_endian(out,
                          static_cast<std::int64_t>(record.forgotten.time_since_epoch().count()));
  return out;
}

Result<SpaceRecord> decode_space_record(ByteView bytes) {
  ByteReader in(bytes);
  const Byte form = in.integer<Byte>();
  if (form != kSpaceForm && form != kFirstSpaceForm) {
    return fail(Errc::limit, "a store of a newer program");
  }
  SpaceRecord record;
  record.log = in.fixed<16>();
  record.token = in.fixed<16>();
  record.next_sequence = in.integer<std::uint64_t>();
  record.next_node = in.integer<std::int64_t>();
  record.next_history = in.integer<std::int64_t>();
  record.next_content = in.integer<std::int64_t>();
  record.next_chunk = in.integer<std::int64_t>();
  record.documents = in.integer<std::uint64_t>();
  record.bytes = in.integer<std::uint64_t>();
  record.history_bytes = in.integer<std::uint64_t>();
  const bool bound = in.integer<Byte>() == kHasBound;
  const auto quota = in.integer<std::uint64_t>();
  if (bound) record.quota = quota;
  if (form == kSpaceForm) {
    record.lived = Duration{in.integer<std::int64_t>()};
    record.lived_at = WallTime{Duration{in.integer<std::int64_t>()}};
    record.forgotten = WallTime{Duration{in.integer<std::int64_t>()}};
  }
  if (!in.ok() || !in.rest().empty()) return fail(Errc::corrupt, "the record of the space");
  return record;
}

Bytes encode(const UsageRecord& record) {
  Bytes out;
  base::append_big_endian(out, record.documents);
  base::append_big_endian(out, record.bytes);
  base::append_big_endian(out, record.history_bytes);
  return out;
}

Result<UsageRecord> decode_usage_record(ByteView bytes) {
  ByteReader in(bytes);
  UsageRecord record;
  record.documents = in.integer<std::uint64_t>();
  record.bytes = in.integer<std::uint64_t>();
  record.history_bytes = in.integer<std::uint64_t>();
  if (!in.ok() || !in.rest().empty()) return fail(Errc::corrupt, "the usage of a module");
  return record;
}

Bytes encode(const Settings& settings) {
  Bytes out;
  out.push_back(static_cast<Byte>((settings.quota_is_set ? kHasQuota : 0) |
                                  (settings.quota ? kHasBound : 0) |
                                  (settings.history ? kHasHistory : 0)));
  base::append_big_endian(out, settings.quota.value_or(0));
  const HistoryPolicy history = settings.history.value_or(HistoryPolicy{});
  base::append_big_endian(out, static_cast<std::int64_t>(history.keep_for.count()));
  base::append_big_endian(out, history.keep_versions);
  base::append(out, base::as_bytes(settings.module));
  return out;
}

Result<Settings> decode_settings(ByteView bytes) {
  ByteReader in(bytes);
  Settings settings;
  const Byte flags = in.integer<Byte>();
  const auto quota = in.integer<std::uint64_t>();
  HistoryPolicy history;
  history.keep_for = std::chrono::days{in.integer<std::int64_t>()};
  history.keep_versions = in.integer<std::uint32_t>();
  if (!in.ok()) return fail(Errc::corrupt, "settings are cut short");
  settings.quota_is_set = (flags & kHasQuota) != 0;
  if ((flags & kHasBound) != 0) settings.quota = quota;
  if ((flags & kHasHistory) != 0) settings.history = history;
  settings.module = base::to_string(in.rest());
  return settings;
}

Result<std::optional<SpaceRecord>> load_space_record(LocalStoreReader& store,
                                                     const RecordBox& box) {
  auto plain = load(store, box, record_key(RecordKind::space));
  if (!plain) return fail(plain.error());
  if (!*plain) return std::nullopt;
  auto record = decode_space_record(**plain);
  if (!record) return fail(record.error());
  return std::move(*record);
}

Result<UsageRecord> load_usage(LocalStoreReader& store, const RecordBox& box, NodeId node) {
  auto plain = load(store, box, record_key(RecordKind::usage, node));
  if (!plain) return fail(plain.error());
  return *plain ? decode_usage_record(**plain) : UsageRecord{};
}

void store_usage(LocalStore& store, RecordBox& box, NodeId node, const UsageRecord& usage) {
  const Bytes key = record_key(RecordKind::usage, node);
  if (usage == UsageRecord{}) {
    store.remove_record(key);
  } else {
    save(store, box, key, encode(usage));
  }
}

Result<Settings> load_space_settings(LocalStoreReader& store, const RecordBox& box) {
  auto plain = load(store, box, record_key(RecordKind::space_settings));
  if (!plain) return fail(plain.error());
  return *plain ? decode_settings(**plain) : Settings{};
}

Result<std::map<std::string, Settings>> load_module_settings(LocalStoreReader& store,
                                                             const RecordBox& box) {
  std::map<std::string, Settings> out;
  auto done = for_each(store, box, RecordKind::module_settings,
                       [&](const Bytes&, const Bytes& plain) -> Result<void> {
                         auto settings = decode_settings(plain);
                         if (!settings) return fail(settings.error());
                         std::string module = settings->module;
                         out.insert_or_assign(std::move(module), std::move(*settings));
                         return {};
                       });
  if (!done) return fail(done.error());
  return out;
}

void store_space_settings(LocalStore& store, RecordBox& box, const Settings& settings) {
  save(store, box, record_key(RecordKind::space_settings), encode(settings));
}

void store_module_settings(LocalStore& store, RecordBox& box, const Settings& settings) {
  save(store, box, module_key(box, settings.module), encode(settings));
}

Result<CausalContext> load_clock(LocalStoreReader& store, const RecordBox& box,
                                 const SpaceRecord& space) {
  CausalContext clock;
  auto done = for_each(store, box, RecordKind::clock,
                       [&](const Bytes& key, const Bytes& plain) -> Result<void> {
                         ByteReader in_key(ByteView(key).subspan(1));
                         ByteReader in(plain);
                         const VersionId seen{in_key.fixed<16>(), in.integer<std::uint64_t>()};
                         if (!in_key.ok() || !in.ok()) return fail(Errc::corrupt, "a clock record");
                         clock.push_back(seen);
                         return {};
                       });
  if (!done) return fail(done.error());
  if (space.next_sequence > 1) clock.push_back({space.log, space.next_sequence - 1});
  std::sort(clock.begin(), clock.end());
  return clock;
}

void store_clock(LocalStore& store, RecordBox& box, const VersionId& seen) {
  Bytes plain;
  base::append_big_endian(plain, seen.sequence);
  save(store, box, record_key(RecordKind::clock, seen.log.view()), plain);
}

}  // namespace meshstow::storage
