#include "storage/space_writer.hpp"

#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "storage/refusals.hpp"

namespace meshstow::storage {
namespace {

constexpr std::size_t kFoldersInMemory = 8192;
constexpr std::size_t kModulesInMemory = 8192;

LogId new_log(const Hash16& device, base::Rng& rng) {
  return crypto::hash16({base::as_bytes("log"), device.view(), rng.bytes<16>().view()});
}

bool waits_for_disk(const StoreRequest& request) {
  return !std::holds_alternative<BeginUpload>(request.operation) &&
         !std::holds_alternative<AppendUpload>(request.operation) &&
         !std::holds_alternative<AbortUpload>(request.operation);
}

}  // namespace

SpaceWriter::SpaceWriter(std::unique_ptr<LocalStore> engine, std::unique_ptr<Sealer> sealer,
                         StorageOptions options)
    : engine_(std::move(engine)),
      sealer_(std::move(sealer)),
      options_(std::move(options)),
      box_(*sealer_),
      digests_(sealer_->digest_key()),
      folders_(*engine_, box_, digests_),
      usage_(*engine_, box_),
      bodies_(*engine_, box_, digests_, space_, sealer_->chunking_key()) {}

// Looking changes nothing in the file, so that a damaged one, or one that cannot be written, is
// left as it is.
Result<void> SpaceWriter::open(Now now, base::Rng& rng) {
  next_token_ = rng.bytes<16>();
  auto found = load_space_record(engine_->view(), box_);
  if (const auto error = engine_->view().status()) return fail(*error);
  if (!found) return fail(found.error());
  if (*found) {
    space_ = **found;
    resume_lived_time();
  }
  advance(now);
  if (*found && !is_copy(**found)) {
    auto read = read_settings();
    if (const auto error = engine_->view().status()) return fail(*error);
    return read;
  }
  auto begun = engine_->begin(/*durable=*/true);
  if (!begun) return begun;
  auto opened = open_in_transaction(rng);
  if (const auto error = engine_->view().status()) opened = fail(*error);
  if (opened) {
    opened = finish_transaction();
  } else {
    engine_->rollback();
  }
  if (opened || opened.error().code != Errc::limit || !*found) return opened;
  // On a full disk what is there must stay readable; the first write begins the new log.
  space_ = **found;
  folders_.forget();
  usage_.forget();
  next_log_ = new_log(options_.device, rng);
  auto read = read_settings();
  if (const auto error = engine_->view().status()) return fail(*error);
  return read;
}

// Stores of older programs stamped their history by the wall clock: it ages from its newest row on.
void SpaceWriter::resume_lived_time() {
  Duration lived = space_.lived;
  if (!space_.lived_at) {
    const auto newest = engine_->view().history(space_.next_history - 2, 1);
    if (!newest.empty()) lived = Duration{newest.front().superseded};
  }
  lived_.resume(lived, space_.lived_at);
}

void SpaceWriter::advance(Now now) {
  if (lived_.advance(now)) jump_is_told_ = false;
  const auto& jump = lived_.last_jump();
  const auto shared = engine_->view().shared();
  shared->clock_jump_seconds =
      jump ? std::chrono::round<std::chrono::seconds>(jump->by).count() : 0;
  shared->sweep_is_held = lived_.is_held();
}

std::optional<LivedTime::Jump> SpaceWriter::take_clock_jump() {
  if (std::exchange(jump_is_told_, true)) return std::nullopt;
  return lived_.last_jump();
}

Result<void> SpaceWriter::open_in_transaction(base::Rng& rng) {
  auto found = load_space_record(engine_->view(), box_);
  if (!found) return fail(found.error());
  if (const auto error = engine_->view().status()) return fail(*error);
  if (!*found) {
    create_space(rng);
  } else {
    space_ = **found;
    change_log(new_log(options_.device, rng));
  }
  return read_settings();
}

bool SpaceWriter::is_copy(const SpaceRecord& found) {
  const bool is_marked = engine_->view().record(record_key(RecordKind::copied)).has_value();
  const bool is_old = options_.expected_token && *options_.expected_token != found.token;
  return is_marked || is_old || options_.force_new_log;
}

void SpaceWriter::create_space(base::Rng& rng) {
  space_ = SpaceRecord{};
  space_.log = new_log(options_.device, rng);
  space_.next_node = kLastFixedNode + 1;
  folders_.create_fixed_folders();
}

void SpaceWriter::change_log(const LogId& log) {
  engine_->remove_record(record_key(RecordKind::copied));
  if (space_.next_sequence > 1) {
    store_clock(*engine_, box_, {space_.log, space_.next_sequence - 1});
  }
  space_.log = log;
  space_.next_sequence = 1;
}

Result<void> SpaceWriter::start_new_log(base::Rng& rng) {
  if (auto begun = engine_->begin(/*durable=*/true); !begun) return begun;
  const SpaceRecord before = space_;
  change_log(new_log(options_.device, rng));
  auto changed = finish_transaction();
  if (changed) {
    next_log_.reset();
  } else {
    engine_->rollback();
    take_back(before);
  }
  return changed;
}

Result<void> SpaceWriter::read_settings() {
  auto space = load_space_settings(engine_->view(), box_);
  if (!space) return fail(space.error());
  auto modules = load_module_settings(engine_->view(), box_);
  if (!modules) return fail(modules.error());
  space_settings_ = std::move(*space);
  module_settings_ = std::move(*modules);
  return {};
}

std::vector<StoreReply> SpaceWriter::execute_batch(Now now, std::span<const StoreRequest> writes) {
  std::vector<StoreReply> replies;
  if (writes.empty()) return replies;
  replies.reserve(writes.size());
  advance(now);
  touched_uploads_.clear();
  settings_changed_ = false;
  const SpaceRecord before = space_;

  std::optional<Error> error;
  if (auto begun = engine_->begin(std::ranges::any_of(writes, waits_for_disk)); !begun) {
    error = begun.error();
  } else {
    if (next_log_) change_log(*next_log_);
    error = run_all(writes, replies);
    if (!error) {
      if (auto finished = finish_transaction(); !finished) error = finished.error();
    }
    if (error) {
      engine_->rollback();
      take_back(before);
    }
  }
  if (!error) {
    next_log_.reset();
    return replies;
  }
  replies.clear();
  for (const StoreRequest& write : writes) replies.push_back({write.number, refuse(*error)});
  return replies;
}

std::optional<Error> SpaceWriter::run_all(std::span<const StoreRequest> writes,
                                          std::vector<StoreReply>& replies) {
  for (const StoreRequest& write : writes) {
    replies.push_back(
        {write.number,
         std::visit([this](const auto& operation) { return run(operation); }, write.operation)});
    if (const auto error = engine_->view().status()) return error;
    if (folders_.size() > kFoldersInMemory || usage_.size() > kModulesInMemory) {
      write_caches();
      folders_.forget();
      usage_.forget();
    }
  }
  return std::nullopt;
}

Result<void> SpaceWriter::finish_transaction() {
  write_caches();
  if (next_token_) {
    // The keeper first: a store that lost its last transaction is taken for a copy, never the other
    // way round.
    if (const auto keep = std::exchange(options_.keep_token, nullptr)) keep(*next_token_);
    space_.token = *next_token_;
  }
  save_space();
  if (const auto error = engine_->view().status()) {
    engine_->rollback();
    return fail(*error);
  }
  auto committed = engine_->commit();
  if (committed) next_token_.reset();
  return committed;
}

void SpaceWriter::write_caches() {
  folders_.flush();
  usage_.flush();
}

void SpaceWriter::save_space() {
  const Bytes key = record_key(RecordKind::space);
  space_.quota = space_quota();
  space_.lived = lived_.lived();
  space_.lived_at = lived_.wall();
  engine_->put_record(key, box_.close(true, key, encode(space_)));
}

// After a rollback: memory says again what the disk says.
void SpaceWriter::take_back(const SpaceRecord& before) {
  space_ = before;
  folders_.forget();
  usage_.forget();
  for (const UploadId id : touched_uploads_) {
    const auto found = uploads_.find(id);
    if (found == uploads_.end()) continue;
    found->second.failed =
        Failure{Refusal::unavailable, "a piece of the upload was not stored", {}};
  }
  if (settings_changed_ && !read_settings()) {
    // The disk does not even answer; until it does, every write fails, and the settings stand as
    // set.
  }
}

Result<std::unique_ptr<StorageReader>> SpaceWriter::make_reader() {
  auto engine = engine_->make_reader();
  if (!engine) return fail(engine.error());
  return std::make_unique<StorageReader>(std::move(*engine), sealer_->clone());
}

template <class Read>
Outcome<Answer> SpaceWriter::run(const Read&) {
  return refuse(Refusal::malformed, "a read among the writes");
}

Outcome<Answer> SpaceWriter::run(const PutRecord& put) {
  const Bytes key = record_key(RecordKind::user, put.key);
  engine_->put_record(key, box_.close(false, key, put.value));
  return Done{};
}

Outcome<Answer> SpaceWriter::run(const RemoveRecord& remove) {
  engine_->remove_record(record_key(RecordKind::user, remove.key));
  return Done{};
}

Outcome<Answer> SpaceWriter::run(const SetQuota& set) {
  settings_changed_ = true;
  if (!set.module) {
    space_settings_.quota_is_set = true;
    space_settings_.quota = set.bytes;
    store_space_settings(*engine_, box_, space_settings_);
    return Done{};
  }
  Settings& settings = module_settings_[*set.module];
  settings.module = *set.module;
  settings.quota_is_set = true;
  settings.quota = set.bytes;
  store_module_settings(*engine_, box_, settings);
  return Done{};
}

Outcome<Answer> SpaceWriter::run(const SetHistory& set) {
  settings_changed_ = true;
  next_sweep_.reset();
  if (!set.module) {
    space_settings_.history = set.policy;
    store_space_settings(*engine_, box_, space_settings_);
    return Done{};
  }
  Settings& settings = module_settings_[*set.module];
  settings.module = *set.module;
  settings.history = set.policy;
  store_module_settings(*engine_, box_, settings);
  return Done{};
}

std::optional<std::uint64_t> SpaceWriter::space_quota() const {
  return space_settings_.quota_is_set ? space_settings_.quota : options_.quota;
}

const Settings* SpaceWriter::settings_of(std::string_view module) const {
  const auto found = module_settings_.find(std::string(module));
  return found == module_settings_.end() ? nullptr : &found->second;
}

HistoryPolicy SpaceWriter::policy_of(const Folder& folder) {
  const Folder* module = &folder;
  while (module->row.id != folder.usage) module = module->parent;
  if (module->row.id > kLastFixedNode) {
    const Settings* settings = settings_of(module->name);
    if (settings != nullptr && settings->history) return *settings->history;
  }
  return space_settings_.history.value_or(options_.history);
}

Result<std::uint64_t> SpaceWriter::module_bytes(std::string_view module) {
  std::uint64_t bytes = 0;
  for (const CategoryNode& category : kCategoryNodes) {
    const std::array<std::string_view, 2> names{category.name, module};
    auto walk = folders_.walk(names);
    if (!walk) return fail(walk.error());
    if (walk->found < names.size()) continue;
    auto usage = usage_.of(walk->folder->row.id);
    if (!usage) return fail(usage.error());
    bytes += (*usage)->bytes;
  }
  return bytes;
}

Outcome<void> SpaceWriter::check_room(std::string_view module, std::uint64_t size,
                                      std::uint64_t replaced) {
  if (size > limits::kDocument) return refuse(Refusal::too_large, "at most 16 GiB");
  const auto has_room = [&](std::uint64_t quota, std::uint64_t used) {
    // Whoever is over quota may still make documents smaller.
    return size <= replaced || (used - replaced <= quota && size <= quota - (used - replaced));
  };
  if (const auto quota = space_quota(); quota && !has_room(*quota, space_.bytes)) {
    return refuse(Refusal::full, "the quota of the space is used up");
  }
  const Settings* settings = module.empty() ? nullptr : settings_of(module);
  if (settings == nullptr || !settings->quota) return {};
  const auto used = module_bytes(module);
  if (!used) return refuse(used.error());
  if (!has_room(*settings->quota, *used)) {
    return refuse(Refusal::full, "the quota of the module is used up");
  }
  return {};
}

}  // namespace meshstow::storage
