// node/server_context.hpp: what everything that serves the requests of others works with.
#pragma once

#include <functional>

#include "access/access_control.hpp"
#include "access/token_book.hpp"
#include "base/limits.hpp"
#include "node/store_port.hpp"
#include "reticulum/endpoint.hpp"

namespace meshstow::node {

// Counts bytes that are held whole for others, over all links: JSON messages and folder listings.
class MemoryBudget {
 public:
  [[nodiscard]] bool take(std::size_t bytes) {
    if (bytes > limits::kHeldForOthers - used_) return false;
    used_ += bytes;
    return true;
  }
  void give_back(std::size_t bytes) { used_ -= bytes; }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  std::size_t used_ = 0;
};

// A share of the budget that is given back when it goes.
class HeldBytes {
 public:
  explicit HeldBytes(MemoryBudget& budget) : budget_(budget) {}
  ~HeldBytes() { budget_.give_back(size_); }
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  [[nodiscard]] bool add(std::size_t bytes) {
    if (!budget_.take(bytes)) return false;
    size_ += bytes;
    return true;
  }

 private:
  MemoryBudget& budget_;
  std::size_t size_ = 0;
};

// A document was changed by a request.
using OnChange =
    std::function<void(Now, const StoragePath& path, const storage::ETag& etag, bool deleted)>;

// All of it outlives its users.
struct ServerContext {
  reticulum::Endpoint& endpoint;
  StorePort& store;
  access::AccessControl& access;
  access::TokenBook& tokens;
  const reticulum::Identity& device;  // signs the answers
  reticulum::IdentityHash owner;      // of the space
  const access::KeyRing& keys;
  const access::SpaceKey& space_key;  // seals what leaves
  base::Rng& rng;
  OnChange on_change;
  MemoryBudget memory{};
};

}  // namespace meshstow::node
