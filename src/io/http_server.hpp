// io/http_server.hpp: the remoteStorage server of a running node: sockets and TLS around
// http::Service.
//
// Plain HTTP binds loopback addresses only; for a LAN there is TLS. Threading: the loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/service.hpp"
#include "io/node_host.hpp"

namespace meshstow::io {

struct HttpOptions {
  std::optional<Address> http;  // "localhost" binds both 127.0.0.1 and [::1]; port 0: any free one
  std::optional<Address> https;
  std::string certificate_file;  // PEM, with https
  std::string key_file;
  std::optional<http::Endpoint> public_url;  // what browsers use, through a proxy
};

class HttpServer {
 public:
  // `host` is ready (NodeHost::join) and outlives the server. Reads sessions and apps from the
  // store, then calls `ready`. The error, here or there, is for people: a port in use, an address
  // that is not loopback.
  using Ready = std::function<void(tl::expected<void, std::string>)>;
  [[nodiscard]] static tl::expected<std::unique_ptr<HttpServer>, std::string> start(
      NodeHost& host, HttpOptions options, Ready ready);
  ~HttpServer();  // drops all connections

  [[nodiscard]] http::Service& service();
  [[nodiscard]] std::string origin() const;  // "http://localhost:8181"
  [[nodiscard]] std::optional<std::string> https_origin() const;
  [[nodiscard]] std::string address() const;  // "me@localhost:8181"
  [[nodiscard]] std::string sign_in_link();   // signs its first visitor in
  [[nodiscard]] std::size_t connections() const;
  // What others hold of it, for whoever looks for an attack.
  [[nodiscard]] std::vector<const base::Shares*> bounds() const;

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace meshstow::io
