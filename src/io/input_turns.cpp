#include "io/input_turns.hpp"

#include <boost/asio/post.hpp>

#include "base/mesh_limits.hpp"

namespace meshstow::io {

InputTurns::InputTurns(boost::asio::io_context& loop)
    : loop_(loop), buffer_(limits::kInterfaceRead) {}

void InputTurns::add(std::shared_ptr<InputSource> source) {
  waiting_.push_back(std::move(source));
  run_later();
}

// Behind whatever the loop has at hand.
void InputTurns::run_later() {
  if (std::exchange(due_, true)) return;
  boost::asio::post(loop_, [self = shared_from_this()] { self->run(); });
}

void InputTurns::run() {
  due_ = false;
  const auto end = std::chrono::steady_clock::now() + limits::kInputTurn;
  while (!waiting_.empty()) {
    const auto source = std::move(waiting_.front());
    waiting_.pop_front();
    if (source->take_share(buffer_)) waiting_.push_back(source);
    if (std::chrono::steady_clock::now() >= end) break;
  }
  if (!waiting_.empty()) run_later();
}

}  // namespace meshstow::io
