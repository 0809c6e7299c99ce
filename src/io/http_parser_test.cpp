#include "io/http_parser.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace meshstow::io {
namespace {

struct Parsed {
  int refused = 0;
  std::string body;
  bool done = false;
  std::size_t used = 0;
};

// Fed in pieces of `step` bytes, as a connection does.
Parsed parse(const std::string& text, std::size_t step = std::string::npos) {
  HttpParser parser;
  Parsed out;
  parser.set_body_sink([&](ByteView piece) { out.body += base::as_text(piece); });
  std::string input;
  for (std::size_t at = 0; at < text.size() && !parser.is_done();) {
    const std::string piece = text.substr(at, step);
    at += piece.size();
    input += piece;
    for (bool moved = true; moved && !input.empty() && !parser.is_done();) {
      const auto used = parser.feed(base::as_bytes(input));
      if (!used) {
        out.refused = used.error().status;
        return out;
      }
      moved = *used > 0;
      out.used += *used;
      input.erase(0, *used);
    }
  }
  out.done = parser.is_done();
  return out;
}

const std::string kPut = "PUT /x HTTP/1.1\r\nHost: a\r\n";

TEST(HttpParser, reads_requests_however_they_are_cut) {
  const std::string sized = kPut + "Content-Length: 5\r\n\r\nhello";
  const std::string chunked =
      kPut + "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: 1\r\n\r\n";
  for (std::size_t step = 1; step < 80; ++step) {
    for (const std::string& text : {sized, chunked}) {
      const Parsed parsed = parse(text, step);
      EXPECT_EQ(parsed.refused, 0) << step;
      EXPECT_TRUE(parsed.done) << step;
      EXPECT_EQ(parsed.body, "hello");
    }
  }
}

TEST(HttpParser, reads_an_empty_chunked_body_however_it_is_cut) {
  const std::string head = kPut + "Transfer-Encoding: chunked\r\n\r\n";
  for (std::size_t step = 1; step < 20; ++step) {
    for (const char* end : {"0\r\n\r\n", "0\r\nT: 1\r\n\r\n", "000\r\n\r\n"}) {
      const Parsed parsed = parse(head + end, step);
      EXPECT_EQ(parsed.refused, 0) << step;
      EXPECT_TRUE(parsed.done) << step;
      EXPECT_EQ(parsed.body, "");
    }
    EXPECT_EQ(parse(head + "0\r\nhe\r\n3;x\r\n\r\n", step).refused, 400) << step;
  }
}

TEST(HttpParser, tells_other_versions_from_malformed_lines) {
  EXPECT_EQ(parse("GET /x HTTP/2.0\r\nHost: a\r\n\r\n").refused, 505);
  for (const char* text : {"GET /x y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x HTTP/1.1\nHost: a\n\n",
                           "GET /x HTTQ/1.1\r\nHost: a\r\n\r\n", "GET /x\r\n\r\n"}) {
    EXPECT_EQ(parse(text).refused, 400) << text;
  }
}

TEST(HttpParser, leaves_the_next_request_alone) {
  const std::string first = kPut + "Content-Length: 2\r\n\r\nhi";
  EXPECT_EQ(parse(first + "GET /y HTTP/1.1\r\nHost: a\r\n\r\n").used, first.size());
}

TEST(HttpParser, refuses_every_shape_that_two_servers_could_read_differently) {
  const std::pair<const char*, int> shapes[] = {
      {"Content-Length: 5\r\nContent-Length: 6\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5, 5\r\n", 400},
      {"Content-Length: +5\r\n", 400},
      {"Content-Length: -5\r\n", 400},
      {"Content-Length: 0x5\r\n", 400},
      {"Content-Length: 99999999999999999999\r\n", 400},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Transfer-Encoding: xchunked\r\n", 501},
      {"Transfer-Encoding: identity\r\n", 501},
      {"Host: b\r\n", 400},
      {"Bad Name: x\r\n", 400},
      {"Space : x\r\n", 400},
      {": x\r\n", 400},
  };
  for (const auto& [header, status] : shapes) {
    EXPECT_EQ(parse(kPut + header + "\r\nhello").refused, status) << header;
  }
  EXPECT_EQ(parse("GET /x HTTP/1.1\r\n\r\n").refused, 400);
  EXPECT_EQ(parse("GET /x HTTP/2.0\r\nHost: a\r\n\r\n").refused, 505);
  EXPECT_EQ(parse("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").refused, 400);
  EXPECT_EQ(parse("\x16\x03\x01\x02 hello TLS \r\n\r\n").refused, 400);
}

TEST(HttpParser, refuses_bad_chunks) {
  for (const char* body :
       {"x\r\n", "-1\r\n", "5\nhello\r\n", "5\r\nhelloXX\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\n"}) {
    EXPECT_EQ(parse(kPut + "Transfer-Encoding: chunked\r\n\r\n" + body).refused, 400) << body;
  }
}

TEST(HttpParser, drops_the_cookies_of_others_however_many_and_however_they_are_cut) {
  std::string cookies;
  for (int i = 0; i < 200; ++i)
    cookies += "c" + std::to_string(i) + "=" + std::string(4096, 'x') + "; ";
  const std::string text =
      "PUT /x HTTP/1.1\r\nCOOKIE: " + cookies +
      "\r\nHost: a\r\ncookie:\r\nCookies: kept\r\nCoo: kept\r\nCookie: last=1\r\n"
      "Content-Length: 2\r\n\r\nhi";
  for (const std::size_t step : {1UL, 2UL, 7UL, 1000UL, 65536UL, text.size()}) {
    HttpParser parser;
    std::string input;
    for (std::size_t at = 0; at < text.size() && !parser.has_head(); at += step) {
      input += text.substr(at, step);
      const auto used = parser.feed(base::as_bytes(input));
      ASSERT_TRUE(used) << used.error().why;
      input.erase(0, *used);
    }
    ASSERT_TRUE(parser.has_head()) << step;
    const http::Request request = parser.request();
    EXPECT_EQ(request.headers.size(), 4U) << step;
    EXPECT_FALSE(request.header("Cookie"));
    EXPECT_EQ(request.header("Cookies"), "kept");
    EXPECT_EQ(request.header("Coo"), "kept");
    EXPECT_EQ(parse(text, step).body, "hi") << step;
  }
}

TEST(HttpParser, refuses_cookies_that_another_server_could_end_elsewhere) {
  for (const char* cookie : {"Cookie: a\nX: b", "Cookie: a\rX: b", "Cookie: a\r\n goes on",
                             "Cookie: a\r\n\tgoes on", "Cookie : a", "Cookie: a\r\r\n"}) {
    EXPECT_EQ(parse(kPut + cookie + "\r\nContent-Length: 0\r\n\r\n").refused, 400) << cookie;
  }
  const std::string zero = std::string("Cookie: a") + '\0' + "b\r\n";
  EXPECT_EQ(parse(kPut + zero + "\r\n").refused, 400);
  const std::string flood(limits::kHttpCookies, 'x');
  EXPECT_EQ(parse(kPut + "Cookie: " + flood + "\r\n\r\n", 65536).refused, 431);
}

TEST(HttpParser, refuses_floods) {
  EXPECT_EQ(
      parse("GET /" + std::string(300'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 65536).refused,
      414);
  EXPECT_EQ(parse(kPut + "X: " + std::string(300'000, 'a') + "\r\n\r\n", 65536).refused, 431);
  std::string many;
  for (std::size_t i = 0; i <= limits::kHttpHeaderFields; ++i) many += "X: 1\r\n";
  EXPECT_EQ(parse(kPut + many + "\r\n").refused, 431);
}

}  // namespace
}  // namespace meshstow::io
