#include "io/home.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "base/limits.hpp"
#include "codec/utf8.hpp"
#include "io/acting_owner.hpp"
#include "io/file_system.hpp"
#include "io/home_guard.hpp"
#include "io/home_store.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdentityFile = 64;
constexpr std::size_t kKeyringFile = 1024 * 1024;
constexpr std::chrono::milliseconds kLockPause{20};

fs::path config_file(const fs::path& home) { return home / "config"; }
fs::path owner_file(const fs::path& home) { return home / "identities" / "owner"; }
fs::path device_file(const fs::path& home) { return home / "identities" / "device"; }
fs::path keyring_file(const fs::path& home) { return home / "keyring"; }
fs::path store_file_of(const fs::path& home) { return home / "store.sqlite"; }

// What `create` puts into a home. The identities come last: they are what makes it one.
constexpr std::string_view kParts[] = {"config",           "keyring",           "store.sqlite",
                                       "store.sqlite-wal", "store.sqlite-mark", "incarnation",
                                       "identities"};

HomeResult<reticulum::Identity> read_identity(const fs::path& file) {
  if (auto private_file = check_private(file); !private_file) {
    return tl::unexpected(private_file.error());
  }
  auto bytes = read_file(file, limits::kConfigFile);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->size() != kIdentityFile) {
    return tl::unexpected(
        file.string() + " has " + std::to_string(bytes->size()) +
        " bytes where an identity has 64. It is damaged: put a copy in its place");
  }
  auto identity = reticulum::Identity::from_private_bytes(*bytes);
  crypto::wipe(*bytes);
  if (!identity) return tl::unexpected(file.string() + " holds no identity");
  return std::move(*identity);
}

HomeResult<access::KeyRing> read_keyring(const fs::path& file) {
  if (auto private_file = check_private(file); !private_file) {
    return tl::unexpected(private_file.error());
  }
  auto bytes = read_file(file, kKeyringFile);
  if (!bytes) return tl::unexpected(bytes.error());
  auto keys = access::KeyRing::decode(*bytes);
  crypto::wipe(*bytes);
  if (!keys) {
    return tl::unexpected(
        file.string() + " cannot be read: " + keys.error().detail +
        ". Without it sealed documents cannot be opened: put a copy in its place");
  }
  return std::move(*keys);
}

HomeResult<void> check_name(std::string_view name) {
  const bool plain = codec::is_valid_utf8(name) && name.find('"') == std::string_view::npos &&
                     name.find_first_of("\r\n\t") == std::string_view::npos;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return tl::unexpected(std::string("a name has no control characters"));
    }
  }
  if (!plain || name.size() > limits::kNodeName) {
    return tl::unexpected(
        std::string("a name has at most 64 bytes of UTF-8, without quotation marks"));
  }
  return {};
}

// All files of a new home, in a directory that nobody else knows.
HomeResult<void> fill(const fs::path& directory, std::string_view name, base::Rng& rng) {
  if (auto tried = try_out(directory); !tried) return tried;
  const fs::path identities = directory / "identities";
  if (::mkdir(identities.c_str(), 0700) != 0) {
    return tl::unexpected(file_error("create", identities));
  }
  const auto owner = reticulum::Identity::generate(rng);
  const auto device = reticulum::Identity::generate(rng);
  node::NodeIdentities all{owner, device, {}};
  all.keys.add(owner.hash(), access::SpaceKey::generate(rng));
  Bytes ring = all.keys.encode();
  const std::string config = example_config(name);
  auto done = write_new_file(owner_file(directory), owner.private_bytes().view());
  if (done) done = write_new_file(device_file(directory), device.private_bytes().view());
  if (done) done = write_new_file(keyring_file(directory), ring);
  if (done) done = write_new_file(config_file(directory), base::as_bytes(config));
  crypto::wipe(ring);
  if (!done) return done;
  // Made here with the right mode; SQLite gives its other files the mode of this one.
  if (done = write_new_file(store_file_of(directory), {}); !done) return done;
  if (auto store = open_home_store(store_file_of(directory), all, Settings{}, rng,
                                   /*is_in_the_making=*/true);
      !store) {
    return tl::unexpected(store.error());
  }
  if (done = sync_directory(identities); !done) return done;
  return sync_directory(directory);
}

