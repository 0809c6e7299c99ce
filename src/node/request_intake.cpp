#include "node/request_intake.hpp"

#include "crypto/hash.hpp"

namespace meshstow::node {
namespace {

constexpr std::size_t kAppendPiece = std::size_t{1024} * 1024;
constexpr const char* kNotSealed = "data are not sealed for this path with a key of this space";

const protocol::StorageRequest* request_of(const protocol::MessageReader& reader) {
  return std::get_if<protocol::StorageRequest>(&reader.message());
}

access::Operation right_for(protocol::Operation operation) {
  return operation == protocol::Operation::get ? access::Operation::read : access::Operation::write;
}

}  // namespace

RequestIntake::RequestIntake(ServerContext& context, const reticulum::ContentStarted& started,
                             Ready ready)
    : context_(context),
      transfer_(started.transfer),
      link_(started.link),
      request_(started.request),
      ready_(std::move(ready)),
      reader_([this](ByteView piece) { return take_data(piece); }),
      held_(context.memory) {}

std::string_view RequestIntake::path_text() const {
  const auto* request = request_of(reader_);
  return request == nullptr ? std::string_view() : request->path;
}

Asker RequestIntake::asker() const {
  return {.link = link_, .request = request_, .form = reader_.form()};
}

void RequestIntake::refuse(Refused why) {
  if (!refused_) refused_ = std::move(why);  // the first reason is the one to tell
  pending_.clear();
}

void RequestIntake::take(Now now, ByteView piece) {
  now_ = now;
  if (!broken_) {
    const auto fed = reader_.feed(piece);
    if (!fed) {
      broken_ = true;
      refuse(refused_by_reader(fed.error()));
    } else if (reader_.form() != protocol::Form::msgpack) {
      hold(piece.size());
    }
  }
  // Answered pieces make room for the next segment: not before the store has this one.
  if (!store_pending()) context_.endpoint.content_taken(now, transfer_);
}

// JSON is held whole by the reader.
void RequestIntake::hold(std::size_t bytes) {
  if (held_.add(bytes)) return;
  broken_ = true;
  refuse(too_large("too much JSON is being received: ask in MessagePack, or later"));
}

Result<void> RequestIntake::take_data(ByteView piece) {
  decide();
  if (refused_) return {};
  const auto* request = request_of(reader_);
  if (request == nullptr || request->operation != protocol::Operation::put) return {};
  if (!opener_) {
    base::append(pending_, piece);
    return {};
  }
  if (!opener_->update(piece, pending_)) refuse(invalid(kNotSealed));
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
  const auto decision =
      context_.access.decide(user, token, *path_, right_for(request.operation), now_.wall);
  if (!decision.allowed()) return refuse(refused_access(decision, user.has_value()));
  if (decision.token) context_.tokens.note_use(*decision.token, now_.wall);
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
  const auto size = reader_.data_size();
  const std::uint64_t most = path_->is_secret()
                                 ? access::EnvelopeSealer::sealed_size(limits::kDocument)
                                 : limits::kDocument;
  if (size && *size > most) refuse(too_large("the document is too large"));
}

// True if the store was asked for anything: on_stored() follows.
bool RequestIntake::store_pending() {
  const bool large = upload_ || pending_.size() > limits::kInlineDocument;
  if (refused_ || !large || pending_.empty()) return false;
  const auto stored = [self = shared_from_this()](Now now, const StoreOutcome& outcome) {
    self->on_stored(now, outcome);
  };
  if (!upload_) {
    upload_ = context_.rng.next_u64();
    auto size = reader_.data_size();
    if (size && opener_) size = access::EnvelopeSealer::opened_size(*size);
    ++stores_under_way_;
    context_.store.submit(storage::BeginUpload{*upload_, *path_, size}, stored);
  }
  for (std::size_t from = 0; from < pending_.size(); from += kAppendPiece) {
    const ByteView rest = ByteView(pending_).subspan(from);
    ++stores_under_way_;
    context_.store.submit(
        storage::AppendUpload{*upload_,
                              base::to_bytes(rest.first(std::min(rest.size(), kAppendPiece)))},
        stored);
  }
  pending_.clear();
  return true;
}

void RequestIntake::on_stored(Now now, const StoreOutcome& outcome) {
  now_ = now;
  --stores_under_way_;
  if (!outcome) refuse(refused_by_store(outcome.error()));
  if (abandoned_ || stores_under_way_ > 0) return;
  if (ended_) return finish(now);
  context_.endpoint.content_taken(now, transfer_);
}

void RequestIntake::end(Now now) {
  now_ = now;
  ended_ = true;
  if (!broken_) {
    if (const auto whole = reader_.finish(); !whole) {
      broken_ = true;
      refuse(refused_by_reader(whole.error()));
    }
  }
  if (!broken_) {
    decide();
    verify();
    open_rest();
  }
  store_pending();
  if (stores_under_way_ == 0) finish(now);
}

void RequestIntake::verify() {
  if (refused_ || !sender_) return;
  const auto verified = reader_.verify(link_, sender_->signing_key());
  if (!verified) refuse({protocol::StoreCode::access_denied, 401, verified.error().detail});
}

void RequestIntake::open_rest() {
  if (refused_ || !opener_) return;
  if (!opener_->finish(pending_)) refuse(invalid(kNotSealed));
}

void RequestIntake::finish(Now now) {
  if (refused_) drop_upload();
  const auto self = shared_from_this();  // `ready` lets go of us
  std::exchange(ready_, {})(now, *this);
}

AcceptedRequest RequestIntake::accept() {
  AcceptedRequest out;
  out.asker = asker();
  out.path = *path_;
  out.message = *request_of(reader_);
  out.conditions = std::move(conditions_);
  if (upload_) {
    out.body = *upload_;
    upload_.reset();
  } else {
    out.body = std::move(pending_);
  }
  // An answer has the form of its question.
  const Byte form = static_cast<Byte>(reader_.form());
  if (sender_) out.digest = crypto::sha256({reader_.digest().view(), ByteView(&form, 1)});
  return out;
}

void RequestIntake::drop_upload() {
  if (upload_) context_.store.submit(storage::AbortUpload{*upload_});
  upload_.reset();
}

void RequestIntake::abandon() {
  abandoned_ = true;
  ready_ = {};
  drop_upload();
}

}  // namespace meshstow::node
