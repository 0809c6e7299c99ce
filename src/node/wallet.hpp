// node/wallet.hpp: the tokens that we may show to others.
//
// They are other people's signatures, or our own: only their readable side is looked at here, the
// node that gets one verifies it. Bounded by limits::kWallet; the oldest goes first.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "access/capability.hpp"

namespace meshstow::node {

class Wallet {
 public:
  void add(std::string text);  // what is no token is not kept

  // The newest that is not expired and permits it.
  [[nodiscard]] std::optional<std::string> find(access::Operation right, const StoragePath& path,
                                                WallTime now) const;
  [[nodiscard]] std::optional<std::string> find(const access::Scope& scope, WallTime now) const;

 private:
  struct Token {
    std::string text;
    access::Capability says;
  };
  template <class Permits>
  [[nodiscard]] std::optional<std::string> newest(WallTime now, const Permits& permits) const;

  std::deque<Token> tokens_;
};

}  // namespace meshstow::node
