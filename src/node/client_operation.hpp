// node/client_operation.hpp: one operation of the client, from its link to its end.
//
// Owner: StorageClient. Lifetime: until ended(). The rules of asking: the same signed bytes at most
// kAsks times if no answer comes; a newly signed request once more after a STORE002, since the
// identification may have been lost. A link that is lost is opened anew once, if nothing can have
// been changed and nothing was handed out yet.
#pragma once

#include <deque>
#include <memory>

#include "crypto/hash.hpp"
#include "node/answers.hpp"
#include "node/client_links.hpp"
#include "node/incoming_answer.hpp"
#include "node/outgoing_body.hpp"

namespace meshstow::node {

// Outlives the operations.
struct ClientContext {
  reticulum::Endpoint& endpoint;
  ClientIdentities identities;
  base::Rng& rng;
  ClientLinks* links = nullptr;
  std::deque<ClientEvent> events{};
};

class ClientOperation {
 public:
  // `token`: to show, or empty.
  ClientOperation(ClientContext& context, OperationId id, ClientRequest request, std::string token);

  void start(Now now);
  void supply_body(Now now, ByteView bytes);
  void body_taken(Now now);
  void cancel(Now now);

  // From the links.
  void on_link(Now now, const reticulum::LinkId& link, const reticulum::Identity& signer);
  void on_link_failed(Now now, const Error& why, const std::string& message);
  void on_stage(ClientStage stage);
  void handle_deadline(Now now);
  [[nodiscard]] TimePoint deadline() const { return give_up_; }

  // Whose is it?
  [[nodiscard]] bool asked(const reticulum::LinkId& link,
                           const reticulum::RequestId& request) const;
  [[nodiscard]] bool has(reticulum::TransferId transfer) const;
  void on(Now now, const reticulum::ContentStarted& event);
  void on(Now now, const reticulum::ContentPiece& event);
  void on(Now now, const reticulum::ContentDone& event);
  void on(Now now, const reticulum::ContentFailed& event);
  void on(Now now, const reticulum::ContentWanted& event);
  void on(Now now, const reticulum::ContentSent& event);
  void on(Now now, const reticulum::ContentUnsent& event);
  void on(Now now, const reticulum::ContentProgress& event);
  void on(Now now, const reticulum::RequestTimedOut& event);

  [[nodiscard]] bool ended() const { return phase_ == Phase::ended; }

 private:
  enum class Phase { linking, reading_body, waiting, receiving, ended };

  [[nodiscard]] As as() const;
  [[nodiscard]] protocol::StorageRequest message(Now now) const;
  [[nodiscard]] protocol::Signer signature() const;
  [[nodiscard]] std::optional<OutgoingBody::Sealing> sealing() const;
  void moved(Now now);
  [[nodiscard]] std::string waited_for() const;
  void ask(Now now);
  void read_body(Now now);
  void on_body_read(Now now);
  void draw(Now now);
  void send(Now now);
  [[nodiscard]] Result<reticulum::SentRequest> send_whole(Now now);
  [[nodiscard]] Result<reticulum::SentRequest> send_streamed(Now now);
  void fill(Now now);
  [[nodiscard]] bool link_is_gone() const;
  void ask_again(Now now, const Error& why, const std::string& message);
  void tell_head();
  void finish(Now now);
  [[nodiscard]] bool is_longer_than_told() const;
  [[nodiscard]] bool answers_question(const protocol::StorageResponse& response) const;
  void on_error(Now now, protocol::StorageError error);
  void fail(Now now, const Error& why, std::string message);
  void fail(Now now, const Error& why, Refused as);
  void fail(Now now, const Error& why, protocol::StorageError error);
  void end(Now now);

  ClientContext& context_;
  OperationId id_;
  ClientRequest request_;
  std::string token_;
  Phase phase_ = Phase::linking;
  ClientStage stage_ = ClientStage::finding_path;
  TimePoint give_up_ = kNever;  // unless something moves before
  std::optional<TimePoint> moved_at_;
  reticulum::LinkId link_;
  const reticulum::Identity* signer_ = nullptr;
  bool linked_again_ = false;
  bool identified_again_ = false;
  int asks_ = 0;

  // The question: whole, or around a body that is drawn a second time.
  std::optional<OutgoingBody> body_;
  crypto::Sha256 body_hash_;
  crypto::Sha256 id_hash_;
  protocol::StorageRequest asked_;
  Bytes value_;  // whole; while the body is read, the body
  Bytes head_, tail_, prefix_;
  reticulum::RequestId request_id_;
  std::optional<reticulum::TransferId> sending_;
  Bytes ready_;
  std::size_t wanted_ = 0;
  bool drawing_ = false;
  bool all_sent_ = false;  // the node may have done it

  // The answer.
  std::unique_ptr<IncomingAnswer> answer_;
  std::optional<reticulum::TransferId> receiving_;
  bool head_told_ = false;
  std::size_t untaken_ = 0;
};

}  // namespace meshstow::node
