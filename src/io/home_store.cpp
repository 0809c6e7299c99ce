#include "io/home_store.hpp"

#include <errno.h>
#include <unistd.h>

#include "base/check.hpp"
#include "io/clock.hpp"
#include "io/incarnation.hpp"
#include "io/log.hpp"
#include "io/store_log.hpp"
#include "storage/sqlite/sqlite_store.hpp"

namespace meshstow::io {
namespace {

// A home that had a store has none now. Starting an empty one would hide the loss.
bool is_store_gone(const std::filesystem::path& store) {
  std::error_code error;
  if (!std::filesystem::exists(Incarnation::file_of(store), error)) return false;
  const auto size = std::filesystem::file_size(store, error);
  return error == std::errc::no_such_file_or_directory || (!error && size == 0);
}

// What was written there had been given numbers, which a new log of ours does not give again.
bool log_has_lost_its_end(const std::filesystem::path& store) {
  const std::uint32_t noted = StoreLogMark(store).noted();
  if (noted == 0 || whole_log_pages(store) >= noted) return false;
  const auto kept = keep_lost_log(store);
  log_warning(store.string() +
              "-wal has lost its end, and with it the last writes before the crash; " +
              (kept ? "what is left of it is kept in " + kept->string() : kept.error()));
  return true;
}

// SQLite takes a file of one byte for an empty one, and says so even when asked for its size
// (sqlite.org, ticket 3260).
bool is_single_byte(const std::filesystem::path& store) {
  std::error_code error;
  return std::filesystem::file_size(store, error) == 1 && !error;
}

std::string open_error(const std::filesystem::path& file, const Error& error) {
  return "cannot open the store " + file.string() + ": " + error.detail + ". It was not changed";
}

}  // namespace

tl::expected<std::unique_ptr<storage::RemoteStorage>, std::string> open_home_store(
    const std::filesystem::path& file, const node::NodeIdentities& identities,
    const Settings& settings, base::Rng& rng, bool is_in_the_making) {
  const access::SpaceKey* key = identities.keys.current(identities.owner.hash());
  MESHSTOW_CHECK(key != nullptr);  // Home::open has looked
  if (is_store_gone(file)) {
    return tl::unexpected("the store " + file.string() +
                          " is gone or empty: put a copy in its place, or remove " +
                          Incarnation::file_of(file).string() + " to begin with an empty one");
  }
  if (is_single_byte(file)) {
    return tl::unexpected(open_error(file, {Errc::corrupt, "the store's file is damaged"}));
  }
  storage::SqliteOptions engine_options;
  engine_options.read_only = ::access(file.c_str(), W_OK) != 0 && errno == EROFS;
  std::error_code error;
  const auto log_size = std::filesystem::file_size(file.string() + "-wal", error);
  engine_options.has_log = !error && log_size > 0;
  const bool log_lost_its_end = !engine_options.read_only && log_has_lost_its_end(file);
  const auto mark = std::make_shared<StoreLogMark>(file);
  engine_options.note_log = [mark](std::uint32_t pages) { mark->note(pages); };
  auto engine = storage::open_sqlite_store(file.string(), engine_options);
  if (!engine) return tl::unexpected(open_error(file, engine.error()));
  storage::StorageOptions options;
  options.device = identities.device.hash();
  options.quota = settings.quota;
  options.history = settings.history;
  const Incarnation incarnation(file, identities.device.hash());
  if (!engine_options.read_only) {
    const auto last = incarnation.last();
    if (!last) return tl::unexpected(last.error());
    options.expected_token = *last;
  }
  options.force_new_log = is_in_the_making || log_lost_its_end;
  options.keep_token = [incarnation, is_in_the_making](const Hash16& token) {
    incarnation.keep(token, /*remembers=*/!is_in_the_making);
  };
  auto store = storage::RemoteStorage::open(std::move(*engine), node::make_space_sealer(*key, rng),
                                            rng, options, read_clock());
  if (!store) return tl::unexpected(open_error(file, store.error()));
  return std::move(*store);
}

}  // namespace meshstow::io
