// io/interfaces.hpp: the Reticulum interfaces of a node: TCP, and the local shared instance.
//
// Every connection is one interface. Whole packets go in and out; HDLC framing is done here. A peer
// that reads slowly loses packets (limits::kInterfaceSendQueue) and delays nobody. Connections out
// are made again for ever. Threading: the thread that runs `loop`. Source:
// facts/reticulum.md 12.1, 12.2, 13.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "io/mesh_options.hpp"
#include "reticulum/endpoint.hpp"

namespace boost::asio {
class io_context;
}

namespace meshstow::io {

// Where a shared RNS instance listens.
struct SharedInstance {
  std::string name = "default";  // abstract unix socket "\0rns/<name>"
  bool tcp = false;              // else 127.0.0.1:port
  std::uint16_t port = 37428;
};

struct InterfaceSink {  // called on the loop, never from inside a call of Interfaces
  std::function<void(reticulum::InterfaceId, reticulum::InterfaceInfo)> up;
  std::function<void(reticulum::InterfaceId)> down;
  std::function<void(reticulum::InterfaceId, ByteView packet)> packet;
};

struct InterfaceStatus {
  std::string name;
  bool up = false;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint64_t packets_dropped = 0;  // send queue full, or frames that were none
};

struct InterfaceTiming {
  Duration tcp_reconnect = std::chrono::seconds(5);
  Duration shared_reconnect = std::chrono::seconds(8);
  Duration connect_timeout = std::chrono::seconds(10);
};

class Interfaces {
 public:
  Interfaces(boost::asio::io_context& loop, InterfaceSink sink, InterfaceTiming timing = {});
  ~Interfaces();
  Interfaces(const Interfaces&) = delete;
  Interfaces& operator=(const Interfaces&) = delete;

  // Binds at once and gives the address that it got; accepts from start() on. The error is for
  // people.
  [[nodiscard]] tl::expected<Address, std::string> listen(const Address& address, std::string name);
  void connect(const Address& address, std::string name);
  void join_shared(const SharedInstance& instance);
  void start();

  // Beyond the queue's limit, or to an interface that is gone: dropped.
  void send(reticulum::InterfaceId to, ByteView packet);
  [[nodiscard]] std::vector<InterfaceStatus> status() const;
  [[nodiscard]] std::size_t up_count() const;
  [[nodiscard]] bool has_any() const;  // is anything open or trying to be
  // Stops accepting and connecting; closes each connection once its queue is sent, or after
  // `patience`.
  void close(Duration patience, std::function<void()> done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Is there a shared instance to join right now?
[[nodiscard]] bool shared_instance_runs(const SharedInstance& instance);

}  // namespace meshstow::io
