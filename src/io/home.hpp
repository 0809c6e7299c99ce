// io/home.hpp: the home directory of a node: what lies where, who may use it, its lock.
//
//   config                     ini, the user's (never edited by us after `init`), see settings.hpp
//   identities/owner, device   64 private bytes each, mode 0600
//   keyring                    space keys (docs/PROTOCOL.md), mode 0600
//   store.sqlite (-wal, -mark), incarnation   documents (docs/FORMAT.md)
//   known_destinations         cache of announces heard
//   control.sock, control.path where commands find a running `serve`, see control_socket.hpp
//   lock                       flock: one process opens the store
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "io/settings.hpp"
#include "node/storage_node.hpp"

namespace meshstow::io {

// What went wrong, in words for the person: what it was, and what to do.
using HomeError = std::string;
template <class T>
using HomeResult = tl::expected<T, HomeError>;

class Home {
 public:
  // --home, else $MESHSTOW_HOME, else ~/.meshstow.
  [[nodiscard]] static std::filesystem::path choose(const std::optional<std::string>& flag);
  // Makes identities, config and an empty store. Refuses if there is one. All or nothing.
  [[nodiscard]] static HomeResult<void> create(const std::filesystem::path& directory,
                                               std::string_view name, base::Rng& rng);
  [[nodiscard]] static bool exists(const std::filesystem::path& directory);
  // Reads identities, keys and config. Does not lock. Refuses a home where others get at the keys.
  // Root works as the owner of the home as long as the object is there: the whole process.
  [[nodiscard]] static HomeResult<Home> open(const std::filesystem::path& directory);
  // Held until the object goes. Refuses when another process holds it; `patience`: only if it still
  // does then. (The system takes its time to end a process that was killed.)
  [[nodiscard]] HomeResult<void> lock(std::chrono::milliseconds patience = {});
  [[nodiscard]] bool is_locked_elsewhere() const;  // after lock() failed: was that why?

  [[nodiscard]] const std::filesystem::path& directory() const;
  [[nodiscard]] std::filesystem::path store_file() const;
  [[nodiscard]] const node::NodeIdentities& identities() const;
  [[nodiscard]] reticulum::DestinationHash destination() const;
  [[nodiscard]] std::string config_text() const;
  [[nodiscard]] const Settings& settings() const;
  [[nodiscard]] std::filesystem::path known_file() const;  // see known_file.hpp

  Home(Home&&) noexcept;
  Home& operator=(Home&&) noexcept;
  ~Home();

 private:
  [[nodiscard]] HomeResult<void> try_to_lock();
  struct State;
  explicit Home(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::io
