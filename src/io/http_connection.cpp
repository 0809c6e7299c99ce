#include "io/http_connection.hpp"

#include <array>
#include <charconv>

#include "base/limits.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;

// What stops for good is dropped within 30 s; the look around is every second.
constexpr std::chrono::seconds kHandshake{10};
constexpr std::chrono::seconds kHeadTime{25};  // from the first byte of a head to its last
// Of a body or of a client that does not read; and for the whole of a form (http::BodyPace).
constexpr std::chrono::seconds kStall{25};
constexpr std::chrono::seconds kIdle{120};
constexpr std::chrono::seconds kLinger{5};
// The unread rest of a body that is worth reading for keeping the connection.
constexpr std::uint64_t kDiscard = 64 * 1024;

std::string chunk_head(std::size_t size) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  return std::string(digits.data(), end) + "\r\n";
}

}  // namespace

HttpRun::HttpRun(std::shared_ptr<HttpShared> shared, std::unique_ptr<http::Exchange> exchange,
                 std::weak_ptr<HttpConnection> connection)
    : shared_(std::move(shared)),
      exchange_(std::move(exchange)),
      connection_(std::move(connection)) {}

void HttpRun::drain() {
  const auto keep = shared_from_this();
  while (auto output = exchange_->poll()) {
    const auto connection = connection_.lock();
    if (auto* request = std::get_if<storage::StoreRequest>(&*output)) {
      store(std::move(*request));
    } else if (auto* send = std::get_if<http::Send>(&*output)) {
      if (connection) connection->take(std::move(*send));
    } else if (auto* hash = std::get_if<http::HashPassphrase>(&*output)) {
      shared_->hash(std::move(*hash), [keep](const std::optional<Hash32>& result) {
        keep->exchange_->handle_hash(keep->shared_->host.now(), result);
        keep->drain();
        if (const auto waiting = keep->connection_.lock()) waiting->pump();
      });
    } else if (connection) {
      connection->cut();
    }
  }
}

void HttpRun::store(storage::StoreRequest request) {
  shared_->host.store(
      std::move(request.operation), [keep = shared_from_this(), number = request.number](
                                        storage::Outcome<storage::Answer> outcome) {
        keep->exchange_->handle_reply(keep->shared_->host.now(), {number, std::move(outcome)});
        keep->drain();
        if (const auto connection = keep->connection_.lock()) connection->pump();
      });
}

void HttpRun::abandon() {
  connection_.reset();
  exchange_->abort();
  drain();
}

HttpConnection::HttpConnection(std::shared_ptr<HttpShared> shared,
                               std::shared_ptr<HttpStream> stream, http::PeerAddress peer,
                               std::size_t endpoint, const HttpPlaces& places,
                               std::function<void(HttpConnection*)> gone)
    : shared_(std::move(shared)),
      stream_(std::move(stream)),
      peer_(peer),
      endpoint_(endpoint),
      gone_(std::move(gone)),
      place_(places.connections, base::Holder(), [this] { close(); }),
      held_(places.input, base::Holder(), [this] { close(); }) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::start() {
  if (!place_.take()) return close();
  deadline_ = shared_->host.now().mono + kHandshake;
  stream_->open([self = shared_from_this()](bool ok) {
    if (!ok) return self->close();
    self->next_request();
    self->pump();
  });
}

void HttpConnection::next_request() {
  parser_.reset();
  framing_deadline_ = kNever;
  head_begun_ = false;
  head_written_ = false;
  state_ = State::head;
  deadline_ = shared_->host.now().mono + kIdle;
  // An idle connection holds no buffer.
  if (input_.empty()) Bytes().swap(input_);
  if (queue_.empty()) std::vector<Part>().swap(queue_);
  if (in_flight_.empty()) std::vector<Part>().swap(in_flight_);
}

void HttpConnection::close() {
  if (state_ == State::closed) return;
  const auto keep = shared_from_this();
  state_ = State::closed;
  place_.give_all_back();
  held_.give_all_back();
  if (run_) std::exchange(run_, nullptr)->abandon();
  stream_->close();
  gone_(this);
}

void HttpConnection::cut() { close(); }

void HttpConnection::pump() {
  if (pumping_) {
    pump_again_ = true;
    return;
  }
  const auto keep = shared_from_this();
  pumping_ = true;
  do {
    pump_again_ = false;
    while (step()) {
    }
  } while (pump_again_);
  pumping_ = false;
}

bool HttpConnection::step() {
  switch (state_) {
    case State::head: return step_head();
    case State::exchange: return step_exchange();
    case State::discarding: return step_discard();
    case State::lingering: input_.clear(); break;
    case State::opening:
    case State::closed: return false;
  }
  if (input_ended_) {
    close();
  } else {
    wait_for_input();
  }
  return false;
}

