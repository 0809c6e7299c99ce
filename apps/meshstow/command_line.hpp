// apps/meshstow/command_line.hpp: the flags, as values. The only header that CLI11 stands behind.
// Source: design.md 4.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/commands.hpp"
#include "io/log.hpp"

namespace meshstow::app {

inline constexpr int kOk = 0, kFailed = 1, kUsage = 2;

struct ServeFlags {  // absent: as the home's config says
  std::optional<std::string> http, https, public_url;
  std::string certificate, key;  // with https
  std::vector<std::string> tcp_listen, tcp_connect;
  std::optional<std::string> reticulum;
};

struct Invocation {
  std::string program;  // as it was called
  std::optional<std::string> home;
  bool json = false;
  io::LogLevel log_level = io::LogLevel::warning;
  io::Command command;  // `verb` also "init" and "serve"
  std::string
      file;  // put: to read; get: to write; restore-backup; empty or "-": the standard stream
  std::string name;  // init
  bool remove_passphrase = false;
  ServeFlags serve;
  bool replaces = false, takes_damaged = false;  // restore-backup
};

// An exit code where nothing is left to do: help, version, a usage error (already reported).
[[nodiscard]] tl::expected<Invocation, int> read_command_line(int argc, char** argv);

}  // namespace meshstow::app
