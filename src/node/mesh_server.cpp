#include "node/mesh_server.hpp"

#include <algorithm>

namespace meshstow::node {
namespace {

bool is_write(const AcceptedRequest& request) {
  return request.message.operation != protocol::Operation::get;
}

bool is_compressible(const AcceptedRequest& request) { return !request.path.is_secret(); }

}  // namespace

MeshServer::MeshServer(ServerContext& context)
    : context_(context),
      answers_(context.device),
      storage_path_(reticulum::path_hash(protocol::kRequestPath)) {}

MeshServer::~MeshServer() = default;

bool MeshServer::handle_event(Now now, const reticulum::Event& event) {
  return std::visit([&](const auto& each) { return on(now, each); }, event);
}

MeshServer::Link* MeshServer::link_of(const reticulum::LinkId& id) {
  const auto found = links_.find(id);
  return found == links_.end() ? nullptr : &found->second;
}

void MeshServer::forget_intake(reticulum::TransferId transfer) {
  const auto found = intakes_.find(transfer);
  if (found == intakes_.end()) return;
  if (Link* link = link_of(found->second.link)) --link->intakes;
  intakes_.erase(found);
}

// ---- Links.

bool MeshServer::on(Now /*now*/, const reticulum::LinkEstablished& event) {
  if (event.incoming) links_.try_emplace(event.link);
  return event.incoming;
}

bool MeshServer::on(Now /*now*/, const reticulum::LinkIdentified& event) {
  // Who it is is asked of the endpoint when a request comes.
  return link_of(event.link) != nullptr;
}

bool MeshServer::on(Now /*now*/, const reticulum::LinkClosed& event) {
  const auto node = links_.extract(event.link);
  if (node.empty()) return false;
  std::erase_if(intakes_, [&](const auto& each) {
    if (each.second.link != event.link) return false;
    each.second.request->abandon();
    return true;
  });
  std::erase_if(streams_,
                [&](const auto& each) { return each.second->request().asker.link == event.link; });
  // Writes that are under way are done all the same; what is only read stops.
  for (const Work& work : node.mapped().works) {
    if (!is_write(work->request())) work->close();
  }
  return true;
}

// ---- Requests coming in.

bool MeshServer::on(Now now, const reticulum::ContentStarted& event) {
  Link* link = link_of(event.link);
  if (link == nullptr || event.kind != reticulum::ContentKind::request) return false;
  if (event.path_hash != storage_path_) {
    if (!event.one_packet) context_.endpoint.cancel(now, event.transfer);
    return true;
  }
  if (link->busy() >= limits::kRequestsPerLink) {
    turn_away(now, event);
    return true;
  }
  const auto ready = [this, transfer = event.transfer](Now later, RequestIntake& intake) {
    on_ready(later, transfer, intake);
  };
  ++link->intakes;
  intakes_.emplace(event.transfer,
                   Intake{event.link, std::make_shared<RequestIntake>(context_, event, ready)});
  return true;
}

void MeshServer::turn_away(Now now, const reticulum::ContentStarted& event) {
  const Asker asker{.link = event.link, .request = event.request};
  const Refused why{protocol::StoreCode::storage_full, 503,
                    "too many requests at once on this link"};
  respond(now, asker, answers_.refusal(now, asker, why, {}), true);
  if (!event.one_packet) context_.endpoint.cancel(now, event.transfer);
}

bool MeshServer::on(Now now, const reticulum::ContentPiece& event) {
  const auto found = intakes_.find(event.transfer);
  if (found == intakes_.end()) return false;
  const auto intake = found->second.request;  // may end its entry
  intake->take(now, event.bytes);
  return true;
}

bool MeshServer::on(Now now, const reticulum::ContentDone& event) {
  const auto found = intakes_.find(event.transfer);
  if (found == intakes_.end()) return false;
  const auto intake = found->second.request;
  intake->end(now);
  return true;
}

bool MeshServer::on(Now /*now*/, const reticulum::ContentFailed& event) {
  const auto found = intakes_.find(event.transfer);
  if (found == intakes_.end()) return false;
  found->second.request->abandon();
  forget_intake(event.transfer);
  return true;
}

void MeshServer::on_ready(Now now, reticulum::TransferId transfer, RequestIntake& intake) {
  const Asker asker = intake.asker();
  Link* link = link_of(asker.link);
  if (link == nullptr) return intake.drop_upload();
  forget_intake(transfer);
  if (!intake.recognised()) return;
  if (intake.refused()) {
    const Bytes value = answers_.refusal(now, asker, *intake.refused(), intake.path_text());
    return respond(now, asker, value, true);
  }
  AcceptedRequest request = intake.accept();
  if (answer_repeat(now, *link, request)) return;
  if (is_write(request) && link->remembered.full()) return refuse_worn_out(now, request);
  execute(now, std::move(request));
}

void MeshServer::drop_body(const AcceptedRequest& request) {
  if (const auto* upload = std::get_if<storage::UploadId>(&request.body)) {
    context_.store.submit(storage::AbortUpload{*upload});
  }
}

void MeshServer::refuse_worn_out(Now now, const AcceptedRequest& request) {
  const Refused why{protocol::StoreCode::storage_full, 503,
                    "this link has carried as many writes as can be remembered: open a new one"};
  if (request.digest) {
    static_cast<void>(link_of(request.asker.link)->remembered.end(*request.digest, false));
  }
  drop_body(request);
  respond(now, request.asker, answers_.refusal(now, request.asker, why, request.message.path),
          true);
}

// True: the same signed request was here before, and gets the answer of then.
bool MeshServer::answer_repeat(Now now, Link& link, const AcceptedRequest& request) {
  if (!request.digest) return false;
  const Bytes* kept = link.remembered.find(*request.digest);
  if (kept == nullptr && link.remembered.is_done(*request.digest)) {
    const Refused why{protocol::StoreCode::sync_conflict, 409,
                      "this very request was carried out before; its answer is no longer kept"};
    drop_body(request);
    respond(now, request.asker, answers_.refusal(now, request.asker, why, request.message.path),
            true);
    return true;
  }
  const bool waits = kept == nullptr && is_write(request) &&
                     !link.remembered.begin(*request.digest, request.asker.request);
  if (kept == nullptr && !waits) return false;
  drop_body(request);
  if (kept != nullptr) respond(now, request.asker, *kept, is_compressible(request));
  return true;
}

// ---- Execution and answers.

void MeshServer::execute(Now now, AcceptedRequest request) {
  Link& link = links_.at(request.asker.link);
  RequestWork::Ends ends;
  ends.answered = [this](Now later, RequestWork& work, const Bytes& value, bool lasting) {
    on_answered(later, work, value, lasting);
  };
  ends.streaming = [this](Now later, RequestWork& work, std::uint64_t size) {
    return on_streaming(later, work, size);
  };
  ends.supply = [this](Now later, RequestWork& work, const Bytes& bytes) {
    on_supply(later, work, bytes);
  };
  ends.broken = [this](Now later, RequestWork& work) { on_broken(later, work); };
  const auto work = std::make_shared<RequestWork>(context_, std::move(request), std::move(ends));
  link.works.push_back(work);
  work->start(now);
}

void MeshServer::on_answered(Now now, RequestWork& work, const Bytes& value, bool lasting) {
  const AcceptedRequest& request = work.request();
  Link* link = link_of(request.asker.link);
  if (link == nullptr) return;
  const bool compress = is_compressible(request);
  respond(now, request.asker, value, compress);
  if (request.digest) {
    for (const auto& waiting : link->remembered.end(*request.digest, lasting)) {
      respond(now, {request.asker.link, waiting, request.asker.form}, value, compress);
    }
    if (lasting) link->remembered.keep(*request.digest, value);
  }
  forget_work(work);
}

bool MeshServer::on_streaming(Now now, RequestWork& work, std::uint64_t size) {
  const AcceptedRequest& request = work.request();
  Link* link = link_of(request.asker.link);
  if (link == nullptr) return false;
  const auto self = std::find_if(link->works.begin(), link->works.end(),
                                 [&](const Work& each) { return each.get() == &work; });
  if (self == link->works.end()) return false;
  const auto transfer = context_.endpoint.respond_streamed(
      now, request.asker.link, request.asker.request, size, is_compressible(request));
  if (transfer) {
    streams_.emplace(*transfer, *self);
    return true;
  }
  if (transfer.error().code == Errc::limit) say_busy(now, request.asker);
  link->works.erase(self);
  return false;
}

void MeshServer::on_supply(Now now, RequestWork& work, ByteView bytes) {
  const auto transfer = stream_of(work);
  if (transfer && !context_.endpoint.supply(now, *transfer, bytes)) end_stream(*transfer);
}

void MeshServer::on_broken(Now now, RequestWork& work) {
  const auto transfer = stream_of(work);
  if (!transfer) return;
  context_.endpoint.cancel(now, *transfer);
  end_stream(*transfer);
}

void MeshServer::respond(Now now, const Asker& asker, ByteView value, bool compress) {
  // Fails if the link went meanwhile: then nobody waits for it; or for want of room.
  const auto sent = context_.endpoint.respond(now, asker.link, asker.request, value, compress);
  if (!sent && sent.error().code == Errc::limit) say_busy(now, asker);
}

// Earlier answers wait to be taken. One of a single packet can go all the same.
void MeshServer::say_busy(Now now, const Asker& asker) {
  const Refused why{protocol::StoreCode::storage_full, 503,
                    "too many answers wait to be taken: take those first, or ask later"};
  const Bytes value = answers_.refusal(now, asker, why, {});
  static_cast<void>(
      context_.endpoint.respond(now, asker.link, asker.request, value, true).has_value());
}

// ---- Answers going out.

bool MeshServer::on(Now now, const reticulum::ContentWanted& event) {
  const auto found = streams_.find(event.transfer);
  if (found == streams_.end()) return false;
  const Work work = found->second;  // may end its entry
  work->send(now, event.offset, event.size);
  return true;
}

bool MeshServer::on(Now /*now*/, const reticulum::ContentSent& event) {
  return end_stream(event.transfer);
}

bool MeshServer::on(Now /*now*/, const reticulum::ContentUnsent& event) {
  return end_stream(event.transfer);
}

bool MeshServer::on(Now /*now*/, const reticulum::ContentProgress& event) {
  return streams_.contains(event.transfer) || intakes_.contains(event.transfer);
}

std::optional<reticulum::TransferId> MeshServer::stream_of(const RequestWork& work) const {
  for (const auto& [transfer, each] : streams_) {
    if (each.get() == &work) return transfer;
  }
  return std::nullopt;
}

bool MeshServer::end_stream(reticulum::TransferId transfer) {
  const auto found = streams_.find(transfer);
  if (found == streams_.end()) return false;
  const Work work = found->second;
  streams_.erase(found);
  work->close();
  forget_work(*work);
  return true;
}

void MeshServer::forget_work(const RequestWork& work) {
  Link* link = link_of(work.request().asker.link);
  if (link == nullptr) return;
  std::erase_if(link->works, [&](const Work& each) { return each.get() == &work; });
}

}  // namespace meshstow::node