// Moves the parts of a new home into a directory that is there already.
HomeResult<void> move_parts(const fs::path& from, const fs::path& to) {
  std::error_code error;
  std::vector<fs::path> moved;
  for (const std::string_view part : kParts) {
    if (!fs::exists(from / part, error)) continue;  // SQLite puts its log away when it can
    auto done = move_to_new(from / part, to / part);
    if (!done) {
      const bool there = fs::exists(fs::symlink_status(to / part, error));
      for (const fs::path& back : moved) fs::remove_all(back, error);
      if (there) {
        return tl::unexpected(to.string() + " holds something else under the name \"" +
                              std::string(part) + "\"" +
                              "; nothing was changed. Choose another --home");
      }
      return done;
    }
    moved.push_back(to / part);
  }
  return sync_directory(to);
}

bool is_empty_directory(const fs::path& directory) {
  std::error_code error;
  return fs::is_directory(directory, error) && fs::is_empty(directory, error) && !error;
}

// Removes a directory of ours that did not become a home.
struct Scaffold {
  fs::path path;
  ~Scaffold() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
};

HomeResult<void> create_beside(const fs::path& directory, std::string_view name, base::Rng& rng) {
  const fs::path parent = directory.parent_path();
  auto made = make_temporary_directory(parent / ("." + directory.filename().string() + ".new-"));
  if (!made) return tl::unexpected(made.error());
  Scaffold scaffold{*made};
  if (auto filled = fill(*made, name, rng); !filled) return filled;
  // Takes the place of an empty directory too, and of nothing else.
  if (::rename(made->c_str(), directory.c_str()) != 0) {
    return tl::unexpected(file_error("create", directory));
  }
  scaffold.path.clear();
  return sync_directory(parent);
}

HomeResult<void> create_inside(const fs::path& directory, std::string_view name, base::Rng& rng) {
  auto made = make_temporary_directory(directory / ".new-");
  if (!made) return tl::unexpected(made.error());
  const Scaffold scaffold{*made};
  if (auto filled = fill(*made, name, rng); !filled) return filled;
  return move_parts(*made, directory);
}

std::string pid_in(int descriptor) {
  char text[32] = {};
  const ssize_t count = ::pread(descriptor, text, sizeof text - 1, 0);
  std::string out(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  out.erase(out.find_last_not_of("\n ") + 1);
  const bool number = !out.empty() && out.find_first_not_of("0123456789") == std::string::npos;
  return number ? "process " + out : "another process";
}

}  // namespace

struct Home::State {
  ActingOwner owner;
  fs::path directory;
  node::NodeIdentities identities;
  std::string config;
  Settings settings;
  FileHandle lock;
  bool locked_elsewhere = false;
};

Home::Home(std::unique_ptr<State> state) : state_(std::move(state)) {}
Home::Home(Home&&) noexcept = default;
Home& Home::operator=(Home&&) noexcept = default;
Home::~Home() = default;

fs::path Home::choose(const std::optional<std::string>& flag) {
  if (flag && !flag->empty()) return *flag;
  const char* chosen = std::getenv("MESHSTOW_HOME");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return fs::path(home) / ".meshstow";
  const passwd* user = ::getpwuid(::getuid());
  return fs::path(user != nullptr ? user->pw_dir : ".") / ".meshstow";
}

HomeResult<void> Home::create(const fs::path& given, std::string_view name, base::Rng& rng) {
  if (auto good = check_name(name); !good) return good;
  std::error_code error;
  fs::path directory = fs::absolute(given, error).lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();
  if (exists(directory)) {
    return tl::unexpected(directory.string() + " is already a home; nothing was changed");
  }
  if (!fs::exists(directory, error)) {
    fs::create_directories(directory.parent_path(), error);
    if (error) {
      return tl::unexpected("cannot create " + directory.parent_path().string() + ": " +
                            error.message());
    }
    return create_beside(directory, name, rng);
  }
  const auto owner = ActingOwner::of(directory);
  if (!owner) return tl::unexpected(owner.error());
  // An empty one is for the home alone.
  if (is_empty_directory(directory)) (void)!::chmod(directory.c_str(), 0700);
  if (auto checked = check_directory(directory); !checked) return checked;
  // A mount point, or one in a parent that is not ours, cannot be replaced, but can be filled.
  if (is_empty_directory(directory) && create_beside(directory, name, rng)) return {};
  return create_inside(directory, name, rng);
}

