#include "node/request_work.hpp"

namespace meshstow::node {
namespace {

constexpr std::uint64_t kWholeAnswer = limits::kInlineDocument + 1024;
// base64 and the members around it must fit limits::kJsonMessage.
constexpr std::uint64_t kJsonBody = (limits::kJsonMessage - limits::kMessageHead) / 4 * 3;
constexpr std::size_t kFolderPage = 1000;

// Some answers would be another one a moment later, without anybody having changed anything.
bool is_lasting(const storage::Failure& failure) {
  return failure.refusal != storage::Refusal::unavailable &&
         failure.refusal != storage::Refusal::full;
}

Refused unexpected() { return busy("the store gave another answer than was asked"); }

}  // namespace

RequestWork::RequestWork(ServerContext& context, AcceptedRequest request, Ends ends)
    : context_(context),
      answers_(context.device),
      request_(std::move(request)),
      ends_(std::move(ends)),
      held_(context.answers, request_.who, [this] {
        evicted_ = true;
        if (streaming_) ends_.evicted(*this);
      }) {}

void RequestWork::start(Now /*now*/) {
  switch (request_.message.operation) {
    case protocol::Operation::put: return put();
    case protocol::Operation::remove: return remove();
    case protocol::Operation::get: break;
  }
  if (request_.path.is_folder()) return list_on({});
  open_document();
}

void RequestWork::close() {
  if (closed_) return;
  closed_ = true;
  held_.give_all_back();
  if (document_.handle != 0) context_.store.submit(storage::CloseDocument{document_.handle});
}

// ---- Answers.

void RequestWork::refuse(Now now, const Refused& why, bool lasting) {
  close();
  ends_.answered(now, *this, answers_.refusal(now, request_.asker, why, request_.message.path),
                 lasting);
}

// What is too much for this asker at any time, and what is too much now.
void RequestWork::refuse_to_hold(Now now, std::uint64_t bytes) {
  const bool is_stranger = request_.who.kind == base::Holder::Kind::stranger;
  if (is_stranger && bytes > limits::kHeldAnswersOfStranger) {
    return refuse(now,
                  too_large("too large to be made whole for whoever has no token: ask in "
                            "MessagePack"),
                  true);
  }
  refuse(now, busy("too many answers are being made: ask again later"), false);
}

void RequestWork::refuse(Now now, const storage::Failure& failure) {
  refuse(now, refused_by_store(failure), is_lasting(failure));
}

// A token can be revoked or expire while a large answer is made or sent.
std::optional<Refused> RequestWork::refused_meanwhile(Now now) const {
  const access::Decision right = context_.access.look_again(request_.right, now.wall);
  if (right.allowed()) return std::nullopt;
  return refused_access(right, /*identified=*/true);  // else it had shown no token
}

void RequestWork::answer(Now now, const protocol::StorageResponse& response,
                         const std::optional<ByteView>& data) {
  if (data) {
    if (const auto why = refused_meanwhile(now)) return refuse(now, *why, false);
  }
  close();
  ends_.answered(now, *this, answers_.response(now, request_.asker, response, data), true);
}

void RequestWork::not_modified(Now now, const storage::ETag& etag) {
  protocol::StorageResponse response;
  response.status = 304;
  response.headers.etag = etag.quoted();
  answer(now, response, {});
}

// ---- Writing.

void RequestWork::put() {
  request_.body->commit(request_.message.headers.content_type.value_or(""), request_.conditions);
  drain_body();
}

void RequestWork::drain_body() {
  using Step = storage::BodyUpload::Step;
  while (auto asked = request_.body->next()) {
    context_.store.submit(
        std::move(asked->operation),
        [self = shared_from_this(), step = asked->step](Now now, const StoreOutcome& outcome) {
          self->request_.body->answered(step, outcome);
          self->drain_body();
          if (step == Step::put) self->on_written(now, outcome, false);
        });
  }
}

void RequestWork::remove() {
  context_.store.submit(storage::RemoveDocument{request_.path, request_.conditions},
                        [self = shared_from_this()](Now now, const StoreOutcome& outcome) {
                          self->on_written(now, outcome, true);
                        });
}

void RequestWork::on_written(Now now, const StoreOutcome& outcome, bool deleted) {
  if (!outcome) return refuse(now, outcome.error());
  const auto* written = std::get_if<storage::WriteResult>(&*outcome);
  if (written == nullptr) return refuse(now, unexpected(), false);
  context_.on_change(now, request_.path, written->etag, deleted);
  protocol::StorageResponse response;
  response.headers.etag = written->etag.quoted();
  answer(now, response, {});
}

// ---- Reading a document.

void RequestWork::open_document() {
  context_.store.submit(
      storage::OpenDocument{.path = request_.path, .conditions = request_.conditions},
      [self = shared_from_this()](Now now, StoreOutcome outcome) {
        self->on_opened(now, std::move(outcome));
      });
}

void RequestWork::on_opened(Now now, StoreOutcome outcome) {
  if (!outcome) {
    const storage::Failure& failure = outcome.error();
    if (failure.refusal == storage::Refusal::not_modified && failure.current) {
      if (request_.conditions.if_none_match->any) return describe();
      return not_modified(now, *failure.current);
    }
    return refuse(now, failure);
  }
  auto* opened = std::get_if<storage::OpenedDocument>(&*outcome);
  if (opened == nullptr) return refuse(now, unexpected(), false);
  document_ = std::move(*opened);
  if (request_.path.is_secret()) {
    seal_ = Seal{context_.rng.bytes<access::EnvelopeVersion::size()>(), context_.rng.bytes<12>()};
  }
  body_size_ = DocumentStream::sent_size(document_.info, seal_.has_value());
  stream_ = new_stream();
  const bool json = request_.asker.form != protocol::Form::msgpack;
  if (json && body_size_ > kJsonBody) {
    return refuse(now, too_large("too large for a JSON answer: ask in MessagePack"), true);
  }
  if (body_size_ > protocol::kMaxMessageData) {
    return refuse(now, too_large("too large for one message"), true);
  }
  const bool streams = !json && body_size_ > kWholeAnswer;
  const std::uint64_t holds = streams ? limits::kHeldByStream : body_size_;
  if (!held_.take(static_cast<std::size_t>(holds))) return refuse_to_hold(now, holds);
  streams ? hash_on(now) : collect(now);
}

// If-None-Match: * asks for no body whatever the version. Its 304 says all that a 200 would have
// said, so that a client learns size and type for the price of one packet.
void RequestWork::describe() {
  context_.store.submit(storage::OpenDocument{.path = request_.path, .max_bytes = 0},
                        [self = shared_from_this()](Now now, StoreOutcome outcome) {
                          if (self->closed_) return;
                          if (!outcome) return self->refuse(now, outcome.error());
                          auto* opened = std::get_if<storage::OpenedDocument>(&*outcome);
                          if (opened == nullptr) return self->refuse(now, unexpected(), false);
                          self->document_ = std::move(*opened);
                          auto response = self->document_head();
                          response.status = 304;
                          self->answer(now, response, {});
                        });
}

std::shared_ptr<DocumentStream> RequestWork::new_stream() {
  return std::make_shared<DocumentStream>(context_, request_.path, document_, seal_);
}

protocol::StorageResponse RequestWork::document_head() const {
  protocol::StorageResponse response;
  response.headers.content_type = document_.info.content_type;
  response.headers.etag = document_.info.etag.quoted();
  response.headers.content_length = std::to_string(document_.info.size);
  return response;
}

// Nobody waits any more, or had to make room before anything was sent.
bool RequestWork::is_over(Now now) {
  if (evicted_ && !closed_) refuse(now, busy("others needed the room: ask again later"), false);
  return closed_;
}

void RequestWork::collect(Now now) {
  stream_->next(now, [self = shared_from_this()](Now later, storage::Outcome<Bytes> piece) {
    if (self->is_over(later)) return;
    if (!piece) return self->refuse(later, piece.error());
    base::append(self->whole_, *piece);
    if (!self->stream_->at_end()) return self->collect(later);
    self->answer(later, self->document_head(), ByteView(self->whole_));
  });
}

void RequestWork::hash_on(Now now) {
  stream_->next(now, [self = shared_from_this()](Now later, storage::Outcome<Bytes> piece) {
    if (self->is_over(later)) return;
    if (!piece) return self->refuse(later, piece.error());
    self->hash_.update(*piece);
    if (!self->stream_->at_end()) return self->hash_on(later);
    self->start_streaming(later);
  });
}

void RequestWork::start_streaming(Now now) {
  const protocol::OutgoingData data{.size = body_size_, .sha256 = hash_.finish()};
  auto around = answers_.around(now, request_.asker, document_head(), data);
  const std::uint64_t size = around.head.size() + body_size_ + around.tail.size();
  ready_ = std::move(around.head);
  tail_ = std::move(around.tail);
  stream_ = new_stream();
  streaming_ = true;
  if (!ends_.streaming(now, *this, size)) close();
}

void RequestWork::send(Now now, std::uint64_t offset, std::size_t size) {
  // Whoever asks for what was sent already, or for two pieces at once, is not our endpoint.
  if (closed_ || offset != sent_ || wanted_ != 0) return ends_.broken(now, *this);
  held_.moved();
  if (refused_meanwhile(now)) return ends_.broken(now, *this);
  wanted_ = size;
  fill(now);
}

void RequestWork::fill(Now now) {
  if (closed_ || reading_) return;
  if (ready_.size() < wanted_ && !stream_->at_end()) {
    reading_ = true;
    stream_->next(now, [self = shared_from_this()](Now later, storage::Outcome<Bytes> piece) {
      self->reading_ = false;
      if (self->closed_) return;
      if (!piece) return self->ends_.broken(later, *self);
      base::append(self->ready_, *piece);
      if (self->stream_->at_end()) base::append(self->ready_, self->tail_);
      self->fill(later);
    });
    return;
  }
  if (ready_.size() < wanted_) return ends_.broken(now, *this);
  const auto end = ready_.begin() + static_cast<std::ptrdiff_t>(wanted_);
  Bytes piece(ready_.begin(), end);
  ready_.erase(ready_.begin(), end);
  sent_ += piece.size();
  wanted_ = 0;
  ends_.supply(now, *this, std::move(piece));
}

// ---- Reading a folder.

void RequestWork::list_on(Bytes after) {
  context_.store.submit(storage::ListFolder{request_.path, std::move(after), kFolderPage},
                        [self = shared_from_this()](Now now, StoreOutcome outcome) {
                          self->on_page(now, std::move(outcome));
                        });
}

void RequestWork::on_page(Now now, StoreOutcome outcome) {
  if (is_over(now)) return;
  if (!outcome) return refuse(now, outcome.error());
  auto* page = std::get_if<storage::FolderPage>(&*outcome);
  if (page == nullptr) return refuse(now, unexpected(), false);
  if (!folder_tag_) {
    folder_tag_ = page->etag;  // read before all items: never newer than what is listed
    const storage::Conditions& conditions = request_.conditions;
    if (conditions.if_match && !conditions.if_match->matches_strong(folder_tag_)) {
      return refuse(now, {storage::Refusal::precondition_failed, "", folder_tag_});
    }
    if (conditions.if_none_match && conditions.if_none_match->matches_weak(folder_tag_)) {
      return not_modified(now, *folder_tag_);
    }
    whole_ = base::to_bytes(base::as_bytes(folder_.begin()));
  }
  const std::string items = folder_.items(page->items, now.wall);
  const bool json = request_.asker.form != protocol::Form::msgpack;
  const std::size_t most = json ? kJsonBody : limits::kJsonMessage;
  if (whole_.size() + items.size() > most) {
    return refuse(now, too_large("the folder is too large to be listed in one answer"), false);
  }
  if (!held_.take(items.size())) return refuse_to_hold(now, whole_.size() + items.size());
  base::append(whole_, base::as_bytes(items));
  if (!page->next.empty()) return list_on(std::move(page->next));
  answer_folder(now);
}

void RequestWork::answer_folder(Now now) {
  base::append(whole_, base::as_bytes(folder_.end()));
  protocol::StorageResponse response;
  response.headers.content_type = std::string(protocol::kFolderContentType);
  response.headers.etag = folder_tag_->quoted();
  response.headers.content_length = std::to_string(whole_.size());
  if (!request_.path.is_secret()) return answer(now, response, ByteView(whole_));
  access::StorageEncryption encryption(context_.keys, context_.rng);
  const auto sealed = encryption.encrypt_data(whole_, context_.owner, request_.path);
  if (!sealed) return refuse(now, unexpected(), false);
  answer(now, response, ByteView(*sealed));
}

}  // namespace meshstow::node
