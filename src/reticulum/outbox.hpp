// reticulum/outbox.hpp: what an endpoint has to say, in the order in which it came about.
#pragma once

#include <deque>
#include <optional>

#include "reticulum/endpoint.hpp"

namespace meshstow::reticulum {

class Outbox {
 public:
  void transmit(InterfaceId interface, Bytes packet) {
    ++packets_;
    bytes_ += packet.size();
    queue_.emplace_back(Transmit{interface, std::move(packet)});
  }
  void emit(Event event) { queue_.emplace_back(std::move(event)); }

  std::optional<Output> pop() {
    if (queue_.empty()) return std::nullopt;
    std::optional<Output> out(std::move(queue_.front()));
    queue_.pop_front();
    return out;
  }

  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::deque<Output> queue_;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace meshstow::reticulum
