#include "node/network_plan.hpp"

namespace meshstow::node {

void NetworkPlan::instance_missing() {
  if (state_ == State::looking) state_ = State::missing;
}

void NetworkPlan::instance_joined() {
  if (state_ != State::unshared) state_ = State::joined;
}

// One that is being restarted is back at the next look: nothing is opened for that moment.
void NetworkPlan::instance_lost() {
  if (state_ == State::joined) state_ = State::looking;
}

bool NetworkPlan::opens(bool listens_on_a_port) const {
  switch (state_) {
    case State::unshared: return true;
    case State::missing: return !listens_on_a_port;
    case State::looking:
    case State::joined: break;
  }
  return false;
}

}  // namespace meshstow::node
