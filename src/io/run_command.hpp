// io/run_command.hpp: executes a command the way the program does: by the running `serve` of that
// home, else with the store opened here for as long as it takes. Blocking.
#pragma once

#include "io/control_client.hpp"

namespace meshstow::io {

struct OneShotOptions {
  // For commands with `at` when no `serve` runs; nullopt: as the home's config says, without
  // listening.
  std::optional<MeshOptions> mesh;
};

[[nodiscard]] CommandOutcome run_command(const std::filesystem::path& home, const Command& command,
                                         const CommandStreams& streams,
                                         const OneShotOptions& options = {});

}  // namespace meshstow::io
