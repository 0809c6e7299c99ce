#include "base/limits.hpp"
#include "http/documents.hpp"
#include "http/replies.hpp"
#include "http/target.hpp"

namespace meshstow::http {
namespace {

constexpr std::string_view kDefaultContentType = "application/octet-stream";
// Uploads from this size on are shown in the dashboard.
constexpr std::uint64_t kShownUpload = 1024 * 1024;
constexpr std::chrono::milliseconds kReportEvery{500};

Reply written_reply(const Context& context, int status, const storage::ETag& etag) {
  Reply reply;
  reply.head.status = status;
  reply.head.headers.add("ETag", etag.quoted());
  add_context_headers(reply.head.headers, context);
  return reply;
}

}  // namespace

DocumentPut::DocumentPut(Core& core, Context context, Authority authority, StoragePath path,
                         storage::Conditions conditions, const Request& request)
    : StorageExchange(core, std::move(context), std::move(authority), std::move(path)),
      conditions_(std::move(conditions)),
      content_type_(request.header("Content-Type").value_or(kDefaultContentType)),
      announced_(request.has_body ? request.content_length : 0) {
  if (announced_ && *announced_ > limits::kDocument) {
    refuse(failure_reply(context_, {.refusal = storage::Refusal::too_large}, true));
  } else if (announced_.value_or(0) > limits::kHttpSmallBody) {
    check_first();
  } else {
    buffer_.reserve(static_cast<std::size_t>(announced_.value_or(0)));
  }
}

DocumentPut::~DocumentPut() {
  if (has_place_) {
    const auto mine = core_.uploads.find(authority_.capability()->id);
    if (--mine->second == 0) core_.uploads.erase(mine);
  }
  if (work_ != 0) core_.work.erase(work_);
}

bool DocumentPut::wants_body() const {
  if (finished() || aborted() || body_ended_) return false;
  return stage_ == Stage::small ||
         (stage_ == Stage::streaming && in_flight_ < limits::kHttpUploadPieces);
}

// A large body that cannot be stored as things are is refused before it is sent.
void DocumentPut::check_first() {
  stage_ = Stage::checking;
  if (!conditions_.if_match && !conditions_.if_none_match) return begin_upload(announced_);
  storage::OpenDocument look{.path = path_, .version = {}, .conditions = conditions_};
  look.max_bytes = 0;
  ask<storage::OpenedDocument>(std::move(look), [this](Now, auto outcome) {
    if (finished() || aborted()) return;
    if (outcome) return begin_upload(announced_);
    storage::Failure failure = outcome.error();
    const bool missing = failure.refusal == storage::Refusal::not_found;
    if (missing && !conditions_.if_match) return begin_upload(announced_);
    if (missing) failure.refusal = storage::Refusal::precondition_failed;
    refuse(failure_reply(context_, failure, /*is_write=*/true));
  });
}

// The store has few places for uploads: no token may have them all. The user may.
bool DocumentPut::take_place() {
  if (authority_.capability() == nullptr) return true;
  std::size_t& mine = core_.uploads[authority_.capability()->id];
  if (mine >= limits::kHttpUploadsOfToken) return false;
  ++mine;
  has_place_ = true;
  return true;
}

void DocumentPut::begin_upload(std::optional<std::uint64_t> size) {
  if (!take_place()) {
    Reply full = error_reply(context_, 503, "This token has too many uploads under way.");
    full.head.headers.add("Retry-After", "5");
    return refuse(std::move(full));
  }
  upload_ = core_.new_upload_id();
  ask<storage::Done>(storage::BeginUpload{upload_, path_, size}, [this](Now, auto outcome) {
    if (finished() || aborted()) return;
    if (!outcome) {
      upload_ = 0;
      return refuse(failure_reply(context_, outcome.error(), /*is_write=*/true));
    }
    if (stage_ == Stage::checking) stage_ = Stage::streaming;
  });
}

void DocumentPut::on_body(Now now, ByteView piece) {
  if (!allowed(now, access::Operation::write)) {
    return refuse(denied_reply(context_, access::Verdict::unauthenticated, true));
  }
  received_ += piece.size();
  if (received_ > limits::kDocument) {
    return refuse(failure_reply(context_, {.refusal = storage::Refusal::too_large}, true));
  }
  base::append(buffer_, piece);
  if (stage_ == Stage::small && buffer_.size() > limits::kHttpSmallBody) {
    // Chunked, and not small after all. Pieces may follow the request to begin in order.
    stage_ = Stage::streaming;
    begin_upload(std::nullopt);
    if (finished()) return;
  }
  if (stage_ == Stage::streaming && buffer_.size() >= limits::kHttpUploadPiece) append();
  report(now);
}

void DocumentPut::append() {
  ++in_flight_;
  storage::AppendUpload piece{upload_, std::exchange(buffer_, {})};
  ask<storage::Done>(std::move(piece), [this](Now now, auto outcome) { appended(now, outcome); });
}

void DocumentPut::appended(Now now, const storage::Outcome<storage::Done>& outcome) {
  --in_flight_;
  if (finished() || aborted()) return;
  if (!outcome) return refuse(failure_reply(context_, outcome.error(), /*is_write=*/true));
  store_if_ready(now);
}

void DocumentPut::on_body_end(Now now) {
  body_ended_ = true;
  if (stage_ == Stage::streaming && !buffer_.empty()) append();
  store_if_ready(now);
}

void DocumentPut::store_if_ready(Now now) {
  if (!body_ended_ || in_flight_ > 0 || stage_ == Stage::storing) return;
  // A transfer takes time: the right to make the write must hold when it is made.
  if (!allowed(now, access::Operation::write)) {
    return refuse(denied_reply(context_, access::Verdict::unauthenticated, true));
  }
  storage::PutDocument put{path_, content_type_, std::move(conditions_), {}};
  if (stage_ == Stage::streaming) {
    put.body = upload_;  // the store forgets it if the write is made, else we end it
  } else {
    put.body = std::move(buffer_);
  }
  stage_ = Stage::storing;
  ask<storage::WriteResult>(std::move(put), [this](Now, auto outcome) { stored(outcome); });
}

void DocumentPut::stored(const storage::Outcome<storage::WriteResult>& outcome) {
  if (!outcome) return refuse(failure_reply(context_, outcome.error(), /*is_write=*/true));
  stage_ = Stage::over;
  upload_ = 0;
  reply(written_reply(context_, outcome->created ? 201 : 200, outcome->etag));
}

void DocumentPut::refuse(Reply refused) {
  stage_ = Stage::over;
  end_upload();
  reply(std::move(refused));
}

// The store has few places for uploads, and keeps one until it is told or the document is stored.
void DocumentPut::end_upload() {
  if (upload_ != 0) submit_and_forget(storage::AbortUpload{std::exchange(upload_, 0)});
}

void DocumentPut::on_abort() {
  // While the document is being stored it is too late: the write is durable or refused, unheard,
  // and stored() ends the upload.
  if (stage_ == Stage::storing) return;
  end_upload();
  stage_ = Stage::over;
}

void DocumentPut::report(Now now) {
  if (received_ < kShownUpload || now.mono - reported_ < kReportEvery) return;
  reported_ = now.mono;
  if (work_ == 0) work_ = core_.last_work += 2;
  core_.work[work_] = {.title = "Receiving " + client_path(path_).value_or("a document"),
                       .done = received_,
                       .total = announced_.value_or(0)};
}

DocumentDelete::DocumentDelete(Core& core, Context context, Authority authority, StoragePath path,
                               storage::Conditions conditions)
    : StorageExchange(core, std::move(context), std::move(authority), std::move(path)) {
  ask<storage::WriteResult>(storage::RemoveDocument{path_, std::move(conditions)},
                            [this](Now, const storage::Outcome<storage::WriteResult>& outcome) {
                              if (outcome) {
                                reply(written_reply(context_, 200, outcome->etag));
                              } else {
                                reply(failure_reply(context_, outcome.error(), /*is_write=*/true));
                              }
                            });
}

}  // namespace meshstow::http
