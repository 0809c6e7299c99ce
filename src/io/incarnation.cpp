#include "io/incarnation.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "codec/hex.hpp"
#include "crypto/hash.hpp"
#include "io/acting_owner.hpp"
#include "io/log.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTokenFile = 4096;
constexpr std::size_t kTokenDigits = 32;
constexpr std::size_t kPlaceBytes = 16;
constexpr std::string_view kMadeUp = "remembered";

void append_identity_of(const fs::path& file, Bytes& out) {
  struct statx found {};
  const bool is_there = ::statx(AT_FDCWD, file.c_str(), 0, STATX_INO | STATX_BTIME, &found) == 0;
  base::append_big_endian(out, is_there ? std::uint64_t{found.stx_ino} : 0);
  base::append_big_endian(out, std::int64_t{found.stx_btime.tv_sec});
  base::append_big_endian(out, std::uint32_t{found.stx_btime.tv_nsec});
}

// The same wherever that file system is mounted.
std::string path_in_its_file_system(const fs::path& directory) {
  std::error_code error;
  const fs::path whole = fs::canonical(directory, error);
  struct stat here {};
  struct stat above {};
  if (error || ::stat(whole.c_str(), &here) != 0) return {};
  fs::path root = whole;
  while (root.has_relative_path() && ::stat(root.parent_path().c_str(), &above) == 0 &&
         above.st_dev == here.st_dev) {
    root = root.parent_path();
  }
  return whole.lexically_relative(root).string();
}

}  // namespace

Incarnation::Incarnation(fs::path store, const Hash16& device)
    : store_(std::move(store)), device_(device), made_up_(makes_up_inodes(store_)) {}

fs::path Incarnation::file_of(const fs::path& store) { return store.parent_path() / "incarnation"; }

// Which files on which machine these are. A copied home, or one that came out of a snapshot of a
// file system, has the token of its original, but lies elsewhere. The token's own file is a new one
// whenever it is written, so an older home that is copied over a newer one shows too.
std::string Incarnation::place(const fs::path& token_file) const {
  if (made_up_) return std::string(kMadeUp);
  struct statvfs system {};
  if (::statvfs(store_.c_str(), &system) != 0) return {};
  Bytes place = read_file("/etc/machine-id", kTokenFile).value_or(Bytes());
  base::append_big_endian(place, std::uint64_t{system.f_fsid});
  append_identity_of(store_, place);
  append_identity_of(token_file, place);
  return codec::to_hex(crypto::sha256(place).view().first(kPlaceBytes));
}

// A token that is missing or of another place is no token of this store, which then starts a new
// log: that is safe, and happens after a power cut at worst.
FileResult<Hash16> Incarnation::last() const {
  const fs::path file = file_of(store_);
  const auto read = read_file_if_there(file, kTokenFile);
  if (!read) return tl::unexpected(read.error());
  if (!*read || (*read)->size() < kTokenDigits) return Hash16{};
  const std::string_view text = base::as_text(**read);
  const auto token = codec::fixed_from_hex<16>(text.substr(0, kTokenDigits));
  if (!token || text != codec::to_hex(*token) + " " + place(file) + "\n") return Hash16{};
  return !made_up_ || is_remembered(*token) ? *token : Hash16{};
}

// On a full disk the old token stays: the next opening then takes the store for a copy and starts a
// new log, which is safe.
void Incarnation::keep(const Hash16& token, bool remembers) const {
  if (made_up_ && remembers) remember(token);
  const fs::path file = file_of(store_);
  const fs::path aside = file.string() + ".new";
  std::error_code ignored;
  fs::remove(aside, ignored);
  auto kept = write_new_file(aside, {});  // whose identity is then known
  if (kept) {
    const std::string text = codec::to_hex(token) + " " + place(aside) + "\n";
    kept = rewrite_file(aside, base::as_bytes(text));
  }
  if (kept && ::rename(aside.c_str(), file.c_str()) == 0) return;
  log_info(kept ? file_error("replace", file) : kept.error());
  fs::remove(aside, ignored);
}

fs::path Incarnation::memory() const {
  const fs::path state = state_directory();
  if (state.empty()) return {};
  Bytes about = base::to_bytes(device_.view());
  base::append(about, base::as_bytes(path_in_its_file_system(store_.parent_path())));
  return state / "meshstow" /
         ("incarnation-" + codec::to_hex(crypto::sha256(about).view().first(kPlaceBytes)));
}

bool Incarnation::is_remembered(const Hash16& token) const {
  const fs::path file = memory();
  if (file.empty()) return false;
  const auto read = read_file_if_there(file, kTokenFile);
  if (!read) log_info(read.error());
  return read && *read && base::as_text(**read) == codec::to_hex(token) + "\n";
}

void Incarnation::remember(const Hash16& token) const {
  const fs::path file = memory();
  if (file.empty()) return;
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  const auto kept = replace_file(file, base::as_bytes(codec::to_hex(token) + "\n"));
  if (!kept) log_info(kept.error());
}

}  // namespace meshstow::io
