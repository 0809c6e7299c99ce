#include "io/home_store.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/check.hpp"
#include "codec/hex.hpp"
#include "crypto/hash.hpp"
#include "io/clock.hpp"
#include "io/file_system.hpp"
#include "io/log.hpp"
#include "io/store_log.hpp"
#include "storage/sqlite/sqlite_store.hpp"

namespace meshstow::io {
namespace {

constexpr std::size_t kTokenFile = 4096;
constexpr std::size_t kTokenDigits = 32;
constexpr std::size_t kPlaceBytes = 16;

std::filesystem::path token_file(const std::filesystem::path& store) {
  return store.parent_path() / "incarnation";
}

void append_identity_of(const std::filesystem::path& file, Bytes& out) {
  struct statx found {};
  const bool is_there = ::statx(AT_FDCWD, file.c_str(), 0, STATX_INO | STATX_BTIME, &found) == 0;
  base::append_big_endian(out, is_there ? std::uint64_t{found.stx_ino} : 0);
  base::append_big_endian(out, std::int64_t{found.stx_btime.tv_sec});
  base::append_big_endian(out, std::uint32_t{found.stx_btime.tv_nsec});
}

// Which files on which machine these are. A copied home, or one that came out of a snapshot of a
// file system, has the token of its original, but lies elsewhere. The token's own file is a new one
// whenever it is written, so an older home that is copied over a newer one shows too.
std::string place_of(const std::filesystem::path& store, const std::filesystem::path& token) {
  struct statvfs system {};
  if (::statvfs(store.c_str(), &system) != 0) return {};
  Bytes place = read_file("/etc/machine-id", kTokenFile).value_or(Bytes());
  base::append_big_endian(place, std::uint64_t{system.f_fsid});
  append_identity_of(store, place);
  append_identity_of(token, place);
  return codec::to_hex(crypto::sha256(place).view().first(kPlaceBytes));
}

std::string token_text(const Hash16& token, const std::filesystem::path& store,
                       const std::filesystem::path& file) {
  return codec::to_hex(token) + " " + place_of(store, file) + "\n";
}

// On a full disk the old token stays: the next opening then takes the store for a copy and starts a
// new log, which is safe.
void keep_token(const Hash16& token, const std::filesystem::path& store) {
  const auto file = token_file(store);
  const std::filesystem::path aside = file.string() + ".new";
  std::error_code ignored;
  std::filesystem::remove(aside, ignored);
  auto kept = write_new_file(aside, {});  // whose identity is then known
  if (kept) kept = rewrite_file(aside, base::as_bytes(token_text(token, store, aside)));
  if (kept && ::rename(aside.c_str(), file.c_str()) == 0) return;
  log_info(kept ? file_error("replace", file) : kept.error());
  std::filesystem::remove(aside, ignored);
}

// A token that is missing, unreadable or of another place is no token of this store, which then
// starts a new log: that is safe, and happens after a power cut at worst.
Hash16 read_token(const std::filesystem::path& store) {
  const auto text = read_file(token_file(store), kTokenFile);
  if (!text || text->size() < kTokenDigits) return {};
  const auto token = codec::fixed_from_hex<16>(base::as_text(*text).substr(0, kTokenDigits));
  if (!token || base::as_text(*text) != token_text(*token, store, token_file(store))) return {};
  return *token;
}

// A home that had a store has none now. Starting an empty one would hide the loss.
bool is_store_gone(const std::filesystem::path& store) {
  std::error_code error;
  if (!std::filesystem::exists(token_file(store), error)) return false;
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
    const Settings& settings, base::Rng& rng, bool is_copy) {
  const access::SpaceKey* key = identities.keys.current(identities.owner.hash());
  MESHSTOW_CHECK(key != nullptr);  // Home::open has looked
  if (is_store_gone(file)) {
    return tl::unexpected("the store " + file.string() +
                          " is gone or empty: put a copy in its place, or remove " +
                          token_file(file).string() + " to begin with an empty one");
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
  if (!engine_options.read_only) options.expected_token = read_token(file);
  options.force_new_log = is_copy || log_lost_its_end;
  options.keep_token = [file](const Hash16& token) { keep_token(token, file); };
  auto store = storage::RemoteStorage::open(std::move(*engine), node::make_space_sealer(*key, rng),
                                            rng, options, read_clock());
  if (!store) return tl::unexpected(open_error(file, store.error()));
  return std::move(*store);
}

}  // namespace meshstow::io
