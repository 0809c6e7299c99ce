// io/http_parser.hpp: HTTP/1 requests out of a byte stream, over Beast's parser, whose headers stay
// in the .cpp. Refuses what two servers could read differently (RFC 9112 6.3, 11.2): two Hosts,
// both lengths, codings other than chunked. Internal to io.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "http/message.hpp"

namespace meshstow::io {

struct HttpRefusal {
  int status = 400;
  const char* why = "";
};

class HttpParser {
 public:
  HttpParser();
  ~HttpParser();

  // Reads as much as it can of what comes next: the head, or after it the body. The bytes used; the
  // rest must be offered again, before anything newer. Cookies are dropped.
  [[nodiscard]] tl::expected<std::size_t, HttpRefusal> feed(ByteView bytes);
  // Where pieces of the body go, in feed().
  void set_body_sink(std::function<void(ByteView)> sink);

  [[nodiscard]] bool has_head() const;
  [[nodiscard]] bool is_done() const;  // the body too
  // After the head; good until reset(). `peer` and `endpoint` are not set.
  [[nodiscard]] http::Request request() const;
  // These too only after the head.
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool expects_continue() const;
  [[nodiscard]] std::optional<std::uint64_t> body_left() const;  // nullopt: chunked

  void reset();                                  // for the next request
  [[nodiscard]] std::size_t held_bytes() const;  // of a head that has not ended

 private:
  struct State;
  State& state();
  [[nodiscard]] tl::expected<std::size_t, HttpRefusal> feed_head(ByteView bytes);
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::io
