#include "http/exchange.hpp"

#include <algorithm>

namespace meshstow::http {

std::optional<Output> Exchange::poll() {
  if (next_ == outputs_.size()) {
    outputs_.clear();
    next_ = 0;
    return std::nullopt;
  }
  return std::move(outputs_[next_++]);
}

void Exchange::handle_body(Now now, ByteView piece) {
  if (!finished_ && !aborted_) on_body(now, piece);
}

void Exchange::handle_body_end(Now now) {
  if (!finished_ && !aborted_) on_body_end(now);
}

void Exchange::handle_reply(Now now, storage::StoreReply reply) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
    return waiting.number == reply.number;
  });
  if (found == waiting_.end()) return;
  Continuation then = std::move(found->then);
  waiting_.erase(found);
  if (then) then(now, std::move(reply.outcome));
}

void Exchange::handle_sent(Now now) {
  if (!finished_ && !aborted_) on_sent(now);
}

void Exchange::handle_hash(Now now, const std::optional<Hash32>& hash) {
  if (!finished_ && !aborted_) on_hash(now, hash);
}

void Exchange::abort() {
  if (aborted_) return;
  aborted_ = true;
  on_abort();
}

void Exchange::submit(storage::Operation operation, Continuation then) {
  const storage::RequestNumber number = ++last_number_;
  waiting_.push_back({number, std::move(then)});
  output(storage::StoreRequest{number, std::move(operation)});
}

void Exchange::submit_and_forget(storage::Operation operation) { submit(std::move(operation), {}); }

void Exchange::send(Send piece) {
  if (finished_ || aborted_) return;
  finished_ = piece.last;
  output(std::move(piece));
}

void Exchange::break_off() {
  if (finished_ || aborted_) return;
  finished_ = true;
  output(Break{});
}

ImmediateExchange::ImmediateExchange(Reply reply, bool is_head) {
  if (reply.head.framing == Framing::length) reply.head.content_length = view_of(reply.body).size();
  if (is_head || reply.head.framing == Framing::none) reply.body = std::string_view();
  send({.head = std::move(reply.head), .body = std::move(reply.body), .last = true});
}

}  // namespace meshstow::http
