// http/server_for_test.hpp: a service over a store in memory, driven without sockets: what the
// tests of this folder talk to.
#pragma once

#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "access/revocation.hpp"
#include "codec/percent.hpp"
#include "http/service.hpp"
#include "http/space_for_test.hpp"

namespace meshstow::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct TestRequest {
  std::string method = "GET";
  std::string target = "/";
  Headers headers;
  std::optional<std::string> body;
  bool chunked = false;
  int minor_version = 1;
  std::string peer = "\x7f";  // one character tells addresses apart
};

struct TestResponse {
  int status = 0;
  HeaderBlock headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  std::string body;
  bool broken = false;            // the connection was cut
  std::size_t body_taken = 0;     // bytes of the request's body that were asked for
  std::size_t most_buffered = 0;  // bytes handed out at once

  [[nodiscard]] std::string header(std::string_view name) const {
    return std::string(headers.find(name).value_or(""));
  }
  [[nodiscard]] bool has(std::string_view name) const { return headers.find(name).has_value(); }
  [[nodiscard]] std::string etag() const { return header("ETag"); }
};

class TestServer : private SpaceForTest {
 public:
  explicit TestServer(const storage::StorageOptions& options = {}) : TestServer("", options) {}
  // Behind a proxy that browsers reach under this URL.
  explicit TestServer(const std::string& public_url, const storage::StorageOptions& options = {})
      : SpaceForTest(options) {
    Endpoint endpoint;
    endpoint.port = 8181;
    endpoint.host = "localhost";
    endpoint.dashboard = "127.0.0.1";
    endpoint.names = {"[::1]"};
    ServiceConfig config;
    config.endpoints = {endpoint};
    if (!public_url.empty()) {
      config.endpoints.push_back(parse_public_url(public_url).value());
      config.public_endpoint = 1;
    }
    config.status = [] {
      return NodeStatus{.name = "test", .version = "0", .disk_free = 1'000'000};
    };
    service_ = std::make_unique<Service>(std::move(config), tokens_, control_, uploads_, rng_);
  }

  Service& service() { return *service_; }
  access::TokenBook& tokens() { return tokens_; }
  access::AccessControl& control() { return control_; }
  base::Rng& rng() { return rng_; }
  storage::Uploads& uploads() { return uploads_; }
  [[nodiscard]] Now now() const { return now_; }
  void pass(Duration time) {
    now_.mono += time;
    now_.wall += time;
  }

  void turn_clock(Duration time) { now_.wall += time; }

  std::string token(std::string_view scopes, std::optional<std::chrono::seconds> lifetime = {}) {
    const auto issued = tokens_.issue(now_, {.scopes = access::parse_scopes(scopes).value(),
                                             .holder = {},
                                             .lifetime = lifetime,
                                             .label = "test"});
    last_token_ = issued->id;
    return issued->text;
  }
  [[nodiscard]] access::TokenId last_token() const { return last_token_; }
  void revoke(const access::TokenId& id) {
    access::Revoker(tokens_, control_).begin(now_, id)->finish(/*stored=*/true);
  }

  // One request and its whole response.
  TestResponse ask(TestRequest request) {
    RunningExchange running(*this, std::move(request));
    running.run();
    return running.response;
  }
  TestResponse ask(std::string method, std::string target, Headers headers = {},
                   std::optional<std::string> body = std::nullopt) {
    return ask({.method = std::move(method),
                .target = std::move(target),
                .headers = std::move(headers),
                .body = std::move(body)});
  }

  // The same, step by step.
  struct RunningExchange {
    RunningExchange(TestServer& the_server, TestRequest the_request)
        : server(the_server), request(std::move(the_request)) {
      bool has_host = false;
      for (const auto& [name, value] : request.headers) {
        has_host = has_host || equal_ignoring_case(name, "Host");
        fields.push_back({name, value});
      }
      if (!has_host) fields.push_back({"Host", "localhost:8181"});
      Request borrowed;
      borrowed.method = request.method;
      borrowed.target = request.target;
      borrowed.headers = fields;
      borrowed.minor_version = request.minor_version;
      borrowed.has_body = request.body.has_value();
      if (request.body && !request.chunked) borrowed.content_length = request.body->size();
      borrowed.peer.bytes.fill(0);
      borrowed.peer.bytes[0] = static_cast<Byte>(request.peer[0]);
      exchange = server.service().begin(server.now(), borrowed);
    }
    ~RunningExchange() {
      exchange->abort();
      drain();
    }

