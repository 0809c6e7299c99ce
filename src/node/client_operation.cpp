#include "node/client_operation.hpp"

#include <charconv>
#include <cstdio>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/hex.hpp"
#include "codec/iso8601.hpp"

namespace meshstow::node {
namespace {

constexpr int kAsks = 3;
constexpr int kProgressSlack = 4;  // of the time between two signs that a sent body moves
constexpr std::uint64_t kWholeQuestion = limits::kInlineDocument;

std::optional<std::string> header(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::string in_seconds(Duration time) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", std::chrono::duration<double>(time).count());
  return text;
}

bool means_unidentified(const protocol::StorageError& error) {
  return error.code == protocol::StoreCode::access_denied && error.status.value_or(401) == 401;
}

}  // namespace

ClientOperation::ClientOperation(ClientContext& context, OperationId id, ClientRequest request,
                                 std::string token)
    : context_(context), id_(id), request_(std::move(request)), token_(std::move(token)) {}

As ClientOperation::as() const {
  const bool open_to_all = request_.operation == protocol::Operation::get &&
                           request_.path.category() == Category::public_ &&
                           !request_.path.is_folder();
  if (open_to_all && token_.empty()) return As::nobody;
  const auto says = access::peek_token(token_);
  const bool for_owner = says && says->holder == context_.identities.owner->hash();
  return for_owner ? As::owner : As::device;
}

void ClientOperation::start(Now now) {
  if (request_.patience) give_up_ = now.mono + *request_.patience - request_.waited;
  if (request_.operation == protocol::Operation::put) {
    auto sealed = sealing();
    if (request_.path.is_secret() && !sealed) {
      return fail(now, {Errc::denied, "no key"}, "this home holds no key to seal it with");
    }
    body_.emplace(request_.body_size, std::move(sealed));
    if (body_->sent_size() > protocol::kMaxMessageData) {
      return fail(now, {Errc::limit, "too large"},
                  too_large("the document is too large for one message"));
    }
  }
  context_.links->want(now, id_, request_.node, as(), give_up_);
}

// With the key of the space that the token is for, if we hold it; else as our own.
std::optional<OutgoingBody::Sealing> ClientOperation::sealing() const {
  if (!request_.path.is_secret()) return std::nullopt;
  Hash16 owner = context_.identities.owner->hash();
  const auto says = access::peek_token(token_);
  if (says && context_.identities.keys->current(says->issuer) != nullptr) owner = says->issuer;
  const access::SpaceKey* key = context_.identities.keys->current(owner);
  if (key == nullptr) return std::nullopt;
  return OutgoingBody::Sealing{.key = key,
                               .owner = owner,
                               .path = request_.path,
                               .version = context_.rng.bytes<access::EnvelopeVersion::size()>(),
                               .iv = context_.rng.bytes<12>()};
}

// ---- The link.

void ClientOperation::on_link(Now now, const reticulum::LinkId& link,
                              const reticulum::Identity& signer) {
  link_ = link;
  signer_ = &signer;
  ask(now);
}

void ClientOperation::on_link_failed(Now now, const Error& why, const std::string& message) {
  if (ended()) return;
  const bool was_linked = phase_ != Phase::linking;
  const bool harmless = request_.operation == protocol::Operation::get || !all_sent_;
  if (was_linked && harmless && !head_told_ && !linked_again_) {
    linked_again_ = true;
    phase_ = Phase::linking;
    answer_.reset();
    receiving_.reset();
    sending_.reset();
    context_.links->want(now, id_, request_.node, as(), give_up_);
    return;
  }
  const bool unsure = was_linked && !harmless;
  fail(now, why,
       unsure ? message + " before the answer came: it may have been done or not" : message);
}

// What it waits for, shown while it waits.
void ClientOperation::on_stage(ClientStage stage) {
  stage_ = stage;
  context_.events.push_back(OperationProgress{.operation = id_, .stage = stage});
}

void ClientOperation::moved(Now now) {
  if (!request_.patience || ended()) return;
  // What is sent is only seen to move when the peer asks for more: on a slow way, seldom.
  const Duration between = moved_at_ ? now.mono - *moved_at_ : Duration::zero();
  const Duration seldom = stage_ == ClientStage::sending ? kProgressSlack * between : Duration{};
  give_up_ = now.mono + std::max(*request_.patience, seldom);
  moved_at_ = now.mono;
}

void ClientOperation::handle_deadline(Now now) {
  if (ended() || now.mono < give_up_) return;
  const bool may_be_done = all_sent_ && request_.operation != protocol::Operation::get;
  const bool has_way = stage_ != ClientStage::finding_path;
  fail(now, {has_way ? Errc::timed_out : Errc::not_found, "nothing moved"},
       waited_for() + (may_be_done ? ": it may have been done or not" : ""));
}

std::string ClientOperation::waited_for() const {
  const std::string node = '<' + codec::to_hex(request_.node.view()) + '>';
  const std::string within = " within " + in_seconds(*request_.patience);
  switch (stage_) {
    case ClientStage::finding_path:
      return "no path to " + node + " was found" + within + ": is the node running and connected?";
    case ClientStage::linking: return "the node " + node + " did not open a link" + within;
    case ClientStage::asking: return "the node " + node + " did not answer" + within;
    case ClientStage::sending:
    case ClientStage::receiving: break;
  }
  return "the transfer stood still: nothing moved" + within;
}

// ---- The question.

protocol::StorageRequest ClientOperation::message(Now now) const {
  protocol::StorageRequest out;
  out.operation = request_.operation;
  out.path = request_.path.text();
  if (!token_.empty()) out.headers.authorization = "Bearer " + token_;
  out.headers.content_type = header(request_.content_type);
  out.headers.if_match = header(request_.if_match);
  out.headers.if_none_match = header(request_.if_none_match);
  out.timestamp = codec::format_iso8601(now.wall);
  return out;
}

protocol::Signer ClientOperation::signature() const {
  return [signer = signer_](ByteView bytes) { return signer->sign(bytes); };
}

void ClientOperation::ask(Now now) {
  on_stage(ClientStage::asking);
  asks_ = 0;
  asked_ = message(now);
  if (body_) return read_body(now);
  const auto written = protocol::write_request(asked_, {}, link_, signature());
  value_ = base::concat({written.head, written.tail});
  send(now);
}

// Reads the body once: for the hash that is signed, and small ones to keep.
void ClientOperation::read_body(Now now) {
  phase_ = Phase::reading_body;
  body_->restart();
  body_hash_ = {};
  value_.clear();
  prefix_.clear();
  if (body_->sent_size() > kWholeQuestion) {
    id_hash_ = {};
    prefix_ = reticulum::request_prefix(now.wall, protocol::kRequestPath);
    // What stands before the body does not depend on the body's hash.
    const protocol::OutgoingData size_only{.size = body_->sent_size(), .sha256 = {}};
    head_ = protocol::write_request(asked_, size_only, link_, signature()).head;
    id_hash_.update(prefix_);
    id_hash_.update(head_);
  }
  draw(now);
}

void ClientOperation::draw(Now now) {
  drawing_ = true;
  if (body_->wanted() == 0) return supply_body(now, {});
  context_.events.push_back(
      BodyWanted{.operation = id_, .offset = body_->offset(), .size = body_->wanted()});
}

void ClientOperation::supply_body(Now now, ByteView bytes) {
  if (ended() || !drawing_) return;
  drawing_ = false;
  const bool first_time = phase_ == Phase::reading_body;
  Bytes out;
  if (const auto supplied = body_->supply(bytes, out); !supplied) {
    return fail(now, supplied.error(), supplied.error().detail);
  }
  if (!first_time) {
    base::append(ready_, out);
    if (body_->at_end()) base::append(ready_, tail_);
    return fill(now);
  }
  body_hash_.update(out);
  if (prefix_.empty()) {
    base::append(value_, out);
  } else {
    id_hash_.update(out);
  }
  if (!body_->at_end()) return draw(now);
  on_body_read(now);
}

void ClientOperation::on_body_read(Now now) {
  const protocol::OutgoingData data{.size = body_->sent_size(), .sha256 = body_hash_.finish()};
  auto written = protocol::write_request(asked_, data, link_, signature());
  if (prefix_.empty()) {
    value_ = base::concat({written.head, value_, written.tail});
  } else {
    MESHSTOW_CHECK(written.head == head_);
    tail_ = std::move(written.tail);
    id_hash_.update(tail_);
    request_id_ = reticulum::RequestId::prefix_of(id_hash_.finish().view());
  }
  send(now);
}

void ClientOperation::send(Now now) {
  ++asks_;
  phase_ = Phase::waiting;
  answer_.reset();
  receiving_.reset();
  const auto sent = prefix_.empty() ? send_whole(now) : send_streamed(now);
  if (!sent) {
    if (link_is_gone()) return;  // its LinkClosed is on its way
    const std::string message = std::string("it cannot be asked: ") + sent.error().detail;
    return fail(now, sent.error(), message);
  }
  request_id_ = sent->id;
  sending_ = sent->transfer;
  all_sent_ = all_sent_ || !sending_;
}

Result<reticulum::SentRequest> ClientOperation::send_whole(Now now) {
  reticulum::RequestOptions options;
  options.compress = !(body_ && body_->is_sealed());
  return context_.endpoint.send_request(now, link_, protocol::kRequestPath, value_, options);
}

Result<reticulum::SentRequest> ClientOperation::send_streamed(Now now) {
  body_->restart();
  ready_ = head_;
  wanted_ = 0;
  reticulum::RequestOptions options;
  options.compress = !body_->is_sealed();
  reticulum::StreamedRequest request;
  request.prefix = prefix_;
  request.value_size = head_.size() + body_->sent_size() + tail_.size();
  request.id = request_id_;
  return context_.endpoint.send_request(now, link_, std::move(request), options);
}

void ClientOperation::fill(Now now) {
  if (drawing_ || wanted_ == 0 || !sending_) return;
  if (ready_.size() < wanted_) {
    if (body_->at_end()) {
      return fail(now, {Errc::internal, "more was asked for than there is"}, "it cannot be sent");
    }
    return draw(now);
  }
  const auto end = ready_.begin() + static_cast<std::ptrdiff_t>(wanted_);
  const Bytes piece(ready_.begin(), end);
  ready_.erase(ready_.begin(), end);
  wanted_ = 0;
  const auto supplied = context_.endpoint.supply(now, *sending_, piece);
  if (!supplied) fail(now, supplied.error(), "it cannot be sent");
}

// ---- Events of the question.

bool ClientOperation::asked(const reticulum::LinkId& link,
                            const reticulum::RequestId& request) const {
  const bool asking = phase_ == Phase::waiting || phase_ == Phase::receiving;
  return asking && link_ == link && request_id_ == request;
}

bool ClientOperation::has(reticulum::TransferId transfer) const {
  return sending_ == transfer || receiving_ == transfer;
}

void ClientOperation::on(Now now, const reticulum::ContentWanted& event) {
  if (sending_ != event.transfer || prefix_.empty()) return;
  wanted_ = event.size;
  fill(now);
}

void ClientOperation::on(Now now, const reticulum::ContentSent& event) {
  if (sending_ != event.transfer) return;
  moved(now);
  sending_.reset();
  all_sent_ = true;
  on_stage(ClientStage::asking);
}

bool ClientOperation::link_is_gone() const { return !context_.endpoint.link_info(link_); }

void ClientOperation::on(Now now, const reticulum::ContentUnsent& event) {
  if (sending_ != event.transfer || phase_ != Phase::waiting) return;
  sending_.reset();
  if (link_is_gone()) return;
  if (event.why == Errc::denied) {
    return fail(now, {Errc::limit, "the node refused to receive it"},
                "the node refused to receive it: it is too busy, or it is too large for it");
  }
  fail(now, {event.why, "it could not be sent"}, "the transfer to the node broke off");
}

void ClientOperation::on(Now now, const reticulum::ContentProgress& event) {
  stage_ = sending_ == event.transfer ? ClientStage::sending : ClientStage::receiving;
  moved(now);
  context_.events.push_back(OperationProgress{id_, stage_, event.done, event.total});
}

void ClientOperation::on(Now now, const reticulum::RequestTimedOut& /*event*/) {
  if (phase_ != Phase::waiting) return;
  ask_again(now, {Errc::timed_out, "no answer came"},
            request_.operation == protocol::Operation::get
                ? "the node did not answer"
                : "the node did not answer: it may have been done or not");
}

void ClientOperation::ask_again(Now now, const Error& why, const std::string& message) {
  if (link_is_gone()) return;
  if (asks_ >= kAsks || head_told_) return fail(now, why, message);
  send(now);
}

// ---- The answer.

void ClientOperation::on(Now now, const reticulum::ContentStarted& event) {
  moved(now);
  phase_ = Phase::receiving;
  receiving_ = event.transfer;
  answer_ = std::make_unique<IncomingAnswer>(*context_.identities.keys, request_.path);
}

void ClientOperation::tell_head() {
  const auto* response = std::get_if<protocol::StorageResponse>(&answer_->reader().message());
  if (head_told_ || response == nullptr) return;
  head_told_ = true;
  context_.events.push_back(AnswerReceived{id_, *response});
}

void ClientOperation::on(Now now, const reticulum::ContentPiece& event) {
  if (receiving_ != event.transfer || !answer_) return;
  moved(now);
  Bytes body;
  const auto taken = answer_->take(event.bytes, body);
  if (!taken) {
    return fail(now, taken.error(),
                invalid(std::string("the answer cannot be read: ") + taken.error().detail));
  }
  if (is_longer_than_told()) {
    return fail(now, {Errc::malformed, "too long"}, "the answer is longer than the node said");
  }
  tell_head();
  if (body.empty()) return context_.endpoint.content_taken(now, event.transfer);
  ++untaken_;
  context_.events.push_back(BodyReceived{id_, std::move(body)});
}

// Whoever takes a body has room for what was told, not for whatever comes.
bool ClientOperation::is_longer_than_told() const {
  const auto* response = std::get_if<protocol::StorageResponse>(&answer_->reader().message());
  if (response == nullptr || !response->headers.content_length) return false;
  const std::string& told = *response->headers.content_length;
  std::uint64_t length = 0;
  (void)std::from_chars(told.data(), told.data() + told.size(), length);
  return answer_->body_size() > length;
}

void ClientOperation::body_taken(Now now) {
  if (untaken_ == 0) return;
  if (--untaken_ == 0 && receiving_) context_.endpoint.content_taken(now, *receiving_);
}

void ClientOperation::on(Now now, const reticulum::ContentFailed& event) {
  if (receiving_ != event.transfer) return;
  receiving_.reset();
  ask_again(now, {event.why, "the answer broke off"}, "the transfer of the answer broke off");
}

void ClientOperation::on(Now now, const reticulum::ContentDone& event) {
  if (receiving_ != event.transfer || !answer_) return;
  receiving_.reset();
  finish(now);
}

void ClientOperation::finish(Now now) {
  Bytes rest;
  if (const auto ended = answer_->end(rest); !ended) {
    return fail(now, ended.error(),
                invalid(std::string("the answer cannot be read: ") + ended.error().detail));
  }
  const auto& reader = answer_->reader();
  const auto* error = std::get_if<protocol::StorageError>(&reader.message());
  const auto node = context_.endpoint.known(request_.node);
  const bool genuine =
      node && reader.verify(link_, node->identity.signing_key(), error == nullptr).has_value();
  if (!genuine) {
    return fail(now, {Errc::denied, "the signature of the answer does not hold"},
                "the answer is not signed by the node that was asked");
  }
  if (error != nullptr) return on_error(now, *error);
  const auto* response = std::get_if<protocol::StorageResponse>(&reader.message());
  if (response == nullptr || !answers_question(*response)) {
    return fail(now, {Errc::malformed, "no answer"},
                "the node sent something that is no answer to the question");
  }
  tell_head();
  if (!rest.empty()) context_.events.push_back(BodyReceived{id_, std::move(rest)});
  end(now);
  context_.events.push_back(OperationDone{id_});
}

// A GET is answered by a body of the size that is told, or by 304 if a condition allows it; a write
// by 200.
bool ClientOperation::answers_question(const protocol::StorageResponse& response) const {
  const bool reads = request_.operation == protocol::Operation::get;
  if (response.status == 304) return reads && !request_.if_none_match.empty();
  if (response.status != 200) return false;
  if (!reads) return true;
  if (!answer_->reader().has_data()) return false;
  const auto& length = response.headers.content_length;
  // A node that keeps what it cannot open tells the size of the sealed bytes.
  return !length || *length == std::to_string(answer_->body_size()) ||
         *length == std::to_string(answer_->sent_size());
}

void ClientOperation::on_error(Now now, protocol::StorageError error) {
  if (means_unidentified(error) && !identified_again_) {
    identified_again_ = true;
    context_.links->identify_again(now, id_);
    return ask(now);
  }
  end(now);
  OperationFailed failed{.operation = id_, .error = std::move(error), .answered = true};
  failed.why = {Errc::denied, "the node refused"};
  context_.events.push_back(std::move(failed));
}

// ---- The end.

// A limit of ours or of the node that is reached now is none of what was asked: it passes. What got
// no answer has no status.
void ClientOperation::fail(Now now, const Error& why, std::string message) {
  if (why.code == Errc::limit) return fail(now, why, busy(std::move(message)));
  fail(now, why, protocol::StorageError{.message = std::move(message)});
}

void ClientOperation::fail(Now now, const Error& why, Refused as) {
  fail(now, why,
       protocol::StorageError{
           .code = as.code, .message = std::move(as.message), .status = as.status});
}

void ClientOperation::fail(Now now, const Error& why, protocol::StorageError error) {
  if (ended()) return;
  const auto transfers = {sending_, receiving_};
  end(now);
  for (const auto& transfer : transfers) {
    if (transfer) context_.endpoint.cancel(now, *transfer);
  }
  OperationFailed failed{
      .operation = id_, .error = std::move(error), .answered = false, .why = why};
  failed.error.path = request_.path.text();
  failed.error.timestamp = codec::format_iso8601(now.wall);
  context_.events.push_back(std::move(failed));
}

void ClientOperation::cancel(Now now) {
  if (ended()) return;
  const auto transfers = {sending_, receiving_};
  end(now);
  for (const auto& transfer : transfers) {
    if (transfer) context_.endpoint.cancel(now, *transfer);
  }
  std::erase_if(context_.events, [&](const ClientEvent& event) {
    return std::visit([&](const auto& each) { return each.operation == id_; }, event);
  });
}

void ClientOperation::end(Now now) {
  phase_ = Phase::ended;
  give_up_ = kNever;
  context_.links->release(now, id_);
}

}  // namespace meshstow::node
