// node/network_plan.hpp: when to open the interfaces of the user's Reticulum config, and which.
//
// Where that config shares an instance, the first program that listens for the others is the
// instance (rnsd, as a rule), and it alone opens the configured interfaces. If one of their ports
// were ours by then, it would end, and with it every RNS program started later. So until an
// instance is there we open only what listens on no port; while we are its client we open nothing;
// and when it goes, it is looked for again before we open anything.
//
// Sans-IO: tell it what was seen, then open and close what it says. Source: facts/reticulum.md 13.
#pragma once

namespace meshstow::node {

class NetworkPlan {
 public:
  enum class State {
    unshared,  // the config shares no instance: its interfaces are ours
    looking,   // not known yet whether one is there
    missing,   // none is there; it is looked for all the time
    joined,    // we are its client
  };

  explicit NetworkPlan(bool shares_instance)
      : state_(shares_instance ? State::looking : State::unshared) {}

  void instance_missing();  // looked for, and not found
  void instance_joined();
  void instance_lost();

  [[nodiscard]] State state() const { return state_; }
  // Whether an interface of that config is to be open now.
  [[nodiscard]] bool opens(bool listens_on_a_port) const;

 private:
  State state_;
};

}  // namespace meshstow::node
