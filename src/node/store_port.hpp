// node/store_port.hpp: store operations with somebody who waits for the answer.
//
// Turns calls into StoreRequests for the driver, and the driver's StoreReplies into calls back.
// Owner: StorageNode. Operations leave in the order of submit().
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "base/time.hpp"
#include "storage/body_upload.hpp"

namespace meshstow::node {

using StoreOutcome = storage::Outcome<storage::Answer>;

class StorePort {
 public:
  using Reply = std::function<void(Now, StoreOutcome)>;

  // `reply` may be empty. It runs from deliver(), never from inside submit().
  void submit(storage::Operation operation, Reply reply = {});
  void deliver(Now now, storage::StoreReply reply);
  [[nodiscard]] std::optional<storage::StoreRequest> next();

 private:
  storage::RequestNumber last_number_ = 0;
  std::deque<storage::StoreRequest> requests_;
  std::map<storage::RequestNumber, Reply> waiting_;
};

// Nothing comes of a body, and nobody waits to hear it.
void abort_body(StorePort& store, storage::BodyUpload& body);

}  // namespace meshstow::node
