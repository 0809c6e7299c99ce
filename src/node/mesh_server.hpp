// node/mesh_server.hpp: serves the storage requests that others make on links to our destination.
//
// Owner: StorageNode, which hands it every event of the endpoint; what is not of an incoming link
// is not taken. Every request that can be recognised as one is answered, refusals too. Bounds:
// requests at once per link (limits::kRequestsPerLink), remembered answers per link, bytes held for
// all. Source: design.md 5, docs/PROTOCOL.md.
#pragma once

#include <map>
#include <memory>

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
  [[nodiscard]] std::size_t links() const { return links_.size(); }

 private:
  using Work = std::shared_ptr<RequestWork>;
  struct Link {
    RememberedAnswers remembered;
    std::vector<Work> works;
    std::size_t intakes = 0;
    [[nodiscard]] std::size_t busy() const { return intakes + works.size(); }
  };
  struct Intake {
    reticulum::LinkId link;
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
  void turn_away(Now now, const reticulum::ContentStarted& event);
  void on_ready(Now now, reticulum::TransferId transfer, RequestIntake& intake);
  void drop_body(const AcceptedRequest& request);
  void refuse_worn_out(Now now, const AcceptedRequest& request);
  [[nodiscard]] bool answer_repeat(Now now, Link& link, const AcceptedRequest& request);
  void execute(Now now, AcceptedRequest request);
  void on_answered(Now now, RequestWork& work, const Bytes& value, bool lasting);
  [[nodiscard]] bool on_streaming(Now now, RequestWork& work, std::uint64_t size);
  void on_broken(Now now, RequestWork& work);
  void respond(Now now, const Asker& asker, ByteView value, bool compress);
  void say_busy(Now now, const Asker& asker);
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
};

}  // namespace meshstow::node
