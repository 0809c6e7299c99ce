#include "http/content_type.hpp"

#include <algorithm>

namespace meshstow::http {
namespace {

constexpr std::string_view kOctets = "application/octet-stream";

bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Reads the grammar of RFC 9110 from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void skip_space() {
    while (take(' ') || take('\t')) {
    }
  }
  std::string_view token() {
    const auto end = std::ranges::find_if_not(text_, is_token_char);
    const std::string_view out = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
    text_.remove_prefix(out.size());
    return out;
  }
  bool quoted_string() {
    if (!take('"')) return false;
    while (!text_.empty()) {
      const char c = text_.front();
      text_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\') {
        if (text_.empty() || !is_text(text_.front())) return false;
        text_.remove_prefix(1);
      } else if (!is_text(c)) {
        return false;
      }
    }
    return false;
  }

 private:
  static bool is_text(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  }
  std::string_view text_;
};

}  // namespace

bool is_safe_content_type(std::string_view type) {
  Reader reader(type);
  const std::string_view main = reader.token();
  if (main.empty() || !reader.take('/')) return false;
  const std::string_view sub = reader.token();
  if (sub.empty()) return false;
  // Its parts are documents with types of their own.
  if (equal_ignoring_case(main, "multipart") && equal_ignoring_case(sub, "x-mixed-replace")) {
    return false;
  }
  while (true) {
    reader.skip_space();
    if (reader.at_end()) return true;
    if (!reader.take(';')) return false;
    reader.skip_space();
    if (reader.token().empty()) continue;  // an empty parameter
    if (!reader.take('=')) return false;
    if (reader.token().empty() && !reader.quoted_string()) return false;
  }
}

std::string_view sent_content_type(std::string_view stored) {
  return is_safe_content_type(stored) ? stored : kOctets;
}

bool needs_sandbox(std::string_view stored) {
  return !equal_ignoring_case(stored, "application/pdf");
}

void add_sandbox(HeaderBlock& headers) { headers.add("Content-Security-Policy", "sandbox"); }

}  // namespace meshstow::http
