#include "http/message.hpp"

namespace meshstow::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Reason {
  int status;
  std::string_view phrase;
};
constexpr Reason kReasons[] = {
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {206, "Partial Content"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const HeaderField& field : headers) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string> Request::joined(std::string_view name) const {
  std::optional<std::string> out;
  for (const HeaderField& field : headers) {
    if (!equal_ignoring_case(field.name, name)) continue;
    if (out) {
      *out += ", ";
      *out += field.value;
    } else {
      out.emplace(field.value);
    }
  }
  return out;
}

void HeaderBlock::add(std::string_view name, std::string_view value) {
  if (text_.empty()) text_.reserve(640);
  text_ += name;
  text_ += ": ";
  const std::size_t start = text_.size();
  text_ += value;
  for (std::size_t i = start; i < text_.size(); ++i) {
    const auto c = static_cast<unsigned char>(text_[i]);
    if ((c < 0x20 && c != '\t') || c == 0x7f) text_[i] = ' ';
  }
  text_ += "\r\n";
}

std::optional<std::string_view> HeaderBlock::find(std::string_view name) const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(':');
    if (equal_ignoring_case(line.substr(0, colon), name)) return line.substr(colon + 2);
  }
  return std::nullopt;
}

std::string_view reason_phrase(int status) {
  for (const Reason& reason : kReasons) {
    if (reason.status == status) return reason.phrase;
  }
  return "Unknown";
}

std::string write_head(const ResponseHead& head, std::string_view date, int minor_version,
                       bool keep_alive) {
  std::string out;
  out.reserve(head.headers.text().size() + 192);
  out += "HTTP/1.1 ";
  out += std::to_string(head.status);
  out += ' ';
  out += reason_phrase(head.status);
  out += "\r\nDate: ";
  out += date;
  out += "\r\n";
  out += head.headers.text();
  if (head.framing == Framing::length) {
    out += "Content-Length: ";
    out += std::to_string(head.content_length);
    out += "\r\n";
  } else if (head.framing == Framing::chunked && minor_version >= 1) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  if (!keep_alive) {
    out += "Connection: close\r\n";
  } else if (minor_version == 0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return out;
}

ByteView view_of(const Body& body) {
  if (const auto* bytes = std::get_if<Bytes>(&body)) return *bytes;
  if (const auto* text = std::get_if<std::string>(&body)) return base::as_bytes(*text);
  if (const auto* text = std::get_if<std::string_view>(&body)) return base::as_bytes(*text);
  return base::as_bytes(*std::get<std::shared_ptr<const std::string>>(body));
}

}  // namespace meshstow::http
