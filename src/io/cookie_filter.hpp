// io/cookie_filter.hpp: takes the Cookie lines out of a request's head as it arrives.
//
// Browsers send all cookies of a host to every port of it: what other servers of this machine have
// set, a megabyte of it at times, is no business of ours, and must neither lock a user out nor be
// held. A line that two servers could end in different places is refused. Internal to io.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace meshstow::io {

class CookieFilter {
 public:
  enum class State { more, whole, refused, too_long };

  // Adds to `head` what comes next of it, but for cookies. The bytes used: all, or up to the end of
  // the head.
  std::size_t feed(ByteView bytes, std::string& head);
  [[nodiscard]] State state() const { return state_; }

 private:
  enum class Line { name, cookie, other };
  void end_line(std::string& head);
  void take(char c, std::string& head);

  State state_ = State::more;
  Line line_ = Line::name;
  bool request_line_ = true;   // of which the first word is no field
  std::string name_;           // of the line, as far as it may be "Cookie:"
  std::size_t length_ = 0;     // of the line
  bool after_cookie_ = false;  // the line before was one
  char last_ = 0;
  std::size_t dropped_ = 0;
};

}  // namespace meshstow::io
