// http/message.hpp: requests and responses as values. No Beast type, no socket.
//
// A Request borrows the texts of the adapter's parser and is good for the call that gets it. Header
// names compare without case; header values are as they came, without white space around them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.hpp"

namespace meshstow::http {

bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII

using PeerAddress = FixedBytes<16>;  // IPv6, IPv4 as ::ffff:a.b.c.d

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

struct Request {
  std::string_view method;
  std::string_view target;  // origin-form, absolute-form or "*"
  int minor_version = 1;    // HTTP/1.x
  std::span<const HeaderField> headers;
  bool has_body = false;
  std::optional<std::uint64_t> content_length;  // nullopt with has_body: chunked
  PeerAddress peer{};
  std::size_t endpoint = 0;  // index in ServiceConfig::endpoints

  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;  // the first
  // All lines of that name joined with ", " (RFC 9110 5.3).
  [[nodiscard]] std::optional<std::string> joined(std::string_view name) const;
};

// The lines of a response head. Control characters in values become spaces, so that no stored text
// can make a header.
class HeaderBlock {
 public:
  void add(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

enum class Framing {
  none,     // no body follows and no length is told (204, 304, HEAD of unknown length)
  length,   // content_length; for HEAD no body follows all the same
  chunked,  // length not known (HTTP/1.0: until the connection closes)
};

struct ResponseHead {
  int status = 200;
  HeaderBlock headers;
  Framing framing = Framing::length;
  std::uint64_t content_length = 0;
  bool close = false;  // end the connection after this response
};

std::string_view reason_phrase(int status);

// The bytes of a head, with Date (IMF-fixdate), framing and Connection.
std::string write_head(const ResponseHead& head, std::string_view date, int minor_version,
                       bool keep_alive);

// A piece of a response body. string_view: of embedded assets and literals, good for ever.
using Body = std::variant<Bytes, std::string, std::string_view, std::shared_ptr<const std::string>>;
ByteView view_of(const Body& body);

struct Reply {
  ResponseHead head;
  Body body = std::string_view();
};

}  // namespace meshstow::http
