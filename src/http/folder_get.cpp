#include "base/limits.hpp"
#include "http/content_type.hpp"
#include "http/documents.hpp"
#include "http/replies.hpp"

namespace meshstow::http {
namespace {

constexpr std::size_t kPage = 1000;
constexpr int kAttempts = 8;  // at a folder that changes while it is read

const StoragePath& private_folder() {
  static const StoragePath folder = StoragePath::parse("/private/").value();
  return folder;
}

// What the root shows of itself; everything else in it is below /private/.
bool is_shown_in_root(const storage::FolderItem& item) {
  return item.is_folder && (item.name == "public" || item.name == "shared");
}

}  // namespace

FolderGet::FolderGet(Core& core, Context context, Authority authority, StoragePath path,
                     storage::Conditions conditions)
    : StorageExchange(core, std::move(context), std::move(authority), std::move(path)),
      conditions_(std::move(conditions)),
      listed_(path_.is_root() ? private_folder() : path_) {
  probe();
}

// The folder's tag alone decides about 304, and whether the last description still holds.
void FolderGet::probe() {
  const std::size_t items = path_.is_root() ? kPage : 0;
  ask<storage::FolderPage>(storage::ListFolder{path_, {}, items},
                           [this](Now now, const auto& outcome) { probed(now, outcome); });
}

void FolderGet::probed(Now now, const storage::Outcome<storage::FolderPage>& outcome) {
  if (!outcome) return reply(failure_reply(context_, outcome.error(), /*is_write=*/false));
  etag_ = outcome->etag;
  listed_etag_.reset();
  if (conditions_.if_match && !conditions_.if_match->matches_strong(etag_)) {
    const storage::Failure failed{
        .refusal = storage::Refusal::precondition_failed, .detail = "", .current = etag_};
    return reply(failure_reply(context_, failed, /*is_write=*/false));
  }
  if (conditions_.if_none_match && conditions_.if_none_match->matches_weak(etag_)) {
    Reply unchanged;
    unchanged.head = head();
    unchanged.head.status = 304;
    return reply(std::move(unchanged));
  }
  if (const auto json = core_.listings.find(now, path_, etag_)) {
    ResponseHead whole = head();
    whole.content_length = json->size();
    Body body = json;
    if (context_.is_head) body = std::string_view();
    return send({.head = std::move(whole), .body = std::move(body), .last = true});
  }
  if (context_.is_head && outcome->count > kPage) return send_head();
  writer_ = {};
  text_ = writer_.begin();
  if (path_.is_root()) {
    for (const storage::FolderItem& item : outcome->items) {
      if (item.is_folder && item.name == "private") listed_etag_ = item.etag;
    }
    std::vector<storage::FolderItem> shown;
    std::copy_if(outcome->items.begin(), outcome->items.end(), std::back_inserter(shown),
                 is_shown_in_root);
    text_ += writer_.items(shown, now.wall);
  }
  next_page();
}

void FolderGet::next_page() {
  paging_ = true;
  ask<storage::FolderPage>(storage::ListFolder{listed_, after_, kPage},
                           [this](Now now, auto outcome) { got_page(now, std::move(outcome)); });
}

void FolderGet::got_page(Now now, storage::Outcome<storage::FolderPage> outcome) {
  paging_ = false;
  if (aborted()) return;
  if (!outcome) {
    if (streaming_) return break_off();
    return reply(failure_reply(context_, outcome.error(), /*is_write=*/false));
  }
  if (!is_same_state(*outcome)) return changed_meanwhile();
  if (path_.is_root()) {
    std::erase_if(outcome->items, [](const storage::FolderItem& item) {
      return item.name == "public" || item.name == "shared";
    });
  }
  text_ += writer_.items(outcome->items, now.wall);
  after_ = std::move(outcome->next);
  more_ = !after_.empty();
  if (!more_) text_ += writer_.end();
  if (context_.is_head && more_) return send_head();
  if (!more_ && !streaming_) return send_whole(now);
  if (streaming_ || text_.size() > limits::kHttpListing) return send_pending(!more_);
  next_page();
}

// Every page is of one state of the store, and tells the folder's tag in it.
bool FolderGet::is_same_state(const storage::FolderPage& page) {
  if (!path_.is_root() && !streaming_ && after_.empty()) {
    listed_etag_ = etag_ = page.etag;  // the first page: nothing of another state is told yet
  }
  if (!listed_etag_) return page.count == 0;  // a root without /private/
  return page.etag == *listed_etag_;
}

// A tag above other contents would hide them from whoever keeps both. What is begun cannot be taken
// back, so it gets no end.
void FolderGet::changed_meanwhile() {
  if (streaming_) return break_off();
  if (++attempts_ == kAttempts) {
    return reply(busy_reply(context_, "The folder changes faster than it can be listed."));
  }
  after_.clear();
  probe();
}

void FolderGet::send_whole(Now now) {
  auto json = std::make_shared<const std::string>(std::move(text_));
  core_.listings.keep(now, path_, etag_, json);
  ResponseHead whole = head();
  whole.content_length = json->size();
  Body body = std::move(json);
  if (context_.is_head) body = std::string_view();
  send({.head = std::move(whole), .body = std::move(body), .last = true});
}

// Of a folder with many names nobody makes the listing to tell how long it is.
void FolderGet::send_head() {
  ResponseHead alone = head();
  alone.framing = Framing::none;
  send({.head = std::move(alone), .body = std::string_view(), .last = true});
}

void FolderGet::send_pending(bool last) {
  std::optional<ResponseHead> first;
  if (!streaming_) {
    streaming_ = true;
    first = head();
    first->framing = Framing::chunked;
  }
  send({.head = std::move(first), .body = std::exchange(text_, {}), .last = last});
}

void FolderGet::on_sent(Now now) {
  if (!streaming_ || paging_) return;
  if (!allowed(now, access::Operation::read)) return break_off();
  next_page();
}

ResponseHead FolderGet::head() const {
  ResponseHead head;
  head.headers.add("Content-Type", protocol::kFolderContentType);
  head.headers.add("ETag", etag_.quoted());
  head.headers.add("Cache-Control",
                   context_.attachment ? "private, no-cache" : cache_control(path_));
  add_context_headers(head.headers, context_);
  add_sandbox(head.headers);
  return head;
}

}  // namespace meshstow::http
