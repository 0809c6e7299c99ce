// node/request_intake.hpp: takes in one request of somebody else, until it is whole.
//
// Access is decided as soon as the members before `data` are known, before anything is stored; data
// of a refused request are read on and dropped, because Reticulum has no other way to get an answer
// to whoever is still sending. A body above limits::kInlineDocument goes to the store as an upload,
// which is aborted unless execution takes it. The signature is verified before that.
//
// Owner: MeshServer. Lifetime: until `ready` was called or abandon().
#pragma once

#include <memory>

#include "node/answers.hpp"
#include "node/server_context.hpp"

namespace meshstow::node {

// A request that may be executed.
struct AcceptedRequest {
  Asker asker;
  StoragePath path = StoragePath::root();
  protocol::StorageRequest message;
  storage::Conditions conditions;
  std::variant<Bytes, storage::UploadId> body;  // PUT, opened if it was sealed
  access::Decision right;                       // by which it may, looked at again as it goes on
  // Of the whole message, signature included, and its form; nullopt from a sender who is not
  // identified.
  std::optional<Hash32> digest;
};

class RequestIntake : public std::enable_shared_from_this<RequestIntake> {
 public:
  // Called once, when the request is whole and what was stored of it is durable.
  using Ready = std::function<void(Now, RequestIntake&)>;

  RequestIntake(ServerContext& context, const reticulum::ContentStarted& started, Ready ready);

  void take(Now now, ByteView piece);
  void end(Now now);
  void abandon();  // the link or the transfer is gone

  // From `ready` on. Not recognised: dropped without an answer.
  [[nodiscard]] bool recognised() const { return reader_.recognised(); }
  [[nodiscard]] const std::optional<Refused>& refused() const { return refused_; }
  [[nodiscard]] std::string_view path_text() const;  // as asked; empty if it could not be read
  [[nodiscard]] Asker asker() const;
  // Only if nothing was refused; the upload is the taker's from here on.
  [[nodiscard]] AcceptedRequest accept();
  void drop_upload();

 private:
  Result<void> take_data(ByteView piece);
  void decide();
  void decide_access(const protocol::StorageRequest& request);
  [[nodiscard]] bool still_allowed();
  void check_put(const protocol::StorageRequest& request);
  void read_conditions(const protocol::StorageRequest& request);
  void hold(std::size_t bytes);
  void open_rest();
  bool store_pending();
  void on_stored(Now now, const StoreOutcome& outcome);
  void finish(Now now);
  void verify();
  void refuse(Refused why);

  ServerContext& context_;
  reticulum::TransferId transfer_;
  reticulum::LinkId link_;
  reticulum::RequestId request_;
  Ready ready_;
  protocol::MessageReader reader_;
  HeldBytes held_;
  Now now_{};

  std::optional<reticulum::PublicIdentity> sender_;
  access::Decision right_;
  bool decided_ = false;
  bool broken_ = false;  // the reader gave up
  bool ended_ = false;
  bool abandoned_ = false;
  std::optional<Refused> refused_;
  std::optional<StoragePath> path_;
  storage::Conditions conditions_;
  std::optional<access::EnvelopeOpener> opener_;
  Bytes pending_;  // data, opened, that are not in the store yet
  std::optional<storage::UploadId> upload_;
  std::size_t stores_under_way_ = 0;
};

}  // namespace meshstow::node
