#include "node/request_intake.hpp"

#include "crypto/hash.hpp"

namespace meshstow::node {
namespace {

constexpr const char* kNotSealed = "data are not sealed for this path with a key of this space";
constexpr const char* kTooMuch = "too much is being received: ask again later";
constexpr const char* kMakesRoom = "others needed the room: ask again later";
constexpr const char* kTooLargeToHold =
    "too large to be held for whoever has not shown a token yet: put data behind path and headers, "
    "in MessagePack";

const protocol::StorageRequest* request_of(const protocol::MessageReader& reader) {
  return std::get_if<protocol::StorageRequest>(&reader.message());
}

access::Operation right_for(protocol::Operation operation) {
  return operation == protocol::Operation::get ? access::Operation::read : access::Operation::write;
}

}  // namespace

RequestIntake::RequestIntake(ServerContext& context, const reticulum::ContentStarted& started,
                             base::Holder who, Ready ready)
    : context_(context),
      transfer_(started.transfer),
      link_(started.link),
      request_(started.request),
      who_(who),
      ready_(std::move(ready)),
      reader_([this](ByteView piece) { return take_data(piece); }),
      held_(context.messages, who, [this] { give_up(busy(kMakesRoom)); }) {
  // A small body is here until it is executed.
  const std::uint64_t small = std::min<std::uint64_t>(started.size, limits::kInlineDocument);
  if (!held_.take(static_cast<std::size_t>(small))) give_up(busy(kTooMuch));
}

std::string_view RequestIntake::path_text() const {
  const auto* request = request_of(reader_);
  return request == nullptr ? std::string_view() : request->path;
}

Asker RequestIntake::asker() const {
  return {.link = link_, .request = request_, .form = reader_.form()};
}

void RequestIntake::refuse(Refused why) {
  if (!refused_) refused_ = std::move(why);  // the first reason is the one to tell
  drop_upload();
}

void RequestIntake::give_up(Refused why) {
  broken_ = true;
  reader_.forget();
  held_.give_all_back();
  refuse(std::move(why));
}

void RequestIntake::take(Now now, ByteView piece) {
  now_ = now;
  held_.moved();
  progressed(received_ + piece.size());
  if (!broken_) read(piece);
  drain();
  // Answered pieces make room for the next segment: not before the store has taken this one.
  waiting_ = waits_for_store();
  if (!waiting_) context_.endpoint.content_taken(now, transfer_);
}

void RequestIntake::read(ByteView piece) {
  const auto fed = reader_.feed(piece);
  if (!fed) return give_up(refused_by_reader(fed.error()));
  hold();
}

// What the reader holds whole.
void RequestIntake::hold() {
  const std::size_t bytes = reader_.held_bytes();
  if (bytes <= held_.size() || held_.take(bytes - held_.size())) return;
  const bool is_stranger = who_.kind == base::Holder::Kind::stranger;
  give_up(is_stranger && bytes > limits::kHeldMessagesOfStranger ? too_large(kTooLargeToHold)
                                                                 : busy(kTooMuch));
}

Result<void> RequestIntake::take_data(ByteView piece) {
  decide();
  if (refused_ || !body_) return {};
  if (!opener_) {
    body_->take(piece);
    return {};
  }
  Bytes plain;
  if (!opener_->update(piece, plain)) {
    refuse(invalid(kNotSealed));
  } else {
    body_->take(plain);
  }
  return {};
}

void RequestIntake::decide() {
  if (decided_) return;
  decided_ = true;
  const auto* request = request_of(reader_);
  if (request == nullptr) return refuse(invalid("this is not a storage_request"));
  auto path = StoragePath::parse(request->path);
  if (!path) return refuse(invalid(std::string("path: ") + path.error().detail));
  path_ = std::move(*path);
  decide_access(*request);
  if (!refused_) read_conditions(*request);
  if (!refused_ && request->operation != protocol::Operation::get && path_->is_folder()) {
    refuse(invalid("a folder cannot be written: it is there while it holds something"));
  }
  if (!refused_ && request->operation == protocol::Operation::put) check_put(*request);
}

void RequestIntake::decide_access(const protocol::StorageRequest& request) {
  sender_ = context_.endpoint.remote_identity(link_);
  const auto user = sender_ ? std::optional(sender_->hash()) : std::nullopt;
  // A token shown on a link that nobody identified on could have been overheard elsewhere.
  const std::string_view token = user ? request.headers.bearer_token() : std::string_view();
  right_ = context_.access.decide(user, token, *path_, right_for(request.operation), now_.wall);
  if (!right_.allowed()) return refuse(refused_access(right_, user.has_value()));
  if (right_.token) context_.tokens.note_use(*right_.token, now_.wall);
  favour_link(user, right_.token);
  who_ = context_.holder(user, right_.token, who_);
}

// A token can be revoked or expire while a large request comes in.
bool RequestIntake::still_allowed() {
  if (refused_ || !decided_) return !refused_;
  right_ = context_.access.look_again(right_, now_.wall);
  if (!right_.allowed()) refuse(refused_access(right_, sender_.has_value()));
  return right_.allowed();
}

// Whoever has shown a right keeps its place on a crowded connection.
void RequestIntake::favour_link(const std::optional<access::IdentityHash>& user,
                                const std::optional<access::TokenId>& token) {
  std::optional<Hash16> party;
  if (token) {
    party = crypto::hash16(token->view());
  } else if (user && context_.access.check_access(user, *path_, access::Operation::write)) {
    party = *user;
  }
  // A link that is gone needs no place.
  if (party) static_cast<void>(context_.endpoint.favour(now_, link_, *party).has_value());
}

void RequestIntake::read_conditions(const protocol::StorageRequest& request) {
  const bool writes = request.operation != protocol::Operation::get;
  auto conditions =
      storage::parse_conditions(request.headers.if_match, request.headers.if_none_match, writes);
  if (!conditions) {
    return refuse(invalid(std::string("If-None-Match: ") + conditions.error().detail));
  }
  conditions_ = std::move(*conditions);
}

void RequestIntake::check_put(const protocol::StorageRequest& request) {
  if (request.headers.content_type && request.headers.content_type->size() > limits::kContentType) {
    return refuse(invalid("Content-Type is too long"));
  }
  if (path_->is_secret()) opener_.emplace(context_.keys, context_.owner, *path_);
  auto size = reader_.data_size();
  const std::uint64_t most = path_->is_secret()
                                 ? access::EnvelopeSealer::sealed_size(limits::kDocument)
                                 : limits::kDocument;
  if (size && *size > most) return refuse(too_large("the document is too large"));
  if (size && opener_) size = access::EnvelopeSealer::opened_size(*size);
  body_ = std::make_unique<storage::BodyUpload>(context_.uploads, who_, context_.rng.next_u64(),
                                                *path_, size);
}

bool RequestIntake::waits_for_store() const {
  return !refused_ && !ended_ && body_ && !body_->wants_more();
}

bool RequestIntake::is_too_slow(Now now, Duration patience) {
  if (!ended_ && !waiting_) return pace_.is_too_slow(now.mono, received_, patience);
  pace_.forgive(now.mono, received_, patience);
  return false;
}

// What the body asks of the store.
void RequestIntake::drain() {
  if (!body_ || !still_allowed()) return;
  if (body_->refused()) return refuse(refused_by_store(*body_->refused()));
  while (auto asked = body_->next()) {
    context_.store.submit(
        std::move(asked->operation),
        [self = shared_from_this(), step = asked->step](Now now, const StoreOutcome& outcome) {
          self->on_stored(now, step, outcome);
        });
  }
}

void RequestIntake::on_stored(Now now, storage::BodyUpload::Step step,
                              const StoreOutcome& outcome) {
  now_ = now;
  if (body_) body_->answered(step, outcome);
  drain();
  if (ended_) return finish_if_whole(now);
  if (!waiting_ || waits_for_store()) return;
  waiting_ = false;
  if (ready_) context_.endpoint.content_taken(now, transfer_);
}

void RequestIntake::end(Now now) {
  now_ = now;
  ended_ = true;
  if (!broken_) {
    if (const auto whole = reader_.finish(); !whole) give_up(refused_by_reader(whole.error()));
  }
  if (!broken_) {
    decide();
    verify();
    open_rest();
  }
  if (body_) body_->end();
  drain();
  finish_if_whole(now);
}

void RequestIntake::verify() {
  if (refused_ || !sender_) return;
  const auto verified = reader_.verify(link_, sender_->signing_key());
  if (!verified) refuse({protocol::StoreCode::access_denied, 401, verified.error().detail});
}

void RequestIntake::open_rest() {
  if (refused_ || !opener_) return;
  Bytes plain;
  if (!opener_->finish(plain)) return refuse(invalid(kNotSealed));
  body_->take(plain);
}

void RequestIntake::finish_if_whole(Now now) {
  if (!ready_) return;
  if (still_allowed() && body_ && !body_->is_whole()) return;
  const auto self = shared_from_this();  // `ready` lets go of us
  std::exchange(ready_, {})(now, *this);
}

AcceptedRequest RequestIntake::accept() {
  AcceptedRequest out;
  out.asker = asker();
  out.who = who_;
  out.path = *path_;
  out.message = *request_of(reader_);
  out.conditions = std::move(conditions_);
  out.body = std::move(body_);
  out.right = right_;
  if (sender_) out.digest = reader_.digest();
  return out;
}

void RequestIntake::drop_upload() {
  if (body_) abort_body(context_.store, *std::exchange(body_, nullptr));
}

void RequestIntake::abandon() {
  ready_ = {};
  drop_upload();
}

}  // namespace meshstow::node
