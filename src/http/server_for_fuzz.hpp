// http/server_for_fuzz.hpp: a service over a store in memory, for the fuzz targets: any request
// must come to an end, with a response that is well formed.
#pragma once

#include <set>

#include "base/check.hpp"
#include "http/service.hpp"
#include "http/space_for_test.hpp"

namespace meshstow::http {

class ServerForFuzz : private SpaceForTest {
 public:
  ServerForFuzz() {
    Endpoint endpoint;
    endpoint.port = 8181;
    endpoint.host = "localhost";
    endpoint.names = {"127.0.0.1"};
    ServiceConfig config;
    config.endpoints = {endpoint};
    service_ = std::make_unique<Service>(std::move(config), tokens_, control_, uploads_, rng_);
    bearer_ = "Bearer " + tokens_
                              .issue(now_, {.scopes = access::parse_scopes("*:rw").value(),
                                            .holder = {},
                                            .lifetime = {},
                                            .label = "fuzz"})
                              ->text;
  }
  [[nodiscard]] const std::string& bearer() const { return bearer_; }

  // The status; 0 if the response was broken off or is a stream.
  int ask(const Request& request, std::string_view body) {
    now_.mono += std::chrono::milliseconds(1);
    auto exchange = service_->begin(now_, request);
    status_ = 0;
    bool body_ended = false;
    while (!exchange->finished()) {
      if (drain(*exchange)) {
        exchange->handle_sent(now_);
      } else if (exchange->wants_body() && !body_ended) {
        const std::string_view piece = body.substr(0, 1000);
        body.remove_prefix(piece.size());
        body_ended = piece.empty();
        if (body_ended) exchange->handle_body_end(now_);
        if (!body_ended) exchange->handle_body(now_, base::as_bytes(piece));
      } else if (!exchange->finished()) {
        break;
      }
    }
    drain(*exchange);
    MESHSTOW_CHECK(exchange->finished() || exchange->is_stream());
    exchange->abort();
    drain(*exchange);
    MESHSTOW_CHECK(exchange->idle());
    return status_;
  }

 private:
  // True if something was sent.
  bool drain(Exchange& exchange) {
    bool sent = false;
    while (auto output = exchange.poll()) {
      if (auto* store = std::get_if<storage::StoreRequest>(&*output)) {
        exchange.handle_reply(now_, execute_in_store(std::move(*store)));
      } else if (auto* send = std::get_if<Send>(&*output)) {
        sent = true;
        if (send->head) check(*send->head);
      } else if (std::get_if<HashPassphrase>(&*output) != nullptr) {
        exchange.handle_hash(now_, {});
      }
    }
    return sent;
  }

  void check(const ResponseHead& head) {
    MESHSTOW_CHECK(reason_phrase(head.status) != "Unknown");
    const std::string& text = head.headers.text();
    // Every line is a name, a colon, a value; no stored or sent text made one of its own.
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find("\r\n", at);
      MESHSTOW_CHECK(end != std::string::npos);
      const std::string_view line = std::string_view(text).substr(at, end - at);
      MESHSTOW_CHECK(line.find(": ") != std::string_view::npos);
      MESHSTOW_CHECK(line.find_first_of("\r\n") == std::string_view::npos);
      at = end + 2;
    }
    status_ = head.status;
  }

  std::unique_ptr<Service> service_;
  std::string bearer_;
  int status_ = 0;
};

}  // namespace meshstow::http
