#include "node/store_port.hpp"

namespace meshstow::node {

void StorePort::submit(storage::Operation operation, Reply reply) {
  ++last_number_;
  if (reply) waiting_.emplace(last_number_, std::move(reply));
  requests_.push_back({last_number_, std::move(operation)});
}

void StorePort::deliver(Now now, storage::StoreReply reply) {
  const auto found = waiting_.find(reply.number);
  if (found == waiting_.end()) return;
  // Out of the table first: the call may submit, or end its owner.
  const Reply call = std::move(found->second);
  waiting_.erase(found);
  call(now, std::move(reply.outcome));
}

std::optional<storage::StoreRequest> StorePort::next() {
  if (requests_.empty()) return std::nullopt;
  std::optional<storage::StoreRequest> out(std::move(requests_.front()));
  requests_.pop_front();
  return out;
}

void abort_body(StorePort& store, storage::BodyUpload& body) {
  body.abort();
  while (auto asked = body.next()) store.submit(std::move(asked->operation));
}

}  // namespace meshstow::node