bool Home::exists(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(directory / "identities", ignored));
}

HomeResult<Home> Home::open(const fs::path& given) {
  std::error_code error;
  const fs::path directory = fs::absolute(given, error).lexically_normal();
  auto acting = ActingOwner::of(directory);
  if (!acting) return tl::unexpected(acting.error());
  if (::faccessat(AT_FDCWD, directory.c_str(), X_OK, AT_EACCESS) != 0 && errno == EACCES) {
    return tl::unexpected(file_error("open", directory));
  }
  if (!exists(directory)) {
    return tl::unexpected("there is no home in " + directory.string() +
                          " yet; make one with `meshstow init`");
  }
  if (auto checked = check_home(directory); !checked) return tl::unexpected(checked.error());
  auto owner = read_identity(owner_file(directory));
  if (!owner) return tl::unexpected(owner.error());
  auto device = read_identity(device_file(directory));
  if (!device) return tl::unexpected(device.error());
  auto keys = read_keyring(keyring_file(directory));
  if (!keys) return tl::unexpected(keys.error());
  if (keys->current(owner->hash()) == nullptr) {
    return tl::unexpected(keyring_file(directory).string() +
                          " has no key of this home's owner; is it from another home?");
  }
  auto config = read_file(config_file(directory), limits::kConfigFile);
  if (!config) return tl::unexpected(config.error());
  auto settings = read_settings(base::as_text(*config));
  if (!settings) {
    return tl::unexpected(config_file(directory).string() + ", " + settings.error());
  }
  return Home(
      std::make_unique<State>(State{std::move(*acting),
                                    directory,
                                    {std::move(*owner), std::move(*device), std::move(*keys)},
                                    base::to_string(*config),
                                    std::move(*settings),
                                    {}}));
}

HomeResult<void> Home::lock(std::chrono::milliseconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto locked = try_to_lock();
    if (locked || !state_->locked_elsewhere || std::chrono::steady_clock::now() >= give_up) {
      return locked;
    }
    std::this_thread::sleep_for(kLockPause);
  }
}

HomeResult<void> Home::try_to_lock() {
  state_->locked_elsewhere = false;
  const fs::path path = state_->directory / "lock";
  constexpr int kPlain = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;  // no link, no pipe
  FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | kPlain, 0600));
  const bool read_only = !file && errno == EROFS;
  if (read_only) file = FileHandle(::open(path.c_str(), O_RDONLY | kPlain));
  if (read_only && !file && errno == ENOENT) return {};  // nobody has ever written here
  if (!file) return tl::unexpected(file_error("write in the home:", path));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return tl::unexpected(file_error("lock", path));
    state_->locked_elsewhere = true;
    return tl::unexpected(pid_in(file.get()) + " is using the home " + state_->directory.string());
  }
  if (read_only) {
    state_->lock = std::move(file);
    return {};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0 ||
      ::pwrite(file.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return tl::unexpected(file_error("write", path));
  }
  state_->lock = std::move(file);
  return {};
}

bool Home::is_locked_elsewhere() const { return state_->locked_elsewhere; }
const fs::path& Home::directory() const { return state_->directory; }
fs::path Home::store_file() const { return store_file_of(state_->directory); }
fs::path Home::known_file() const { return state_->directory / "known_destinations"; }
const node::NodeIdentities& Home::identities() const { return state_->identities; }
std::string Home::config_text() const { return state_->config; }
const Settings& Home::settings() const { return state_->settings; }

reticulum::DestinationHash Home::destination() const {
  return reticulum::destination_hash(node::kDestinationName, state_->identities.device.hash());
}

}  // namespace meshstow::io
