#include "node/mesh_server.hpp"

#include <algorithm>

namespace meshstow::node {
namespace {

constexpr Duration kLookEvery = std::chrono::seconds(5);  // for what moves too slowly

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

MeshServer::Link::Link(ServerContext& context, const reticulum::LinkEstablished& event)
    : remembered(context.remembered, base::Holder::stranger(event.link.view())),
      patience(std::max<Duration>(limits::kUploadPatience,
                                  limits::kUploadRoundTrips * event.round_trip)),
      who(base::Holder::stranger(event.link.view())) {}

bool MeshServer::handle_event(Now now, const reticulum::Event& event) {
  cancel_evicted(now);
  return std::visit([&](const auto& each) { return on(now, each); }, event);
}

MeshServer::Link* MeshServer::link_of(const reticulum::LinkId& id) {
  const auto found = links_.find(id);
  return found == links_.end() ? nullptr : &found->second;
}

void MeshServer::forget_intake(reticulum::TransferId transfer) {
  const auto found = intakes_.find(transfer);
  if (found == intakes_.end()) return;
  if (Link* link = link_of(found->second.started.link)) --link->intakes;
  intakes_.erase(found);
}

// ---- Links.

bool MeshServer::on(Now /*now*/, const reticulum::LinkEstablished& event) {
  if (event.incoming) links_.try_emplace(event.link, context_, event);
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
    if (each.second.started.link != event.link) return false;
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
    turn_away(now, event, busy("too many requests at once on this link"));
    return true;
  }
  const auto ready = [this, transfer = event.transfer](Now later, RequestIntake& intake) {
    on_ready(later, transfer, intake);
  };
  auto request =
      std::make_shared<RequestIntake>(context_, event, holder_of(event.link, *link), ready);
  if (request->refused()) {
    turn_away(now, event, *request->refused());
    return true;
  }
  ++link->intakes;
  intakes_.emplace(event.transfer, Intake{event, std::move(request)});
  if (look_due_ == kNever) look_due_ = now.mono + kLookEvery;
  return true;
}

base::Holder MeshServer::holder_of(const reticulum::LinkId& id, const Link& link) const {
  const auto user = context_.endpoint.remote_identity(id);
  if (!user) return link.who;
  const bool is_known = link.who.kind != base::Holder::Kind::stranger;
  return context_.holder(user->hash(), {},
                         is_known ? link.who : base::Holder::stranger(user->hash().view()));
}

void MeshServer::turn_away(Now now, const reticulum::ContentStarted& event, const Refused& why) {
  ++turned_away_;
  const Asker asker{.link = event.link, .request = event.request};
  respond(now, asker, answers_.refusal(now, asker, why, {}), true);
  if (!event.one_packet) context_.endpoint.cancel(now, event.transfer);
}

TimePoint MeshServer::deadline() const { return intakes_.empty() ? kNever : look_due_; }

// Who sends holds memory and perhaps a place for an upload meanwhile.
void MeshServer::handle_deadline(Now now) {
  if (now.mono < look_due_) return;
  look_due_ = intakes_.empty() ? kNever : now.mono + kLookEvery;
  std::vector<Intake> slow;
  for (const auto& [transfer, intake] : intakes_) {
    const Link* link = link_of(intake.started.link);
    if (link != nullptr && intake.request->is_too_slow(now, link->patience)) slow.push_back(intake);
  }
  for (const Intake& each : slow) {
    ++too_slow_;
    each.request->abandon();
    forget_intake(each.started.transfer);
    turn_away(now, each.started, busy("it came too slowly to be waited for"));
  }
}

Load MeshServer::load() const {
  Load out;
  out.links = links_.size();
  out.too_slow = too_slow_;
  out.turned_away = turned_away_;
  for (const auto& [id, link] : links_) {
    out.known += link.who.kind == base::Holder::Kind::stranger ? 0 : 1;
    out.requests += link.busy();
  }
  out.bounds = {&context_.uploads.places, &context_.uploads.small, &context_.messages,
                &context_.answers, &context_.remembered};
  return out;
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
  if (intake.refused()) {
    const Bytes value = answers_.refusal(now, asker, *intake.refused(), intake.path_text());
    return respond(now, asker, value, true);
  }
  AcceptedRequest request = intake.accept();
  if (request.who.kind != base::Holder::Kind::stranger) {
    link->who = request.who;
    link->remembered.belongs_to(request.who);
  }
  if (answer_repeat(now, *link, request)) return;
  execute(now, std::move(request));
}

// Not executed.
void MeshServer::refuse(Now now, const AcceptedRequest& request, const Refused& why) {
  if (request.body) abort_body(context_.store, *request.body);
  respond(now, request.asker, answers_.refusal(now, request.asker, why, request.message.path),
          true);
}

// True: it is answered, or will be with the first. The same signed request was here before, and
// gets the answer of then; or it could not be remembered, and so is not done.
bool MeshServer::answer_repeat(Now now, Link& link, const AcceptedRequest& request) {
  using Begun = RememberedAnswers::Begun;
  if (!request.digest) return false;
  if (const auto* kept = link.remembered.find(*request.digest)) {
    if (request.body) abort_body(context_.store, *request.body);
    answer_in_form(now, request.asker, *kept, is_compressible(request));
    return true;
  }
  if (link.remembered.is_done(*request.digest)) {
    refuse(now, request,
           {protocol::StoreCode::sync_conflict, 409,
            "this very request was carried out before; its answer is no longer kept"});
    return true;
  }
  if (!is_write(request)) return false;
  const Begun begun = link.remembered.begin(*request.digest, request.asker);
  if (begun == Begun::first) return false;
  if (begun == Begun::full) {
    refuse(now, request,
           busy("this link has carried as many writes as can be remembered: open a new one"));
  } else if (request.body) {
    abort_body(context_.store, *request.body);
  }
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
  ends.evicted = [this](const RequestWork& work) {
    if (const auto transfer = stream_of(work)) evicted_.push_back(*transfer);
  };
  ends.broken = [this](Now later, RequestWork& work) { on_broken(later, work); };
  const auto work = std::make_shared<RequestWork>(context_, std::move(request), std::move(ends));
  link.works.push_back(work);
  work->start(now);
}

// Whoever opened a document since may have taken their room.
void MeshServer::cancel_evicted(Now now) {
  for (const reticulum::TransferId transfer : std::exchange(evicted_, {})) {
    context_.endpoint.cancel(now, transfer);
    end_stream(transfer);
  }
}

void MeshServer::on_answered(Now now, RequestWork& work, const Bytes& value, bool lasting) {
  const AcceptedRequest& request = work.request();
  Link* link = link_of(request.asker.link);
  if (link == nullptr) return;
  const bool compress = is_compressible(request);
  respond(now, request.asker, value, compress);
  if (request.digest) {
    const RememberedAnswers::Kept answer{request.asker.form, value};
    for (const Asker& waiting : link->remembered.end(*request.digest, lasting)) {
      answer_in_form(now, waiting, answer, compress);
    }
    if (lasting) link->remembered.keep(*request.digest, answer.form, value);
  }
  forget_work(work);
}

bool MeshServer::on_streaming(Now now, RequestWork& work, std::uint64_t size) {
  cancel_evicted(now);
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
  if (transfer.error().code == Errc::limit) refuse_to_send(now, request.asker);
  forget_work(work);
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

void MeshServer::answer_in_form(Now now, const Asker& asker, const RememberedAnswers::Kept& answer,
                                bool compress) {
  if (asker.form == answer.form) return respond(now, asker, answer.value, compress);
  const auto value = answers_.in_form_of(asker, answer.value);
  if (value) respond(now, asker, *value, compress);
}

void MeshServer::respond(Now now, const Asker& asker, ByteView value, bool compress) {
  const auto sent = context_.endpoint.respond(now, asker.link, asker.request, value, compress);
  // Else the link went meanwhile: then nobody waits for it.
  if (!sent && sent.error().code == Errc::limit) refuse_to_send(now, asker);
}

// One packet still goes where answers that were not taken fill the room.
void MeshServer::refuse_to_send(Now now, const Asker& asker) {
  const Refused why = busy("answers that are not taken fill the room: ask again later");
  const Bytes value = answers_.refusal(now, asker, why, {});
  static_cast<void>(context_.endpoint.respond(now, asker.link, asker.request, value).has_value());
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
  if (const auto found = intakes_.find(event.transfer); found != intakes_.end()) {
    found->second.request->progressed(event.done);
    return true;
  }
  const auto found = streams_.find(event.transfer);
  if (found == streams_.end()) return false;
  found->second->moved();
  return true;
}

std::optional<reticulum::TransferId> MeshServer::stream_of(const RequestWork& work) const {
  for (const auto& [transfer, each] : streams_) {
    if (each.get() == &work) return transfer;
  }
  return std::nullopt;
}

bool MeshServer::end_stream(reticulum::TransferId transfer) {
  const auto node = streams_.extract(transfer);
  if (node.empty()) return false;
  const Work& work = node.mapped();
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
