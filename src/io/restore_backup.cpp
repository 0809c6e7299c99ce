#include "io/restore_backup.hpp"

#include <boost/json.hpp>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "io/carried_rights.hpp"
#include "io/file_system.hpp"
#include "io/held_signals.hpp"
#include "io/home_store.hpp"
#include "io/os_rng.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::uint64_t kTellEvery = 16 * 1024 * 1024;  // bytes
constexpr std::size_t kDamagesNamed = 10;
constexpr const char* kOlderState =
    "Apps that connect from now on take this older state for the truth, and drop what they hold "
    "that is newer. Where an app or a device holds something that was stored after the backup, "
    "save it from there before you start serve.";
constexpr const char* kStopped = "stopped, and nothing was changed";
constexpr const char* kStoreParts[] = {"", "-wal", "-mark"};

// The check tells paths as far as it knows them, so some without their beginning.
std::string whole_path(const std::string& path) {
  return path.starts_with('/') ? path : "/" + path;
}

json::array damages_json(const storage::CheckReport& report) {
  json::array out;
  for (const storage::Damage& each : report.damages) {
    out.push_back({{"path", each.path.empty() ? "" : whole_path(each.path)}, {"what", each.what}});
  }
  return out;
}

struct WorkFolder {
  fs::path path;
  ~WorkFolder() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
};

class Restoration {
 public:
  Restoration(Home& home, const RestoreOptions& options) : home_(home), options_(options) {}

  tl::expected<json::object, std::string> run() {
    const fs::path prefix = home_.directory() / ".restore-";
    remove_leftovers(prefix);
    if (auto opened = open_source(); !opened) return tl::unexpected(opened.error());
    if (auto free = check_place(); !free) return tl::unexpected(free.error());
    auto made = make_temporary_directory(prefix);
    if (!made) return tl::unexpected(made.error());
    const WorkFolder folder{*made};
    const fs::path copy = folder.path / "store.sqlite";
    if (auto copied = copy_file(copy); !copied) return tl::unexpected(copied.error());
    auto proved = prove(copy);
    if (!proved) return tl::unexpected(proved.error());
    if (auto moved = put_in_place(folder.path); !moved) return tl::unexpected(moved.error());
    return json::object{{"file", options_.file.string()},
                        {"documents", proved->documents},
                        {"versions", proved->versions},
                        {"bytes", proved->bytes},
                        {"kept", kept_.empty() ? json::value() : json::value(kept_.string())},
                        {"warning", kOlderState},
                        {"found", proved->found},
                        {"damages", damages_json(*proved)},
                        {"carried", carried_json()}};
  }

 private:
  void tell(const char* stage, std::uint64_t done, std::uint64_t total) const {
    if (!options_.progress) return;
    options_.progress(
        json::serialize(json::object{{"stage", stage}, {"done", done}, {"total", total}}));
  }

  [[nodiscard]] json::object carried_json() const {
    return {{"revocations", carried_.revocations},
            {"tokens", carried_.tokens},
            {"passphrase", carried_.has_passphrase},
            {"lost", carried_.lost.empty() ? json::value() : json::value(carried_.lost)}};
  }

  [[nodiscard]] bool has_store() const {
    std::error_code error;
    return fs::exists(home_.store_file(), error) && fs::file_size(home_.store_file(), error) > 0;
  }

  // What a restoration left that was killed: it held the lock of the home, as this one does.
  static void remove_leftovers(const fs::path& prefix) {
    std::error_code ignored;
    for (const fs::path& left : made_of_template(prefix)) {
      if (fs::is_directory(fs::symlink_status(left, ignored))) fs::remove_all(left, ignored);
    }
  }

  FileResult<void> open_source() {
    auto opened = open_regular_file(options_.file);
    if (!opened) return tl::unexpected(opened.error());
    source_ = std::move(*opened);
    return {};
  }

  FileResult<void> check_place() {
    if (options_.replaces || !has_store()) return {};
    const std::string advice = "; with --replace it is kept under another name";
    auto store = open_home_store(home_.store_file(), home_.identities(), home_.settings(), rng_);
    if (!store) return tl::unexpected(store.error() + advice);
    auto reader = (*store)->make_reader();
    if (!reader) return tl::unexpected(std::string(reader.error().detail) + advice);
    const auto reply = (*reader)->execute({1, storage::ReadUsage{}});
    const auto* usage = reply.outcome ? std::get_if<storage::Usage>(&*reply.outcome) : nullptr;
    if (usage != nullptr && usage->documents == 0 && usage->history_bytes == 0) return {};
    return tl::unexpected("the home " + home_.directory().string() + " has a store with documents" +
                          advice);
  }

