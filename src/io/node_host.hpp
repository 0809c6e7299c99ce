// io/node_host.hpp: one running node: the loop thread's graph of node, disk thread, interfaces.
//
// Threading: everything runs on the thread that runs `loop`; callbacks never run from inside the
// call that they belong to. `serve`, one-shot commands, the examples and the HTTP server all stand
// on this.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/care_jobs.hpp"
#include "io/disk_thread.hpp"
#include "io/home.hpp"
#include "io/mesh_network.hpp"
#include "node/storage_node.hpp"

namespace meshstow::io {

// Follows one client operation. Every member may be empty; `done` is called exactly once.
struct OperationHooks {
  std::function<void(std::uint64_t offset, std::size_t size, std::function<void(ByteView)>)>
      body_wanted;
  std::function<void(const protocol::StorageResponse&)> answer;
  std::function<void(ByteView)> body;
  // In place of `body`: the next piece comes after the function given was called.
  std::function<void(Bytes, std::function<void()>)> paced_body = {};
  std::function<void(const node::OperationProgress&)> progress;
  std::function<void(tl::expected<void, node::OperationFailed>)> done;
};

class HttpServer;

class NodeHost {
 public:
  // Opens the store of `home`, which outlives the host and is locked by the caller. The error is
  // for people. join() or start_offline() must follow before anything else is called.
  [[nodiscard]] static HomeResult<std::unique_ptr<NodeHost>> open(boost::asio::io_context& loop,
                                                                  Home& home);
  // Finishes queued writes. Close links politely with close() first.
  ~NodeHost();

  using Ready = std::function<void(tl::expected<void, std::string>)>;
  // Brings interfaces up and initialises the node; `ready` once it accepts work and it is known
  // what network there is. The error text of a port in use and the like goes to `ready`.
  void join(const MeshOptions& options, Ready ready);
  // The node without any interface (commands that only touch the store).
  void start_offline(Ready ready);
  // Closes links, saves what was heard, finishes queued writes and sends what is queued; at most
  // about a second when peers do not read. Nothing else may be called but the destructor.
  void close(std::function<void()> done);

  [[nodiscard]] Now now() const;
  // Executes a store operation; a write also tells the node and `on_change` listeners.
  void store(storage::Operation operation, DiskThread::Completion done);
  [[nodiscard]] std::size_t store_queue() const;  // bytes that wait for the disk
  // An upload id for store() that nobody else uses.
  [[nodiscard]] storage::UploadId new_upload();
  [[nodiscard]] CareJobs& care();  // checks, copies and compacts the store
  node::OperationId start(node::ClientRequest request, OperationHooks hooks);
  void cancel(node::OperationId operation);  // `done` hears Errc::unavailable
  [[nodiscard]] node::StorageNode& node();
  // After a call into node() that took `now`: what it wants sent or stored is seen to.
  void wake();

  // Called after every durable change of a document, whoever made it. Returns a number for
  // remove_listener.
  using ChangeListener = std::function<void(const node::DocumentChanged&)>;
  int add_change_listener(ChangeListener listener);
  void remove_listener(int number);

  // The server of this node, for commands; nullptr: none runs.
  void set_http_server(HttpServer* server);
  [[nodiscard]] HttpServer* http_server() const;
  [[nodiscard]] const Home& home() const;
  [[nodiscard]] boost::asio::io_context& loop();
  void post(std::function<void()> call);  // in a later turn of the loop
  [[nodiscard]] base::Rng& rng();
  [[nodiscard]] std::vector<Address> listening() const;  // as bound: tcp_listen first, in order
  [[nodiscard]] NetworkStatus network() const;
  // True once an interface is up; false if none is after `patience`, or none is even configured.
  void when_connected(Duration patience, std::function<void(bool)> done);

 private:
  struct State;
  explicit NodeHost(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace meshstow::io
