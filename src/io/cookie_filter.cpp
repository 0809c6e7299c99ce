#include "io/cookie_filter.hpp"

#include <utility>

#include "base/limits.hpp"
#include "http/message.hpp"

namespace meshstow::io {
namespace {

constexpr std::string_view kCookie = "cookie:";

}  // namespace

std::size_t CookieFilter::feed(ByteView bytes, std::string& head) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ == State::more) {
    take(static_cast<char>(bytes[used++]), head);
  }
  return used;
}

void CookieFilter::take(char c, std::string& head) {
  const char before = std::exchange(last_, c);
  if (line_ == Line::cookie) {
    if (before == '\r' ? c != '\n' : (c == '\n' || c == '\0')) {
      state_ = State::refused;
    } else if (++dropped_ > limits::kHttpCookies) {
      state_ = State::too_long;
    } else if (c == '\n') {
      after_cookie_ = true;
      line_ = Line::name;
    }
    return;
  }
  // A line that goes on from a cookie would now go on from another field.
  if (name_.empty() && length_ == 0 && std::exchange(after_cookie_, false) &&
      (c == ' ' || c == '\t')) {
    state_ = State::refused;
    return;
  }
  ++length_;
  if (c == '\n') {
    head += name_;
    head += c;
    return end_line(head);
  }
  if (line_ == Line::other || request_line_) {
    head += c;
    return;
  }
  name_ += c;
  if (!http::equal_ignoring_case(name_, kCookie.substr(0, name_.size()))) {
    head += std::exchange(name_, {});
    line_ = Line::other;
  } else if (name_.size() == kCookie.size()) {
    dropped_ += std::exchange(name_, {}).size();
    length_ = 0;
    line_ = Line::cookie;
  }
}

void CookieFilter::end_line(std::string& head) {
  name_.clear();
  const bool empty = length_ == 2 && head.ends_with("\r\n");
  if (empty && !request_line_) state_ = State::whole;
  request_line_ = false;
  length_ = 0;
  line_ = Line::name;
}

}  // namespace meshstow::io
