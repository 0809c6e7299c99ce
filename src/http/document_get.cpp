#include "base/limits.hpp"
#include "codec/http_date.hpp"
#include "codec/percent.hpp"
#include "http/content_type.hpp"
#include "http/documents.hpp"
#include "http/replies.hpp"

namespace meshstow::http {
namespace {

constexpr std::size_t kFirstPiece = 64 * 1024;

void add_document_headers(HeaderBlock& headers, const Context& context, const StoragePath& path,
                          const storage::DocumentInfo& info, Now now) {
  headers.add("Content-Type", sent_content_type(info.content_type));
  headers.add("ETag", info.etag.quoted());
  // A date that an earlier state had as well would tell wget and curl that they have this one.
  if (info.dated) {
    headers.add("Last-Modified", codec::format_http_date(std::min(info.modified, now.wall)));
  }
  headers.add("Cache-Control", context.attachment ? "private, no-cache" : cache_control(path));
  headers.add("Accept-Ranges", "bytes");
  if (context.attachment || context.user_side || needs_sandbox(info.content_type)) {
    add_sandbox(headers);
  }
  if (context.attachment) {
    headers.add("Content-Disposition",
                "attachment; filename*=UTF-8''" + codec::percent_encode(path.name()));
  }
  add_context_headers(headers, context);
}

// Strangers are told apart by nothing but their requests.
base::Holder reader(Core& core, const Authority& authority) {
  const base::Holder who = authority.holder();
  if (who.kind != base::Holder::Kind::stranger) return who;
  Bytes number;
  base::append_big_endian(number, ++core.strangers);
  return base::Holder::stranger(number);
}

// If-Range: a strong compare, or the whole document (RFC 9110 13.1.5).
bool is_validator(std::string_view if_range, const storage::DocumentInfo& info) {
  if (if_range == info.etag.quoted()) return true;
  const auto date = codec::parse_http_date(if_range);
  return date && storage::is_date_of(*date, info.modified, info.dated);
}

}  // namespace

Result<storage::Conditions> read_conditions(const Request& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  auto out = storage::parse_conditions(request.joined("If-Match"), request.joined("If-None-Match"),
                                       /*writes=*/!reads);
  if (!out) return out;
  // A date that is none is to be ignored (RFC 9110, 13.1.3 and 13.1.4).
  if (const auto text = request.header("If-Unmodified-Since")) {
    out->if_unmodified_since = codec::parse_http_date(*text);
  }
  if (const auto text = request.header("If-Modified-Since"); text && reads) {
    out->if_modified_since = codec::parse_http_date(*text);
  }
  return out;
}

void StorageExchange::reply(Reply reply) {
  if (reply.head.framing == Framing::length) reply.head.content_length = view_of(reply.body).size();
  if (reply.head.status == 304) reply.head.framing = Framing::none;
  if (context_.is_head || reply.head.framing == Framing::none) reply.body = std::string_view();
  send({.head = std::move(reply.head), .body = std::move(reply.body), .last = true});
}

DocumentGet::DocumentGet(Core& core, Context context, Authority authority, StoragePath path,
                         storage::Conditions conditions, const Request& request)
    : StorageExchange(core, std::move(context), std::move(authority), std::move(path)),
      conditions_(std::move(conditions)),
      place_(core_.reads, reader(core_, authority_), [this] { give_way(); }) {
  if (!context_.is_head) {
    if (const auto header = request.header("Range")) range_ = parse_range(*header);
    if (range_) if_range_ = request.header("If-Range").value_or("");
  }
  open();
}

void DocumentGet::open() {
  storage::OpenDocument open{.path = path_, .version = {}, .conditions = std::move(conditions_)};
  open.max_bytes = context_.is_head ? 0 : kFirstPiece;
  // With If-Range it is not known yet whether the range counts: begin at the start.
  if (range_ && range_->first && if_range_.empty()) {
    asked_offset_ = *range_->first;
    open.offset = asked_offset_;
  }
  ask<storage::OpenedDocument>(std::move(open),
                               [this](Now now, auto outcome) { opened(now, std::move(outcome)); });
}

void DocumentGet::opened(Now now, storage::Outcome<storage::OpenedDocument> outcome) {
  if (!outcome) {
    Reply refused = failure_reply(context_, outcome.error(), /*is_write=*/false);
    if (refused.head.status == 304) {
      refused = {};
      refused.head.status = 304;
      if (outcome.error().current)
        refused.head.headers.add("ETag", outcome.error().current->quoted());
      refused.head.headers.add("Cache-Control", cache_control(path_));
      add_context_headers(refused.head.headers, context_);
    }
    reply(std::move(refused));
    return;
  }
  handle_ = outcome->handle;
  if (aborted()) {
    close_handle();
    return;
  }
  if (handle_ != 0 && !place_.take()) {
    close_handle();
    return reply(busy_reply(context_, "Too many documents are being sent."));
  }
  send_start(now, std::move(*outcome));
}

// Others need its place, and nobody has read so slowly.
void DocumentGet::give_way() {
  close_handle();
  break_off();
  wake();
}

ResponseHead DocumentGet::head_for(const storage::DocumentInfo& info, Now now) const {
  ResponseHead head;
  add_document_headers(head.headers, context_, path_, info, now);
  head.content_length = info.size;
  return head;
}

void DocumentGet::send_unsatisfiable(const storage::DocumentInfo& info) {
  Reply refused = error_reply(context_, 416, "The document has no such bytes.");
  refused.head.headers.add("Content-Range", "bytes */" + std::to_string(info.size));
  refused.head.headers.add("ETag", info.etag.quoted());
  close_handle();
  reply(std::move(refused));
}

void DocumentGet::send_start(Now now, storage::OpenedDocument opened) {
  ResponseHead head = head_for(opened.info, now);
  if (context_.is_head) {
    send({.head = std::move(head), .body = std::string_view(), .last = true});
    return;
  }
  if (range_ && !if_range_.empty() && !is_validator(if_range_, opened.info)) range_.reset();
  ByteRange part{0, opened.info.size};
  if (range_) {
    const auto resolved = resolve(*range_, opened.info.size);
    if (!resolved) return send_unsatisfiable(opened.info);
    part = *resolved;
    head.status = 206;
    head.content_length = part.length;
    head.headers.add("Content-Range", content_range(part, opened.info.size));
  }
  next_ = part.offset;
  end_ = part.offset + part.length;
  Bytes first = std::move(opened.first);
  const std::uint64_t first_end = asked_offset_ + first.size();
  if (next_ < first_end || next_ == end_) {
    first.resize(static_cast<std::size_t>(std::min(first_end, end_) - asked_offset_));
    first.erase(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(next_ - asked_offset_));
    next_ += first.size();
    const bool last = next_ == end_;
    if (last) close_handle();
    send({.head = std::move(head), .body = std::move(first), .last = last});
    return;
  }
  head_ = std::move(head);
  read_on();
}

void DocumentGet::on_sent(Now now) {
  if (!allowed(now, access::Operation::read)) {
    close_handle();
    break_off();
    return;
  }
  place_.moved();
  read_on();
}

void DocumentGet::read_on() {
  storage::ReadDocument read{.handle = handle_, .offset = next_};
  read.max_bytes =
      static_cast<std::size_t>(std::min<std::uint64_t>(limits::kHttpReadPiece, end_ - next_));
  ask<storage::ReadPiece>(read, [this](Now, storage::Outcome<storage::ReadPiece> piece) {
    if (aborted() || finished()) return;
    if (!piece || piece->bytes.empty() || piece->bytes.size() > end_ - next_) {
      close_handle();
      if (head_ && !piece) {
        reply(failure_reply(context_, piece.error(), /*is_write=*/false));
      } else {
        break_off();
      }
      return;
    }
    next_ += piece->bytes.size();
    const bool last = next_ == end_;
    if (last) close_handle();
    send({.head = std::exchange(head_, std::nullopt),
          .body = std::move(piece->bytes),
          .last = last});
  });
}

void DocumentGet::close_handle() {
  place_.give_all_back();
  if (handle_ != 0) submit_and_forget(storage::CloseDocument{std::exchange(handle_, 0)});
}

void DocumentGet::on_abort() { close_handle(); }

}  // namespace meshstow::http
