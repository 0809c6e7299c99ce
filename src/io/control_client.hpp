// io/control_client.hpp: asks a running `serve` to execute a command. Blocking; any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "io/commands.hpp"

namespace meshstow::io {

// The person's side of a command. `read` and `write` block; `head` and `progress` may be empty.
struct CommandStreams {
  std::function<tl::expected<std::size_t, std::string>(MutableByteView)> read;  // 0: the end
  std::function<tl::expected<void, std::string>(ByteView)> write;
  std::function<void(const std::string& json)> head;
  std::function<void(const std::string& json)> progress;
};

// nullopt: nobody listens at that home. A body written is whole only if the outcome is ok.
[[nodiscard]] std::optional<CommandOutcome> run_by_control(const std::filesystem::path& home,
                                                           const Command& command,
                                                           const CommandStreams& streams);

}  // namespace meshstow::io
