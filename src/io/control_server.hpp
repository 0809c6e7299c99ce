// io/control_server.hpp: the socket where commands find the running `serve` (control_socket.hpp).
//
// Unix stream socket of mode 0600; only the same user (or root) is heard. One command a connection.
// A connection that breaks cancels its command. Threading: the loop thread.
#pragma once

#include <memory>

#include "io/node_host.hpp"

namespace meshstow::io {

class ControlServer {
 public:
  // The home is locked by us, so a socket file that lies there is a leftover and is replaced.
  // `host` outlives the server.
  [[nodiscard]] static HomeResult<std::unique_ptr<ControlServer>> start(NodeHost& host);
  ~ControlServer();  // cancels what runs and removes the socket file

 private:
  struct State;
  explicit ControlServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace meshstow::io
