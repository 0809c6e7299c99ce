#include "reticulum/destination.hpp"

namespace meshstow::reticulum {
namespace {

constexpr Duration kAnswerReused = std::chrono::seconds(1);
constexpr std::uint64_t kLatestAnnounce = (1ULL << 40) - 1;  // what five bytes can say

}  // namespace

LocalDestination::LocalDestination(Identity owner, std::string_view full_name,
                                   DestinationOptions chosen)
    : identity(std::move(owner)),
      name(name_hash(full_name)),
      hash(destination_hash(full_name, identity.hash())),
      options(std::move(chosen)) {}

Result<Bytes> LocalDestination::announce(base::Rng& rng, WallTime now, bool path_response) {
  const auto clock = static_cast<std::uint64_t>(std::max<std::int64_t>(0, base::unix_seconds(now)));
  const std::uint64_t seconds = std::min(std::max(clock, announced_at() + 1), kLatestAnnounce);
  AnnounceFields fields{.name = name,
                        .random = announce_random(rng, seconds),
                        .app_data = app_data,
                        .path_response = path_response};
  if (!options.ratchets.empty()) fields.ratchet = options.ratchets.front().public_key();
  auto packet = make_announce(identity, fields);
  if (packet) last_announce_seconds_ = seconds;
  return packet;
}

Result<Bytes> LocalDestination::path_response(base::Rng& rng, Now now) {
  if (answer_.empty() || now.mono >= answer_made_ + kAnswerReused) {
    auto made = announce(rng, now.wall, true);
    if (!made) return made;
    answer_ = std::move(*made);
    answer_made_ = now.mono;
  }
  return answer_;
}

void LocalDestination::set_app_data(Bytes data) {
  app_data = std::move(data);
  answer_.clear();
}

LocalDestination& LocalDestinations::add(const Identity& identity, std::string_view full_name,
                                         DestinationOptions options) {
  const auto [place, added] = destinations_.try_emplace(
      destination_hash(full_name, identity.hash()), identity, full_name, options);
  if (!added) place->second.options = std::move(options);
  return place->second;
}

LocalDestination* LocalDestinations::find(const DestinationHash& hash) {
  const auto found = destinations_.find(hash);
  return found == destinations_.end() ? nullptr : &found->second;
}

}  // namespace meshstow::reticulum
