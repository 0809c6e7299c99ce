// io/interfaces.hpp: the Reticulum interfaces of a node: TCP, and the local shared instance.
//
// What is opened here has a handle; every connection of it is one interface of the node. Whole
// packets go in and out; HDLC framing is done here. A peer that reads slowly loses packets
// (limits::kInterfaceSendQueue) and delays nobody. Connections out are made again for ever.
// Threading: the thread that runs `loop`. Source: facts/reticulum.md 12.1, 12.2, 13.
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
// "LocalInterface[rns/default]", as rnstatus shows it.
std::string to_text(const SharedInstance& instance);

struct InterfaceSink {  // called on the loop, never from inside a call of Interfaces but close()
  std::function<void(reticulum::InterfaceId, reticulum::InterfaceInfo)> up;
  std::function<void(reticulum::InterfaceId)> down;
  std::function<void(reticulum::InterfaceId, ByteView packet)> packet;
};

struct InstanceHooks {            // may call close(), but not for the instance itself
  std::function<void()> missing;  // after each look that found none
  std::function<void()> joined;   // before its interface is up
  std::function<void()> lost;     // after its interface is down
};

struct InterfaceStatus {
  std::string name;
  bool up = false;
  std::string why_down;  // empty: not known yet
  std::size_t peers = 0;
  // Of every connection since it was opened.
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint64_t packets_dropped = 0;  // send queue full, or frames that were none
};

struct InterfaceTiming {
  Duration tcp_reconnect = std::chrono::seconds(5);     // and before a taken port is tried again
  Duration shared_reconnect = std::chrono::seconds(2);  // looks for an instance so often
  Duration connect_timeout = std::chrono::seconds(10);
};

using InterfaceHandle = std::uint32_t;  // never reused

class Interfaces {
 public:
  Interfaces(boost::asio::io_context& loop, InterfaceSink sink, InterfaceTiming timing = {});
  ~Interfaces();
  Interfaces(const Interfaces&) = delete;
  Interfaces& operator=(const Interfaces&) = delete;

  // Binds at once and gives the address that it got; accepts from start() on. The error is for
  // people.
  [[nodiscard]] tl::expected<Address, std::string> listen(InterfaceConfig config);
  // Listens or connects, as configured. What does not work is named in the log, and tried again
  // until it does: a port that is taken, a peer that is away.
  InterfaceHandle open(InterfaceConfig config);
  // Looks for the instance from start() on, again whenever it is not there or went.
  InterfaceHandle join_shared(const SharedInstance& instance, InstanceHooks hooks);
  void start();
  // Closes it and its connections at once; one that is gone already: nothing happens.
  void close(InterfaceHandle handle);

  // Beyond the queue's limit, or to an interface that is gone: dropped.
  void send(reticulum::InterfaceId to, ByteView packet);
  [[nodiscard]] std::vector<InterfaceStatus> status() const;  // as opened
  [[nodiscard]] std::vector<Address> listening() const;       // as bound, in that order
  [[nodiscard]] std::size_t up_count() const;                 // connections
  [[nodiscard]] bool has_any() const;                         // is anything open or trying to be
  // Stops accepting and connecting; closes each connection once its queue is sent, or after
  // `patience`.
  void close_all(Duration patience, std::function<void()> done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshstow::io