  FileResult<void> copy_file(const fs::path& to) const {
    const FileHandle out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!out) return tl::unexpected(file_error("create", to));
    std::error_code error;
    const auto total = fs::file_size(options_.file, error);
    Bytes buffer(limits::kBodyPiece);
    for (std::uint64_t done = 0;;) {
      const ssize_t count = ::read(source_.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return tl::unexpected(file_error("read", options_.file));
      if (count == 0) break;
      if (is_told_to_end()) return tl::unexpected(std::string(kStopped));
      if (::write(out.get(), buffer.data(), static_cast<std::size_t>(count)) != count) {
        return tl::unexpected(file_error("write", to));
      }
      done += static_cast<std::uint64_t>(count);
      if (done % kTellEvery < buffer.size()) {
        tell("copying", done, error ? 0 : total);
      }
    }
    if (::fsync(out.get()) != 0) return tl::unexpected(file_error("write", to));
    return {};
  }

  // Opening it starts its new log; the check then looks at all of it. What was revoked since is
  // written into it before it takes its place.
  tl::expected<storage::CheckReport, std::string> prove(const fs::path& copy) {
    std::error_code error;
    if (fs::file_size(copy, error) == 0) {
      return tl::unexpected(options_.file.string() + " is empty");
    }
    auto store = open_home_store(copy, home_.identities(), home_.settings(), rng_,
                                 /*is_in_the_making=*/true);
    if (!store) {
      return tl::unexpected(options_.file.string() +
                            " is no copy of a store of this home's owner, or is damaged (" +
                            store.error() + ")");
    }
    auto reader = (*store)->make_reader();
    if (!reader) return tl::unexpected(std::string(reader.error().detail));
    auto report = (*reader)->check([this](auto done, auto total) {
      tell("checking", done, total);
      return !is_told_to_end();
    });
    if (report.stopped) return tl::unexpected(std::string(kStopped));
    if (!report.whole() && !options_.takes_damaged) return tl::unexpected(damage_text(report));
    reader->reset();
    auto carried = carry_rights(home_, **store, rng_);
    if (!carried) return tl::unexpected(carried.error() + "; nothing was changed");
    carried_ = std::move(*carried);
    return report;
  }

  [[nodiscard]] std::string damage_text(const storage::CheckReport& report) const {
    std::string out = options_.file.string() + " is damaged, and nothing was changed:";
    for (std::size_t i = 0; i < report.damages.size() && i < kDamagesNamed; ++i) {
      const storage::Damage& each = report.damages[i];
      out += (i == 0 ? " " : "; ") + each.what +
             (each.path.empty() ? "" : " (" + whole_path(each.path) + ")");
    }
    if (report.found > kDamagesNamed) {
      out += "; and " + std::to_string(report.found - kDamagesNamed) + " more";
    }
    return out + ". With --damaged it is restored without that";
  }

  // A moment without a store is said as such by whoever opens the home then. A log without its
  // store would be taken for the new one's.
  FileResult<void> put_in_place(const fs::path& from) {
    const fs::path place = home_.store_file();
    if (options_.replaces && has_store()) {
      kept_ = free_name(place.string() + ".replaced");
    }
    std::error_code error;
    for (const char* part : kStoreParts) {
      const fs::path old = place.string() + part;
      if (!fs::exists(old, error)) continue;
      if (kept_.empty()) {
        fs::remove(old, error);
      } else if (auto moved = move_to_new(old, kept_.string() + part); !moved) {
        return moved;
      }
    }
    for (const char* part : kStoreParts) {
      const fs::path made = from / (std::string("store.sqlite") + part);
      if (!fs::exists(made, error)) continue;
      if (auto moved = move_to_new(made, place.string() + part); !moved) return moved;
    }
    const fs::path token = from / "incarnation";
    if (::rename(token.c_str(), (home_.directory() / "incarnation").c_str()) != 0) {
      return tl::unexpected(file_error("replace", home_.directory() / "incarnation"));
    }
    return sync_directory(home_.directory());
  }

  static fs::path free_name(const std::string& wanted) {
    std::error_code error;
    fs::path out = wanted;
    for (int i = 2; fs::exists(out, error); ++i) out = wanted + "-" + std::to_string(i);
    return out;
  }

  Home& home_;
  const RestoreOptions& options_;
  OsRng rng_;
  FileHandle source_;
  fs::path kept_;
  CarriedRights carried_;
};

}  // namespace

CommandOutcome restore_backup(const fs::path& directory, const RestoreOptions& options) {
  auto home = Home::open(directory);
  if (!home) return command_failed(home.error());
  if (auto locked = home->lock(); !locked) {
    return command_failed(locked.error() + "; stop it first");
  }
  const HeldSignals held;
  const auto result = Restoration(*home, options).run();
  if (!result) return command_failed(result.error());
  return {true, json::serialize(*result)};
}

}  // namespace meshstow::io
