// node/storage_client.hpp: reads and writes documents of other storage nodes, sans-IO.
//
// Owner: StorageNode, which hands it the endpoint's events for outgoing links. One operation = one
// OperationId; several run at once, those to one node share its link. It finds a path, opens the
// link, identifies (as the token's holder if that is us, else as the device), asks, asks once more
// after a STORE002 or a lost answer, opens sealed answers. Source: design.md 5; seed specification
// "Client".
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "access/token_book.hpp"
#include "protocol/messages.hpp"
#include "reticulum/endpoint.hpp"
#include "storage/types.hpp"

namespace meshstow::node {

using OperationId = std::uint64_t;

struct ClientRequest {
  reticulum::DestinationHash node;
  protocol::Operation operation = protocol::Operation::get;
  StoragePath path = StoragePath::root();
  std::string token;                    // without "Bearer "; empty: the wallet's, if one covers it
  std::string content_type;             // PUT
  std::string if_match, if_none_match;  // header text, empty for none
  // PUT: asked for by BodyWanted, in order from 0. Above 64 KiB twice, for the hash that is signed
  // and to be sent; once or twice more if the node lost what was sent, or the identification before
  // it.
  std::uint64_t body_size = 0;
  // It ends when for so long nothing came nearer: no path, no link, no answer, no byte. A path and
  // a link are tried for until then. Absent: usual bounds, each of its own.
  std::optional<Duration> patience = {};
  Duration waited{};  // of the patience, before it was started
};

struct BodyWanted {
  OperationId operation = 0;
  std::uint64_t offset = 0;
  std::size_t size = 0;
};
// The answer's head; for GET, BodyReceived pieces follow, already opened if they were sealed. The
// body is only proved whole and genuine at OperationDone: write it aside until then.
struct AnswerReceived {
  OperationId operation = 0;
  protocol::StorageResponse response;
};
struct BodyReceived {
  OperationId operation = 0;
  Bytes bytes;
};  // answer with body_taken()
struct OperationDone {
  OperationId operation = 0;
};
struct OperationFailed {  // ends the operation
  OperationId operation = 0;
  protocol::StorageError error;  // the node's own, or ours where no answer came
  bool answered = false;         // false: `error` is ours; see `why`
  Error why;
};
enum class ClientStage { finding_path, linking, asking, sending, receiving };
struct OperationProgress {
  OperationId operation = 0;
  ClientStage stage = ClientStage::finding_path;
  std::uint64_t done = 0, total = 0;  // bytes, in sending and receiving
};
using ClientEvent = std::variant<BodyWanted, AnswerReceived, BodyReceived, OperationDone,
                                 OperationFailed, OperationProgress>;

struct ClientIdentities {  // outlive the client
  const reticulum::Identity* owner = nullptr;
  const reticulum::Identity* device = nullptr;
  const access::KeyRing* keys = nullptr;
};

// Makes a token of our own space; Errc::denied and the like if that cannot be.
using IssueToken = std::function<Result<std::string>(Now, const access::Scope&)>;

class StorageClient {
 public:
  // `issue` may be empty: then get_token() knows only what was added.
  StorageClient(reticulum::Endpoint& endpoint, ClientIdentities identities, base::Rng& rng,
                IssueToken issue = {});
  ~StorageClient();

  OperationId get(Now now, ClientRequest request);  // `operation` is set by the call
  OperationId put(Now now, ClientRequest request);
  OperationId remove(Now now, ClientRequest request);
  OperationId list(Now now,
                   ClientRequest request);  // path ends in "/"; the body is the folder description
  // Answers BodyWanted. No bytes: the body ends here, which fails the operation.
  void supply_body(Now now, OperationId operation, ByteView bytes);
  void body_taken(Now now, OperationId operation);  // once for each BodyReceived
  void cancel(Now now, OperationId operation);      // no further event of it

  // The seed's ReticulumAuth: a token that covers `scope`: one that was added, else one that we
  // issue ourselves for our own space. Errc::denied if neither is possible.
  [[nodiscard]] Result<std::string> get_token(Now now, std::string_view scope);
  void add_token(std::string text);

  void handle_event(Now now, const reticulum::Event& event);  // of links that are ours
  [[nodiscard]] bool owns(const reticulum::LinkId& link) const;
  // Before the first interface is up, operations wait with their question for a path.
  void interfaces_changed(Now now, std::size_t up);
  void handle_deadline(Now now);
  [[nodiscard]] TimePoint deadline() const;
  [[nodiscard]] std::optional<ClientEvent> poll();
  [[nodiscard]] Now last_call() const;  // the `now` of the last call: poll() has none

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::node
