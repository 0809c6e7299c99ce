// node/request_work.hpp: executes one accepted request and makes its answer.
//
// A small answer is one value. A document that is too large to hold is read twice: once for the
// hash that the signature in front of it covers, once to send. Folder descriptions and JSON answers
// are made whole, and count in ServerContext::answers.
//
// Owner: MeshServer. Lifetime: until `answered`, or with `streaming` until close().
#pragma once

#include <memory>

#include "crypto/hash.hpp"
#include "node/document_stream.hpp"
#include "node/request_intake.hpp"
#include "protocol/folder_description.hpp"

namespace meshstow::node {

class RequestWork : public std::enable_shared_from_this<RequestWork> {
 public:
  struct Ends {
    // The whole answer. `lasting`: asked again, the same request would deserve the same answer.
    std::function<void(Now, RequestWork&, Bytes value, bool lasting)> answered;
    // The answer is `size` bytes, to be asked for by send(). False: the link is gone.
    std::function<bool(Now, RequestWork&, std::uint64_t size)> streaming;
    std::function<void(Now, RequestWork&, Bytes)> supply;  // what send() asked for
    std::function<void(Now, RequestWork&)> broken;         // the stored body cannot be read on
    std::function<void(RequestWork&)> evicted;             // while it is sent: others need the room
  };

  RequestWork(ServerContext& context, AcceptedRequest request, Ends ends);
  void start(Now now);
  void send(Now now, std::uint64_t offset, std::size_t size);  // in order, without gaps
  void moved() { held_.moved(); }                              // somebody takes it
  void close();                                                // sent, or nobody waits any more

  [[nodiscard]] const AcceptedRequest& request() const { return request_; }

 private:
  void open_document();
  void on_opened(Now now, StoreOutcome outcome);
  void describe();
  void collect(Now now);
  void hash_on(Now now);
  void start_streaming(Now now);
  void fill(Now now);
  void list_on(Bytes after);
  void on_page(Now now, StoreOutcome outcome);
  void answer_folder(Now now);
  void put();
  void drain_body();
  void remove();
  void on_written(Now now, const StoreOutcome& outcome, bool deleted);

  [[nodiscard]] std::shared_ptr<DocumentStream> new_stream();
  [[nodiscard]] protocol::StorageResponse document_head() const;
  [[nodiscard]] std::optional<Refused> refused_meanwhile(Now now) const;
  void refuse(Now now, const Refused& why, bool lasting);
  void refuse(Now now, const storage::Failure& failure);
  void refuse_to_hold(Now now, std::uint64_t bytes);
  [[nodiscard]] bool is_over(Now now);
  void not_modified(Now now, const storage::ETag& etag);
  void answer(Now now, const protocol::StorageResponse& response,
              const std::optional<ByteView>& data);

  ServerContext& context_;
  AnswerWriter answers_;
  AcceptedRequest request_;
  Ends ends_;
  bool closed_ = false;
  bool streaming_ = false;
  bool evicted_ = false;
  base::Share held_;

  // GET of a document.
  storage::OpenedDocument document_;
  std::optional<Seal> seal_;
  std::shared_ptr<DocumentStream> stream_;
  std::uint64_t body_size_ = 0;  // as sent
  crypto::Sha256 hash_;
  Bytes whole_;  // the body, or the folder description, as far as it is there
  // Sending: the bytes that are ready, what is asked for, and what follows the body.
  Bytes ready_;
  std::size_t wanted_ = 0;
  std::uint64_t sent_ = 0;
  Bytes tail_;
  bool reading_ = false;

  // GET of a folder.
  protocol::FolderDescriptionWriter folder_;
  std::optional<storage::ETag> folder_tag_;
};

}  // namespace meshstow::node
