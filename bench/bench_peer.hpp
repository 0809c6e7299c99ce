// bench/bench_peer.hpp: a Reticulum endpoint over TCP, driven step by step: what rns_peer.py is on
// the other side of the benchmarks. Threading: one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>

#include "io/clock.hpp"
#include "io/interfaces.hpp"
#include "io/os_rng.hpp"
#include "reticulum/endpoint.hpp"

namespace meshstow::bench {

class BenchPeer {
 public:
  // `on_event` hears every event; it may call into endpoint().
  using Listener = std::function<void(const reticulum::Event&)>;
  BenchPeer(Listener on_event, reticulum::EndpointOptions options);

  // Gives the port; 0 on failure.
  std::uint16_t listen();
  void connect(std::uint16_t port);
  void start() { interfaces_.start(); }
  void run() { loop_.run(); }
  // Runs until `done`; false after a minute without.
  bool run_until(const std::function<bool()>& done);

  // After a call into endpoint() from outside `on_event`: sends what came out.
  void pump();
  reticulum::Endpoint& endpoint() { return endpoint_; }
  base::Rng& rng() { return rng_; }
  [[nodiscard]] Now now() const { return io::read_clock(); }
  [[nodiscard]] std::size_t interfaces_up() const { return interfaces_.up_count(); }

 private:
  void wait_until(TimePoint when);

  Listener on_event_;
  boost::asio::io_context loop_{1};
  boost::asio::steady_timer timer_{loop_};
  io::OsRng rng_;
  reticulum::Endpoint endpoint_;
  io::Interfaces interfaces_;
  bool pumping_ = false;
};

}  // namespace meshstow::bench
