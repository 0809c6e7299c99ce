// io/home_store.hpp: opens the store that lies in a home. Internal to io.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/settings.hpp"
#include "node/storage_node.hpp"

namespace meshstow::io {

// Makes the space if the file is new or empty. `rng` outlives the store. The error is for people.
// `is_in_the_making`: it does not lie where it will: a backup or a new home, which then starts a
// log of its own.
[[nodiscard]] tl::expected<std::unique_ptr<storage::RemoteStorage>, std::string> open_home_store(
    const std::filesystem::path& file, const node::NodeIdentities& identities,
    const Settings& settings, base::Rng& rng, bool is_in_the_making = false);

}  // namespace meshstow::io