std::optional<HttpRefusal> HttpConnection::feed_parser(std::size_t& used) {
  used = 0;
  const auto result = parser_.feed(input_);
  if (!result) return result.error();
  used = *result;
  // A chunk's head or a trailer that does not end.
  if (used == 0 && parser_.has_head() && input_.size() > limits::kHttpHead) {
    return HttpRefusal{400, "This is no HTTP body."};
  }
  if (used > 0 || !parser_.has_head()) {
    framing_deadline_ = kNever;
  } else if (framing_deadline_ == kNever) {
    framing_deadline_ = shared_->host.now().mono + kHeadTime;
  }
  if (used == input_.size()) {
    input_.clear();
  } else {
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(used));
  }
  return std::nullopt;
}

bool HttpConnection::step_head() {
  if (!input_.empty()) {
    if (!std::exchange(head_begun_, true)) deadline_ = shared_->host.now().mono + kHeadTime;
    std::size_t used = 0;
    if (const auto refusal = feed_parser(used)) {
      refuse(*refusal);
      return true;
    }
    if (parser_.has_head()) {
      begin_exchange();
      return true;
    }
  }
  if (input_ended_) {
    close();
  } else {
    wait_for_input();
  }
  return false;
}

void HttpConnection::begin_exchange() {
  http::Request request = parser_.request();
  request.peer = peer_;
  request.endpoint = endpoint_;
  const Now now = shared_->host.now();
  state_ = State::exchange;
  body_ended_ = false;
  sent_something_ = false;
  continue_due_ = parser_.expects_continue();
  body_in_ = 0;
  forgive(now.mono);
  run_ =
      std::make_shared<HttpRun>(shared_, shared_->service->begin(now, request), weak_from_this());
  place_.moved();
  if (run_->exchange().holder().kind != base::Holder::Kind::stranger) {
    place_.pass_to(run_->exchange().holder());  // or it stays where it may have to go
    held_.pass_to(run_->exchange().holder());
  }
  parser_.set_body_sink([this](ByteView piece) {
    body_in_ += piece.size();
    if (run_) run_->exchange().handle_body(shared_->host.now(), piece);
  });
  run_->exchange().set_waker([weak = weak_from_this(), &host = shared_->host] {
    // In a later turn: the service is in the middle of telling its streams.
    host.post([weak] {
      if (const auto self = weak.lock()) self->pump();
    });
  });
}

bool HttpConnection::step_exchange() {
  run_->drain();
  if (state_ != State::exchange) return state_ != State::closed;
  write_queue();
  if (state_ != State::exchange || writing_) return false;
  http::Exchange& exchange = run_->exchange();
  if (exchange.finished()) {
    finish_exchange();
    return state_ != State::closed;
  }
  if (std::exchange(sent_something_, false)) {
    exchange.handle_sent(shared_->host.now());
    return true;
  }
  if (exchange.wants_body()) return step_body();
  if (exchange.is_stream() && input_.size() < limits::kHttpSmallBody) {
    if (input_ended_) {
      close();
    } else {
      wait_for_input();
    }
  }
  return false;
}

bool HttpConnection::step_body() {
  if (parser_.is_done()) {
    if (std::exchange(body_ended_, true)) return false;
    run_->exchange().handle_body_end(shared_->host.now());
    return true;
  }
  if (!input_.empty()) {
    continue_due_ = false;
    std::size_t used = 0;
    if (const auto refusal = feed_parser(used)) {
      refuse(*refusal);
      return true;
    }
    if (used > 0) return true;
  }
  if (input_ended_) {
    close();
    return false;
  }
  send_continue();
  wait_for_input();
  return false;
}

void HttpConnection::send_continue() {
  if (!std::exchange(continue_due_, false)) return;
  queue_.push_back({"HTTP/1.1 100 Continue\r\n\r\n", std::string_view()});
  write_queue();
}

bool HttpConnection::step_discard() {
  if (parser_.is_done()) {
    next_request();
    return true;
  }
  if (!input_.empty()) {
    std::size_t used = 0;
    if (feed_parser(used)) {
      close();
      return false;
    }
    if (used > 0) return true;
  }
  if (input_ended_) {
    close();
  } else {
    wait_for_input();
  }
  return false;
}

// Framing that cannot be trusted: answer, and say nothing more on this connection.
void HttpConnection::refuse(const HttpRefusal& refusal) {
  if (run_) std::exchange(run_, nullptr)->abandon();
  if (state_ == State::closed) return;
  keep_alive_ = false;
  if (head_written_) return close();
  http::Reply reply = http::Service::refusal(refusal.status, refusal.why);
  std::string head =
      http::write_head(reply.head, shared_->service->http_date(shared_->host.now()), 1, false);
  queue_.push_back({std::move(head), std::move(reply.body)});
  input_.clear();
  linger();
  write_queue();
}

bool HttpConnection::can_keep_alive(const http::ResponseHead& head) const {
  if (head.close || shared_->stopping || !parser_.keep_alive()) return false;
  if (parser_.is_done()) return true;
  // A client that waits for "100 Continue" may send the body or may not: nobody can tell what comes
  // next.
  return !continue_due_ && parser_.body_left().value_or(kDiscard + 1) <= kDiscard;
}

