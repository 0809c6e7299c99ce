// node/request_intake.hpp: takes in one request of somebody else, until it is whole.
//
// Access is decided as soon as the members before `data` are known, before anything is stored; data
// of a refused request are read on and dropped, because Reticulum has no other way to get an answer
// to whoever is still sending. A body above limits::kInlineDocument goes to the store as an upload
// (storage/body_upload.hpp), which is aborted unless execution takes it. The signature is verified
// before that. What must be held whole counts in ServerContext::messages; beyond a share of it the
// request is refused and read on like the others.
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
  base::Holder who;
  StoragePath path = StoragePath::root();
  protocol::StorageRequest message;
  storage::Conditions conditions;
  std::unique_ptr<storage::BodyUpload> body;  // PUT, opened if it was sealed, and whole
  access::Decision right;                     // by which it may, looked at again as it goes on
  // Of the whole message, signature included; nullopt from a sender who is not identified.
  std::optional<Hash32> digest;
};

class RequestIntake : public std::enable_shared_from_this<RequestIntake> {
 public:
  // Called once, when the request is whole and what was stored of it is durable.
  using Ready = std::function<void(Now, RequestIntake&)>;

  // `who`: as far as it is known from earlier requests on the link.
  RequestIntake(ServerContext& context, const reticulum::ContentStarted& started, base::Holder who,
                Ready ready);

  void take(Now now, ByteView piece);
  void end(Now now);
  void abandon();  // the link or the transfer is gone

  // How far the transfer is, also between pieces; and whether it moves too slowly. `patience` is
  // that of storage::UploadPace.
  void progressed(std::uint64_t bytes) { received_ = std::max(received_, bytes); }
  [[nodiscard]] bool is_too_slow(Now now, Duration patience);

  [[nodiscard]] const std::optional<Refused>& refused() const { return refused_; }
  [[nodiscard]] std::string_view path_text() const;  // as asked; empty if it could not be read
  [[nodiscard]] Asker asker() const;
  // Only if nothing was refused; the upload is the taker's from here on.
  [[nodiscard]] AcceptedRequest accept();
  void drop_upload();

 private:
  void read(ByteView piece);
  Result<void> take_data(ByteView piece);
  void decide();
  void decide_access(const protocol::StorageRequest& request);
  void favour_link(const std::optional<access::IdentityHash>& user,
                   const std::optional<access::TokenId>& token);
  [[nodiscard]] bool still_allowed();
  void check_put(const protocol::StorageRequest& request);
  void read_conditions(const protocol::StorageRequest& request);
  void hold();
  void open_rest();
  [[nodiscard]] bool waits_for_store() const;
  void drain();
  void on_stored(Now now, storage::BodyUpload::Step step, const StoreOutcome& outcome);
  void finish_if_whole(Now now);
  void verify();
  void refuse(Refused why);
  void give_up(Refused why);

  ServerContext& context_;
  reticulum::TransferId transfer_;
  reticulum::LinkId link_;
  reticulum::RequestId request_;
  base::Holder who_;
  Ready ready_;
  protocol::MessageReader reader_;
  base::Share held_;
  Now now_{};

  std::optional<reticulum::PublicIdentity> sender_;
  access::Decision right_;
  bool decided_ = false;
  bool broken_ = false;   // the reader gave up
  bool waiting_ = false;  // the next segment is not asked for yet
  bool ended_ = false;
  std::optional<Refused> refused_;
  std::optional<StoragePath> path_;
  storage::Conditions conditions_;
  std::optional<access::EnvelopeOpener> opener_;
  std::unique_ptr<storage::BodyUpload> body_;
  storage::UploadPace pace_;
  std::uint64_t received_ = 0;
};

}  // namespace meshstow::node
