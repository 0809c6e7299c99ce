#include "io/http_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <vector>

#include "base/limits.hpp"
#include "io/cookie_filter.hpp"

namespace meshstow::io {
namespace {

namespace beast = boost::beast::http;
using boost::beast::error_code;
using BeastText = boost::beast::string_view;

std::string_view view(BeastText text) { return {text.data(), text.size()}; }

struct Span {
  std::size_t offset = 0;
  std::size_t size = 0;
};

// Collects heads into one buffer: a request costs two allocations, not two for each field.
class Collector final : public beast::basic_parser<true> {
 public:
  struct Field {
    Span name;
    Span value;
  };

  std::string text;
  Span method;
  Span target;
  int version = 11;
  std::vector<Field> fields;
  std::optional<HttpRefusal> refusal;
  std::function<void(ByteView)> sink;
  bool head_done = false;

  [[nodiscard]] std::string_view text_of(Span span) const {
    return std::string_view(text).substr(span.offset, span.size);
  }

 private:
  Span keep(std::string_view piece) {
    const Span span{text.size(), piece.size()};
    text += piece;
    return span;
  }

  void on_request_impl(beast::verb, BeastText method_text, BeastText target_text, int http_version,
                       error_code&) override {
    text.reserve(1024);
    method = keep(view(method_text));
    target = keep(view(target_text));
    version = http_version;
  }
  void on_response_impl(int, BeastText, int, error_code&) override {}
  void on_field_impl(beast::field, BeastText name, BeastText value, error_code& error) override {
    if (head_done) return;  // trailers
    if (fields.size() == limits::kHttpHeaderFields) {
      refusal = {431, "There are too many header fields."};
      error = beast::make_error_code(beast::error::header_limit);
      return;
    }
    fields.push_back({keep(view(name)), keep(view(value))});
  }
  void on_header_impl(error_code&) override { head_done = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(BeastText body, error_code&) override {
    if (sink) sink(base::as_bytes(view(body)));
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastText, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastText body, error_code& error) override {
    return on_body_impl(body, error);
  }
  void on_finish_impl(error_code&) override {}
};

// Three words, the last of them a version: a request that is in order, but not for us.
bool has_another_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  const std::size_t last = line.rfind(' ');
  return last != std::string_view::npos && std::ranges::count(line, ' ') == 2 &&
         line.size() - last == 9 && line.substr(last + 1, 5) == "HTTP/" && line[last + 7] == '.';
}

constexpr HttpRefusal kNoRequest{400, "This is no HTTP request."};

HttpRefusal refusal_of(const error_code& error, bool target_done, std::string_view head) {
  if (error == beast::error::header_limit || error == beast::error::buffer_overflow) {
    if (!target_done) return {414, "The address is too long."};
    return {431, "The header is too long."};
  }
  if (error == beast::error::bad_version && has_another_version(head)) {
    return {505, "HTTP/1.0 and HTTP/1.1 are spoken here."};
  }
  return kNoRequest;
}

std::optional<HttpRefusal> check_head(const Collector& head, const http::Request& request) {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  for (const http::HeaderField& field : request.headers) {
    hosts += http::equal_ignoring_case(field.name, "Host");
    lengths += http::equal_ignoring_case(field.name, "Content-Length");
    if (http::equal_ignoring_case(field.name, "Content-Length") &&
        field.value.find_first_not_of("0123456789") != std::string_view::npos) {
      return HttpRefusal{400, "The length of the body is one number."};
    }
    if (!http::equal_ignoring_case(field.name, "Transfer-Encoding")) continue;
    ++codings;
    if (!http::equal_ignoring_case(field.value, "chunked")) {
      return HttpRefusal{501, "No transfer coding but chunked is known here."};
    }
  }
  if (hosts > 1 || (hosts == 0 && head.version >= 11))
    return HttpRefusal{400, "A request names one Host."};
  if (lengths > 1 || codings > 1 || lengths + codings > 1 || (codings > 0 && head.version < 11)) {
    return HttpRefusal{400, "The length of the body is told in more than one way."};
  }
  if (head.version != 10 && head.version != 11) {
    return HttpRefusal{505, "HTTP/1.0 and HTTP/1.1 are spoken here."};
  }
  return std::nullopt;
}

}  // namespace

struct HttpParser::State {
  Collector collector;
  std::vector<http::HeaderField> fields;
  std::function<void(ByteView)> sink;
  CookieFilter cookies;
  std::string head;  // what Beast has not used yet