void HttpConnection::take(http::Send send) {
  Part part{{}, std::move(send.body)};
  const std::size_t size = http::view_of(part.body).size();
  if (send.head) {
    const int minor_version = parser_.request().minor_version;
    const bool open_ended = send.head->framing == http::Framing::chunked;
    chunked_ = open_ended && minor_version >= 1;
    keep_alive_ = can_keep_alive(*send.head) && (chunked_ || !open_ended);
    head_written_ = true;
    part.text = http::write_head(*send.head, shared_->service->http_date(shared_->host.now()),
                                 minor_version, keep_alive_);
  }
  if (chunked_ && size > 0) part.text += chunk_head(size);
  const bool chunk_open = chunked_ && size > 0;
  queue_.push_back(std::move(part));
  const char* after = chunk_open ? (send.last ? "\r\n0\r\n\r\n" : "\r\n")
                                 : (chunked_ && send.last ? "0\r\n\r\n" : "");
  if (*after != 0) queue_.push_back({after, std::string_view()});
}

void HttpConnection::write_queue() {
  if (writing_ || queue_.empty() || state_ == State::closed) return;
  in_flight_ = std::exchange(queue_, {});
  std::vector<asio::const_buffer> buffers;
  buffers.reserve(2 * in_flight_.size());
  for (const Part& part : in_flight_) {
    const ByteView body = http::view_of(part.body);
    if (!part.text.empty()) buffers.push_back(asio::buffer(part.text));
    if (!body.empty()) buffers.push_back(asio::const_buffer(body.data(), body.size()));
  }
  if (state_ == State::exchange) deadline_ = shared_->host.now().mono + kStall;
  writing_ = true;
  const bool at_once = stream_->write(std::move(buffers), [weak = weak_from_this()](bool ok) {
    if (const auto self = weak.lock()) self->written(ok);
  });
  if (!at_once) return;
  writing_ = false;
  sent_something_ = true;
  in_flight_.clear();
}

void HttpConnection::written(bool ok) {
  writing_ = false;
  sent_something_ = true;
  in_flight_.clear();
  if (!ok) return close();
  if (state_ == State::exchange) deadline_ = shared_->host.now().mono + kStall;
  if (state_ == State::lingering) {
    stream_->end_output();
    write_queue();
  }
  pump();
}

void HttpConnection::finish_exchange() {
  parser_.set_body_sink({});
  run_.reset();
  place_.moved();
  if (!keep_alive_) {
    linger();
  } else if (parser_.is_done()) {
    next_request();
  } else {
    state_ = State::discarding;
    deadline_ = shared_->host.now().mono + kStall;
  }
}

// Closing at once would make the system throw away the answer if the client is still sending.
void HttpConnection::linger() {
  state_ = State::lingering;
  deadline_ = shared_->host.now().mono + kLinger;
  write_queue();
  if (!writing_) stream_->end_output();
  if (input_ended_ && !writing_) close();
}

void HttpConnection::count_input() {
  const std::size_t held = input_.size() + parser_.held_bytes();
  const std::size_t bytes = held > limits::kHttpInputUncounted ? held : 0;
  if (bytes <= held_.size()) return held_.give_back(held_.size() - bytes);
  if (!held_.take(bytes - held_.size())) close();
}

void HttpConnection::wait_for_input() {
  count_input();
  if (reading_ || state_ == State::closed) return;
  reading_ = true;
  stream_->wait_readable([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->reading_ = false;
      self->input_ready();
    }
  });
}

void HttpConnection::input_ready() {
  if (state_ == State::closed) return;
  const HttpStream::Read read = stream_->read_some(shared_->scratch);
  input_ended_ = read.ended;
  if (read.bytes > 0) {
    base::append(input_, ByteView(shared_->scratch).first(read.bytes));
    held_.moved();
    if (state_ == State::exchange && run_->exchange().body_pace() != http::BodyPace::soon) {
      deadline_ = shared_->host.now().mono + kStall;
    }
  }
  pump();
  if (state_ != State::closed) count_input();
}

bool HttpConnection::waits_for_client() const {
  if (state_ != State::exchange) return true;
  return writing_ || (reading_ && !run_->exchange().is_stream());
}

void HttpConnection::check_deadline(TimePoint now) {
  if (state_ == State::closed) return;
  const std::uint64_t bytes_out = stream_->bytes_out();
  const bool progress = writing_ && bytes_out != std::exchange(bytes_out_seen_, bytes_out);
  if (!waits_for_client() || progress) {
    // The store is at work, or a slow client reads.
    if (state_ == State::exchange) forgive(now);
    return;
  }
  if (is_too_slow(now)) close();
}

bool HttpConnection::is_too_slow(TimePoint now) {
  if (now >= deadline_) return true;
  if (state_ != State::exchange && state_ != State::discarding) return false;
  if (now >= framing_deadline_) return true;
  if (!pace_.is_too_slow(now, body_in_)) return false;
  const bool must_move =
      state_ == State::exchange && run_->exchange().body_pace() == http::BodyPace::steady;
  if (!must_move) pace_.forgive(now, body_in_);
  return must_move;
}

// Time that the client is not to blame for, or that begins.
void HttpConnection::forgive(TimePoint now) {
  deadline_ = now + kStall;
  pace_.forgive(now, body_in_);
  if (framing_deadline_ != kNever) framing_deadline_ = now + kHeadTime;
}

}  // namespace meshstow::io
