// io/node_host.hpp: one running node: the loop thread's graph of node, disk thread, interfaces.
//
// Threading: everything runs on the thread that runs `loop`. `serve`, one-shot commands, the examples and
// the HTTP server all stand on this.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/disk_thread.hpp"
#include "io/home.hpp"
#include "node/storage_node.hpp"

namespace meshstow::io {

struct Address { std::string host; std::uint16_t port = 0; };
[[nodiscard]] Result<Address> parse_address(std::string_view host_and_port);

struct MeshOptions {
  std::vector<Address> tcp_listen;
  std::vector<Address> tcp_connect;
  // "off", a config directory, or empty: found as RNS finds it.
  std::string reticulum;
  bool announces = true;
};

// Follows one client operation. Every member may be empty; `done` is called exactly once.
struct OperationHooks {
  std::function<void(std::uint64_t offset, std::size_t size, std::function<void(ByteView)>)> body_wanted;
  std::function<void(const protocol::StorageResponse&)> answer;
  std::function<void(ByteView)> body;
  std::function<void(const node::OperationProgress&)> progress;
  std::function<void(tl::expected<void, node::OperationFailed>)> done;
};

class NodeHost {
 public:
  // Opens the store of `home` (which is locked by the caller) and makes the node. Not yet on the mesh.
  [[nodiscard]] static Result<std::unique_ptr<NodeHost>> open(boost::asio::io_context& loop, Home& home);
  ~NodeHost();

  // Brings interfaces up and initialises the node; `ready` once it accepts work.
  // The error text of a port in use and the like goes to `ready`.
  void join(const MeshOptions& options, std::function<void(tl::expected<void, std::string>)> ready);
  // The node without any interface (commands that only touch the store).
  void start_offline(std::function<void(tl::expected<void, std::string>)> ready);

  [[nodiscard]] Now now() const;
  // Executes a store operation; a write also tells the node and `on_change` listeners.
  void store(storage::Operation operation, DiskThread::Completion done);
  node::OperationId start(node::ClientRequest request, OperationHooks hooks);
  void cancel(node::OperationId operation);
  [[nodiscard]] node::StorageNode& node();
  // Called after every durable change of a document, whoever made it. Returns a number for remove_listener.
  using ChangeListener = std::function<void(const node::DocumentChanged&)>;
  int add_change_listener(ChangeListener listener);
  void remove_listener(int number);

 private:
  struct State;
  explicit NodeHost(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::io