  void start() {
    collector.header_limit(limits::kHttpHead);
    collector.body_limit(boost::none);
    collector.sink = [this](ByteView piece) {
      if (sink) sink(piece);
    };
  }
};

HttpParser::HttpParser() = default;
HttpParser::~HttpParser() = default;

void HttpParser::reset() { state_.reset(); }

// An idle connection holds none.
HttpParser::State& HttpParser::state() {
  if (!state_) {
    state_ = std::make_unique<State>();
    state_->start();
  }
  return *state_;
}

void HttpParser::set_body_sink(std::function<void(ByteView)> sink) {
  state().sink = std::move(sink);
}

tl::expected<std::size_t, HttpRefusal> HttpParser::feed(ByteView bytes) {
  Collector& collector = state().collector;
  if (!collector.head_done) return feed_head(bytes);
  // Beast asserts that it has as many bytes as "0\r\n\r\n" when it looks at a last chunk again.
  constexpr std::size_t kLastChunk = 5;
  const bool is_last = collector.chunked() && base::as_text(bytes).starts_with('0');
  if (is_last && bytes.size() < kLastChunk) return 0;
  error_code error;
  const std::size_t used =
      collector.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  const bool goes_on =
      !error || error == beast::error::need_more || error == beast::error::end_of_chunk;
  if (!goes_on) return tl::unexpected(refusal_of(error, true, base::as_text(bytes)));
  return used;
}

tl::expected<std::size_t, HttpRefusal> HttpParser::feed_head(ByteView bytes) {
  State& now = state();
  Collector& collector = now.collector;
  const std::size_t taken = now.cookies.feed(bytes, now.head);
  if (now.cookies.state() == CookieFilter::State::too_long) {
    return tl::unexpected(HttpRefusal{431, "There are too many cookies."});
  }
  if (now.cookies.state() == CookieFilter::State::refused) return tl::unexpected(kNoRequest);
  error_code error;
  const std::size_t used = collector.put(boost::asio::buffer(now.head), error);
  // The parser looks for the end of the head first and tells no limit before it has found it.
  const bool flood = !collector.head_done && now.head.size() - used > limits::kHttpHead;
  if (flood) error = beast::make_error_code(beast::error::header_limit);
  if (error && error != beast::error::need_more) {
    if (collector.refusal) return tl::unexpected(*collector.refusal);
    return tl::unexpected(refusal_of(error, collector.method.size > 0, now.head));
  }
  now.head.erase(0, used);
  const bool whole = now.cookies.state() == CookieFilter::State::whole;
  if (whole != collector.head_done || (whole && !now.head.empty())) {
    return tl::unexpected(kNoRequest);
  }
  if (!whole) return taken;
  std::string().swap(now.head);
  if (const auto refusal = check_head(collector, request())) return tl::unexpected(*refusal);
  collector.eager(true);
  return taken;
}

std::size_t HttpParser::held_bytes() const { return state_ ? state_->head.size() : 0; }

bool HttpParser::has_head() const { return state_ && state_->collector.head_done; }
bool HttpParser::is_done() const { return state_ && state_->collector.is_done(); }
bool HttpParser::keep_alive() const { return state_->collector.keep_alive(); }

http::Request HttpParser::request() const {
  const Collector& collector = state_->collector;
  state_->fields.clear();
  for (const Collector::Field& field : collector.fields) {
    state_->fields.push_back({collector.text_of(field.name), collector.text_of(field.value)});
  }
  http::Request request;
  request.method = collector.text_of(collector.method);
  request.target = collector.text_of(collector.target);
  request.minor_version = collector.version % 10;
  request.headers = state_->fields;
  if (const auto length = collector.content_length()) request.content_length = *length;
  request.has_body = collector.chunked() || request.content_length.value_or(0) > 0;
  return request;
}

bool HttpParser::expects_continue() const {
  const auto expect = request().header("Expect");
  return state_->collector.version >= 11 && expect &&
         http::equal_ignoring_case(*expect, "100-continue");
}

std::optional<std::uint64_t> HttpParser::body_left() const {
  const Collector& collector = state_->collector;
  if (collector.chunked()) return std::nullopt;
  const auto left = collector.content_length_remaining();
  return left ? *left : 0;
}

}  // namespace meshstow::io
