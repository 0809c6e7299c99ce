// node/client_links.hpp: the links that we open to other nodes, one per node and identity.
//
// Finds a path, opens the link, identifies, hands it to the operations that want it, closes it a
// while after the last one. A link that nobody answers is tried kLinkTries times, each over a path
// that is asked for anew. Owner: StorageClient.
#pragma once

#include <functional>
#include <list>
#include <string>

#include "node/storage_client.hpp"

namespace meshstow::node {

// As whom a link was identified. `nobody` can still become one of the others, on the same link.
enum class As { nobody, device, owner };

inline constexpr int kLinkTries = 3;

class ClientLinks {
 public:
  // How the operations hear. None may be empty.
  struct Calls {
    // `signer` signs what is asked on this link.
    std::function<void(Now, OperationId, const reticulum::LinkId&,
                       const reticulum::Identity& signer)>
        ready;
    std::function<void(Now, OperationId, const Error& why, const std::string& message)> failed;
    std::function<void(OperationId, ClientStage)> stage;
  };

  ClientLinks(reticulum::Endpoint& endpoint, ClientIdentities identities, Calls calls);

  // Until `patient_until` (kNever: as long as usual) a path and a link are tried for anew.
  void want(Now now, OperationId operation, const reticulum::DestinationHash& node, As as,
            TimePoint patient_until = kNever);
  void release(Now now, OperationId operation);
  // After a STORE002: the first identification may have been lost.
  void identify_again(Now now, OperationId operation);
  [[nodiscard]] bool owns(const reticulum::LinkId& link) const;

  void on(Now now, const reticulum::PathFound& event);
  void on(Now now, const reticulum::PathFailed& event);
  void on(Now now, const reticulum::LinkEstablished& event);
  void on(Now now, const reticulum::LinkClosed& event);
  // Questions for a path wait for the first interface to come up.
  void interfaces_changed(Now now, std::size_t up);
  void handle_deadline(Now now);
  [[nodiscard]] TimePoint deadline() const;

 private:
  enum class Stage { finding, linking, open };
  struct User {
    OperationId operation = 0;
    bool started = false;
    TimePoint patient_until = kNever;  // kNever: as long as usual
  };
  struct Entry {
    reticulum::DestinationHash node;
    As as = As::nobody;
    Stage stage = Stage::finding;
    reticulum::LinkId link;
    int links_tried = 0;
    std::list<User> users;
    TimePoint due = kNever;  // finding: give up; open and unused: close
  };
  using Entries = std::list<Entry>;

  [[nodiscard]] Entries::iterator find_for(const reticulum::DestinationHash& node, As as);
  [[nodiscard]] Entries::iterator entry_of(OperationId operation);
  [[nodiscard]] const reticulum::Identity& signer(As as) const;
  void find_path(Now now, Entry& entry);
  void open(Now now, Entries::iterator entry);
  void identify(Now now, const Entry& entry);
  void set_stage(Entry& entry, Stage stage);
  void start_users(Now now, Entry& entry);
  void fail(Now now, Entries::iterator entry, const Error& why, const std::string& message);
  [[nodiscard]] bool look_again(Now now, Entry& entry);
  void give_up_finding(Now now, Entries::iterator entry);
  void fail_without_path(Now now, Entries::iterator entry);
  void fail_unanswered(Now now, Entries::iterator entry);

  reticulum::Endpoint& endpoint_;
  ClientIdentities identities_;
  Calls calls_;
  Entries entries_;
  std::size_t interfaces_up_ = 0;
};

}  // namespace meshstow::node