    // Runs until the response is whole, or nothing moves any more.
    void run() {
      for (;;) {
        drain();
        if (exchange->finished()) return;
        if (unsent) {
          unsent = false;
          exchange->handle_sent(server.now());
        } else if (exchange->wants_body()) {
          feed();
        } else {
          return;
        }
      }
    }

    void feed(std::size_t size = 16 * 1024) {
      const std::string& body = request.body ? *request.body : empty;
      if (fed < body.size()) {
        const std::string piece = body.substr(fed, size);
        fed += piece.size();
        response.body_taken = fed;
        exchange->handle_body(server.now(), base::as_bytes(piece));
      } else {
        exchange->handle_body_end(server.now());
      }
    }

    void drain() {
      while (auto output = exchange->poll()) {
        if (auto* store = std::get_if<storage::StoreRequest>(&*output)) {
          exchange->handle_reply(server.now(), server.execute(std::move(*store)));
        } else if (auto* send = std::get_if<Send>(&*output)) {
          take(*send);
        } else if (auto* hash = std::get_if<HashPassphrase>(&*output)) {
          exchange->handle_hash(server.now(), server.hashers_are_full
                                                  ? std::nullopt
                                                  : std::optional(hash_for_test(hash->passphrase)));
        } else {
          response.broken = true;
        }
      }
    }

    void take(Send& send) {
      if (send.head) {
        response.status = send.head->status;
        response.headers = send.head->headers;
        response.framing = send.head->framing;
        response.content_length = send.head->content_length;
      }
      const ByteView bytes = view_of(send.body);
      response.body += base::as_text(bytes);
      response.most_buffered = std::max(response.most_buffered, bytes.size());
      unsent = true;
    }

    TestServer& server;
    TestRequest request;
    std::vector<HeaderField> fields;
    std::unique_ptr<Exchange> exchange;
    TestResponse response;
    std::size_t fed = 0;
    bool unsent = false;
    const std::string empty;
  };

  storage::StoreReply execute(storage::StoreRequest request) {
    if (!storage::is_write(request.operation)) {
      storage::StoreReply reply = execute_in_store(std::move(request));
      const auto* page =
          reply.outcome ? std::get_if<storage::FolderPage>(&*reply.outcome) : nullptr;
      if (page != nullptr) names_read += page->items.size();
      return reply;
    }
    if (fail_writes_with) {
      return {request.number, tl::unexpected(storage::Failure{.refusal = *fail_writes_with})};
    }
    storage::StoreReply reply = execute_in_store(request);
    if (reply.outcome) announce(request.operation, *reply.outcome);
    return reply;
  }
  // Every write is refused like this: a full disk, a store that closes.
  std::optional<storage::Refusal> fail_writes_with;
  bool hashers_are_full = false;
  std::size_t names_read = 0;  // of folders, in listings

  static Hash32 hash_for_test(std::string_view passphrase) {
    Hash32 out;
    std::copy_n(passphrase.begin(), std::min<std::size_t>(passphrase.size(), 32),
                out.bytes.begin());
    return out;
  }

 private:
  void announce(const storage::Operation& operation, const storage::Answer& answer) {
    const auto* written = std::get_if<storage::WriteResult>(&answer);
    if (written == nullptr) return;
    if (const auto* put = std::get_if<storage::PutDocument>(&operation)) {
      service_->document_changed(now_, put->path, written->etag, false);
    } else if (const auto* remove = std::get_if<storage::RemoveDocument>(&operation)) {
      service_->document_changed(now_, remove->path, written->etag, true);
    }
  }

  std::unique_ptr<Service> service_;
  access::TokenId last_token_;
};

}  // namespace meshstow::http
