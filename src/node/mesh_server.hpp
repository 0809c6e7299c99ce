// node/mesh_server.hpp: serves the storage requests that others make on links to our destination.
//
// Owner: StorageNode, which hands it every event of the endpoint; what is not of an incoming link
// is not taken. Everything that comes to /storage as a request is answered, also what is no message
// at all. Bounds: requests at once per link (limits::kRequestsPerLink), and what is held for whom
// (ServerContext, docs/BOUNDS.md). A request that moves too slowly, and an answer of a stranger
// that others need the room of, go. Source: design.md 5, docs/PROTOCOL.md.
#pragma once

#include <map>
#include <memory>

#include "node/load.hpp"
#include "node/remembered_answers.hpp"
#include "node/request_intake.hpp"
#include "node/request_work.hpp"

namespace meshstow::node {

class MeshServer {
 public:
  explicit MeshServer(ServerContext& context);
  ~MeshServer();

  // False: the event is nothing of ours.
  [[nodiscard]] bool handle_event(Now now, const reticulum::Event& event);
  [[nodiscard]] TimePoint deadline() const;
  void handle_deadline(Now now);

  [[nodiscard]] Load load() const;

 private:
  using Work = std::shared_ptr<RequestWork>;
  struct Link {
    Link(ServerContext& context, const reticulum::LinkEstablished& event);
    RememberedAnswers remembered;
    Duration patience;  // with whoever sends slowly
    base::Holder who;   // from the first request on that was allowed something
    std::vector<Work> works;
    std::size_t intakes = 0;
    [[nodiscard]] std::size_t busy() const { return intakes + works.size(); }
  };
  struct Intake {
    reticulum::ContentStarted started;
    std::shared_ptr<RequestIntake> request;
  };

  bool on(Now now, const reticulum::LinkEstablished& event);
  bool on(Now now, const reticulum::LinkIdentified& event);
  bool on(Now now, const reticulum::LinkClosed& event);
  bool on(Now now, const reticulum::ContentStarted& event);
  bool on(Now now, const reticulum::ContentPiece& event);
  bool on(Now now, const reticulum::ContentDone& event);
  bool on(Now now, const reticulum::ContentFailed& event);
  bool on(Now now, const reticulum::ContentWanted& event);
  bool on(Now now, const reticulum::ContentSent& event);
  bool on(Now now, const reticulum::ContentUnsent& event);
  bool on(Now now, const reticulum::ContentProgress& event);
  template <class Other>
  bool on(Now /*now*/, const Other& /*event*/) {
    return false;
  }

  [[nodiscard]] Link* link_of(const reticulum::LinkId& id);
  void forget_intake(reticulum::TransferId transfer);
  [[nodiscard]] base::Holder holder_of(const reticulum::LinkId& id, const Link& link) const;
  void turn_away(Now now, const reticulum::ContentStarted& event, const Refused& why);
  void on_ready(Now now, reticulum::TransferId transfer, RequestIntake& intake);
  void refuse(Now now, const AcceptedRequest& request, const Refused& why);
  [[nodiscard]] bool answer_repeat(Now now, Link& link, const AcceptedRequest& request);
  void execute(Now now, AcceptedRequest request);
  void on_answered(Now now, RequestWork& work, const Bytes& value, bool lasting);
  [[nodiscard]] bool on_streaming(Now now, RequestWork& work, std::uint64_t size);
  void on_broken(Now now, RequestWork& work);
  void answer_in_form(Now now, const Asker& asker, const RememberedAnswers::Kept& answer,
                      bool compress);
  void respond(Now now, const Asker& asker, ByteView value, bool compress);
  void refuse_to_send(Now now, const Asker& asker);
  void cancel_evicted(Now now);
  void on_supply(Now now, RequestWork& work, ByteView bytes);
  [[nodiscard]] std::optional<reticulum::TransferId> stream_of(const RequestWork& work) const;
  bool end_stream(reticulum::TransferId transfer);
  void forget_work(const RequestWork& work);

  ServerContext& context_;
  AnswerWriter answers_;
  Hash16 storage_path_;  // the hash of "/storage"
  std::map<reticulum::LinkId, Link> links_;
  std::map<reticulum::TransferId, Intake> intakes_;
  std::map<reticulum::TransferId, Work> streams_;  // works whose answer is being sent
  std::vector<reticulum::TransferId> evicted_;  // streams that must go, and are not cancelled yet
  TimePoint look_due_ = kNever;                 // for requests that move too slowly
  std::uint64_t too_slow_ = 0;
  std::uint64_t turned_away_ = 0;
};

}  // namespace meshstow::node
