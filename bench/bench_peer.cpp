#include "bench_peer.hpp"

namespace meshstow::bench {

BenchPeer::BenchPeer(Listener on_event, reticulum::EndpointOptions options)
    : on_event_(std::move(on_event)),
      endpoint_(rng_, options),
      interfaces_(loop_, {.up =
                              [this](reticulum::InterfaceId id, reticulum::InterfaceInfo info) {
                                endpoint_.interface_up(now(), id, std::move(info));
                                pump();
                              },
                          .down =
                              [this](reticulum::InterfaceId id) {
                                endpoint_.interface_down(now(), id);
                                pump();
                              },
                          .packet =
                              [this](reticulum::InterfaceId id, ByteView packet) {
                                endpoint_.handle_packet(now(), id, packet);
                                pump();
                              }}) {}

std::uint16_t BenchPeer::listen() {
  const auto bound = interfaces_.listen({"bench", true, {"127.0.0.1", 0}});
  return bound ? bound->port : std::uint16_t{0};
}

void BenchPeer::connect(std::uint16_t port) {
  interfaces_.open({"bench", false, {"127.0.0.1", port}});
}

bool BenchPeer::run_until(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    loop_.run_one_for(std::chrono::seconds(1));
  }
  return true;
}

void BenchPeer::pump() {
  if (pumping_) return;  // an event's listener called in: the loop below goes on
  pumping_ = true;
  for (;;) {
    reticulum::Output output = endpoint_.poll();
    if (auto* transmit = std::get_if<reticulum::Transmit>(&output)) {
      interfaces_.send(transmit->interface, transmit->packet);
    } else if (auto* event = std::get_if<reticulum::Event>(&output)) {
      on_event_(*event);
    } else {
      wait_until(std::get<reticulum::Deadline>(output).when);
      break;
    }
  }
  pumping_ = false;
}

void BenchPeer::wait_until(TimePoint when) {
  timer_.cancel();
  if (when == kNever) return;
  timer_.expires_after(std::max(Duration::zero(), when - now().mono));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    endpoint_.handle_deadline(now());
    pump();
  });
}

}  // namespace meshstow::bench
