// io/commands.hpp: the commands of the program, executed against a running node.
//
// The same code serves the control socket of `serve` and a process that opened the store itself.
// Threading: the loop thread. Results and errors are JSON objects, as `--json` prints them:
//
//   put     {"path","etag","version","created"}
//   get     head, then the body
//   stat    {"path","etag","content_type","size","version","modified"}
//           of a folder: {"path","etag","folder"}
//   ls      {"path","etag","items":[ITEM],"next"}
//           ITEM: {"name","folder","etag","content_type","size","modified"}
//           of a document here: that one item, and its path without / at the end
//   rm      {"path","etag"}
//   id      {"owner","device","destination","name"}
//   status, peers
//   token create {"token","id"}   token list {"tokens":[…]}   token revoke {"id","known"}
//   errors  a storage_error {"type","code","message","path","timestamp","status"}; code "" where
//           none of the five fits
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/node_host.hpp"

namespace meshstow::io {

inline constexpr Duration kLongestWait = std::chrono::hours(24);

struct Command {
  // put get rm ls stat id status peers "token create" "token list" "token revoke", and those of
  // http_commands.hpp and care_commands.hpp
  std::string verb;
  std::string path;
  std::string at;                       // empty: this node; else see find_node()
  std::string token;                    // with `at`
  std::optional<Duration> wait;         // with `at`: without any progress; absent: usual bounds
  std::string content_type;             // put; empty: application/octet-stream
  std::string if_match, if_none_match;  // put, rm, get
  std::string version;                  // get, stat, restore: a unique beginning of one
  std::optional<std::uint64_t> size;    // put: of the body, where it is known beforehand
  std::string after;                    // ls: "next" of the page before
  std::size_t limit = 0;                // ls: items; 0: all
  std::vector<std::string> scopes;      // token create
  std::string holder;         // token create: see find_identity(); empty for a bearer token
  std::string expires;        // token create: 90s, 15m, 24h, 30d; empty: never
  std::string label = "cli";  // token create
  std::string token_id;       // token revoke: a unique beginning of one
  std::string app;            // apps add (empty: after the path), apps remove
  std::string passphrase;     // passphrase; empty: none any more
  std::string module;         // quota, history-policy; empty: the space
  std::string setting;        // quota, history-policy; empty: only show it
  std::string file;           // backup: absolute

  [[nodiscard]] bool has_body() const { return verb == "put"; }
};
std::string encode_command(const Command& command);
[[nodiscard]] Result<Command> decode_command(std::string_view json);

struct CommandOutcome {
  bool ok = false;
  std::string json;  // the result, or the error

  [[nodiscard]] int exit_code() const;  // 0; 1; 11 to 15 for STORE001 to STORE005
};
CommandOutcome command_failed(std::string_view message);
CommandOutcome command_failed(protocol::StoreCode code, int status, std::string_view message,
                              std::string_view path);

// What a command reads and writes. All are set; none is called after `done`.
struct CommandChannel {
  using Piece = tl::expected<Bytes, std::string>;  // empty bytes: the end
  std::function<void(std::function<void(Piece)>)> read_body;
  std::function<void(Bytes, std::function<void()> taken)> write_body;
  std::function<void(const std::string& json)> head;      // get: before the body
  std::function<void(const std::string& json)> progress;  // {"stage","done","total"}
  std::function<void(CommandOutcome)> done;               // exactly once
};

// Starts it; the returned object may go at any time, which cancels it without a `done`.
// With `at`, a body read over a bad connection is proved genuine only by an ok outcome.
class CommandRun {
 public:
  virtual ~CommandRun() = default;
};
[[nodiscard]] std::unique_ptr<CommandRun> start_command(NodeHost& host, Command command,
                                                        CommandChannel channel);

// NODE of `--at`: a destination hash, a name of [peers] in the config, or a unique beginning of the
// hash of a node that was heard. Hashes as codec/hash_text.hpp reads them.
[[nodiscard]] tl::expected<reticulum::DestinationHash, std::string> find_node(
    NodeHost& host, std::string_view text);
// IDENTITY of `--for`: likewise, of a person or device. A node stands for its device.
[[nodiscard]] tl::expected<Hash16, std::string> find_identity(NodeHost& host,
                                                              std::string_view text);

}  // namespace meshstow::io
