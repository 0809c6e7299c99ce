// reticulum/destination.hpp: the destinations of this endpoint, and their announces.
// Source: facts/reticulum.md 2, 4, 10.1.7.
#pragma once

#include <algorithm>
#include <map>

#include "reticulum/announce.hpp"
#include "reticulum/endpoint.hpp"

namespace meshstow::reticulum {

struct LocalDestination {
  LocalDestination(Identity owner, std::string_view full_name, DestinationOptions chosen);

  Identity identity;
  Hash10 name;
  DestinationHash hash;
  DestinationOptions options;
  Bytes app_data;

  // A fresh announce, later than every one before whatever the clock says (over restarts by
  // DestinationOptions::announced_before). Errc::limit: too much app_data.
  [[nodiscard]] Result<Bytes> announce(base::Rng& rng, WallTime now, bool path_response);
  // An announce with context 0B. Askers within one second get the same one: each costs a signature,
  // and would push the announce time further ahead.
  [[nodiscard]] Result<Bytes> path_response(base::Rng& rng, Now now);
  void set_app_data(Bytes data);
  [[nodiscard]] std::uint64_t announced_at() const {
    return std::max(last_announce_seconds_, options.announced_before);
  }

 private:
  std::uint64_t last_announce_seconds_ = 0;
  Bytes answer_;
  TimePoint answer_made_{};
};

class LocalDestinations {
 public:
  LocalDestination& add(const Identity& identity, std::string_view full_name,
                        DestinationOptions options);
  [[nodiscard]] LocalDestination* find(const DestinationHash& hash);
  [[nodiscard]] std::map<DestinationHash, LocalDestination>& all() { return destinations_; }

 private:
  std::map<DestinationHash, LocalDestination> destinations_;  // never shrinks: links point into it
};

}  // namespace meshstow::reticulum
