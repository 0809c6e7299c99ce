#include "base/limits.hpp"
#include "http/documents.hpp"
#include "http/replies.hpp"
#include "http/target.hpp"

namespace meshstow::http {
namespace {

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

DocumentPut::DocumentPut(Core& core, Now now, Context context, Authority authority,
                         StoragePath path, storage::Conditions conditions, const Request& request)
    : StorageExchange(core, std::move(context), std::move(authority), std::move(path)),
      conditions_(std::move(conditions)),
      content_type_(request.header("Content-Type").value_or("")),
      announced_(request.has_body ? request.content_length : 0),
      upload_(core_.uploads, authority_.holder(), core_.new_upload_id(), path_, announced_) {
  if (announced_ && *announced_ > limits::kDocument) {
    refuse(failure_reply(context_, {.refusal = storage::Refusal::too_large}, true));
  } else if (announced_.value_or(0) > limits::kHttpSmallBody) {
    check_first(now);
  }
}

DocumentPut::~DocumentPut() {
  if (work_ != 0) core_.work.erase(work_);
}

bool DocumentPut::wants_body() const {
  return !finished() && !aborted() && !body_ended_ && !checking_ && upload_.wants_more();
}

// A large body that cannot be stored as things are is refused before it is sent.
void DocumentPut::check_first(Now now) {
  if (!conditions_.if_match && !conditions_.if_none_match) return begin_upload(now);
  checking_ = true;
  storage::OpenDocument look{.path = path_, .version = {}, .conditions = conditions_};
  look.max_bytes = 0;
  ask<storage::OpenedDocument>(std::move(look), [this](Now later, auto outcome) {
    checking_ = false;
    if (finished() || aborted()) return;
    if (outcome) return begin_upload(later);
    storage::Failure failure = outcome.error();
    const bool missing = failure.refusal == storage::Refusal::not_found;
    if (missing && !conditions_.if_match) return begin_upload(later);
    if (missing) failure.refusal = storage::Refusal::precondition_failed;
    refuse(failure_reply(context_, failure, /*is_write=*/true));
  });
}

void DocumentPut::begin_upload(Now now) {
  upload_.begin();
  go_on(now);
}

void DocumentPut::on_body(Now now, ByteView piece) {
  if (!allowed(now, access::Operation::write)) {
    return refuse(denied_reply(context_, access::Verdict::unauthenticated, true));
  }
  upload_.take(piece);
  go_on(now);
  report(now);
}

void DocumentPut::on_body_end(Now now) {
  body_ended_ = true;
  upload_.end();
  go_on(now);
}

void DocumentPut::go_on(Now now) {
  drain();
  if (finished() || aborted()) return;
  if (upload_.refused()) {
    return reply(failure_reply(context_, *upload_.refused(), /*is_write=*/true));
  }
  if (const auto& written = upload_.written()) {
    return reply(written_reply(context_, written->created ? 201 : 200, written->etag));
  }
  if (!upload_.is_whole() || std::exchange(committed_, true)) return;
  // A transfer takes time: the right to make the write must hold when it is made.
  if (!allowed(now, access::Operation::write)) {
    return refuse(denied_reply(context_, access::Verdict::unauthenticated, true));
  }
  upload_.commit(content_type_, std::move(conditions_));
  drain();
}

// What the body asks of the store, to the last: it keeps a place until it is told.
void DocumentPut::drain() {
  while (auto asked = upload_.next()) {
    submit(std::move(asked->operation),
           [this, step = asked->step](Now now, const storage::Outcome<storage::Answer>& outcome) {
             upload_.answered(step, outcome);
             go_on(now);
           });
  }
}

void DocumentPut::refuse(Reply refused) {
  upload_.abort();
  drain();
  reply(std::move(refused));
}

void DocumentPut::on_abort() {
  upload_.abort();
  drain();
}

void DocumentPut::report(Now now) {
  if (upload_.received() < kShownUpload || now.mono - reported_ < kReportEvery) return;
  reported_ = now.mono;
  if (work_ == 0) work_ = core_.last_work += 2;
  core_.work[work_] = {.title = "Receiving " + client_path(path_).value_or("a document"),
                       .done = upload_.received(),
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
