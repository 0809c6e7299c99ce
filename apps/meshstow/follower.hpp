// apps/meshstow/follower.hpp: shows how far a command is, in words, while it runs.
#pragma once

#include <optional>

#include "command_line.hpp"
#include "waiting_line.hpp"

namespace meshstow::app {

// Follows what the node tells (a transfer over the mesh, a long check), or counts bytes by itself.
class Follower {
 public:
  // `size`: of the body that is stored, where it is known.
  explicit Follower(const Invocation& invocation, std::optional<std::uint64_t> size = {});

  void told(const std::string& progress);  // the JSON of CommandStreams::progress
  void head(const std::string& head);      // the JSON of CommandStreams::head
  void moved(std::string_view stage, std::size_t bytes);

  // While the person types, or reads what comes.
  void hide() { line_.hide(); }
  void show() { line_.show(); }

 private:
  WaitingLine line_;
  bool is_remote_;
  std::uint64_t done_ = 0, total_;
};

// Runs it where nothing but its result is of interest.
[[nodiscard]] io::CommandOutcome run_and_follow(const Invocation& invocation,
                                                const io::Command& command);

}  // namespace meshstow::app
