// io/mesh_network.hpp: which network a node is in: its own interfaces, and the user's Reticulum.
//
// Drives node/network_plan.hpp: opens and closes the interfaces of the user's config as a shared
// instance comes and goes, and can say how things stand. Threading: the loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/interfaces.hpp"
#include "io/reticulum_config.hpp"
#include "node/network_plan.hpp"

namespace meshstow::io {

struct NetworkStatus {
  std::string config;  // the file of the user's Reticulum; empty: there is none, or it is not used
  std::string instance;  // the shared instance that is looked for or joined; empty: none is
  const char* state = "offline";            // "joined", "waiting" for an instance, "own" interfaces
  std::string summary = "no serve runs";    // all of this in a sentence
  std::vector<InterfaceStatus> interfaces;  // what is open, or tries to be
  std::vector<std::string> left_closed;     // interfaces of that config that wait for an instance
  std::vector<std::string> ways_out;        // what to do about it; empty: nothing is amiss
};

class MeshNetwork {
 public:
  // Opens the node's own interfaces and reads the user's config. `interfaces` outlives the network;
  // `home_config` is the file that people are told of. The error is for people.
  [[nodiscard]] static tl::expected<std::unique_ptr<MeshNetwork>, std::string> open(
      Interfaces& interfaces, const MeshOptions& options, std::string home_config);

  // `settled` once it is known what network there is; it may be called from inside.
  void start(std::function<void()> settled);
  [[nodiscard]] NetworkStatus status() const;

 private:
  using State = node::NetworkPlan::State;
  MeshNetwork(Interfaces& interfaces, ReticulumSetup setup, std::string home_config);
  [[nodiscard]] tl::expected<void, std::string> open_own(const MeshOptions& options);
  void instance_missing();
  void instance_joined();
  void instance_lost();
  void follow_plan();
  void warn_of_unsupported();
  void settle();
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] std::vector<std::string> names(bool that_are_open) const;
  [[nodiscard]] std::vector<std::string> ways_out() const;

  Interfaces& interfaces_;
  const ReticulumSetup setup_;
  const std::string home_config_;
  node::NetworkPlan plan_;
  std::vector<std::optional<InterfaceHandle>> open_;  // beside setup_.interfaces
  std::size_t own_ = 0;                               // interfaces that are ours whatever runs
  std::function<void()> settled_;
  bool warned_ = false;
};

}  // namespace meshstow::io
