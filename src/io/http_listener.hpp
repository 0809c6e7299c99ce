// io/http_listener.hpp: which addresses an HTTP server binds, and the names it answers to. Internal
// to io.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <string>
#include <vector>

#include "http/origin.hpp"
#include "io/mesh_options.hpp"

namespace meshstow::io {

struct HttpBinding {
  std::vector<boost::asio::ip::tcp::acceptor> acceptors;
  http::Endpoint endpoint;
};

// The error is for people. Not secure: loopback addresses only. `certificate_names`: further names
// that a secure server answers to; the first is the one that it calls itself, if it is bound to all
// addresses.
[[nodiscard]] tl::expected<HttpBinding, std::string> bind_http(
    boost::asio::io_context& loop, const Address& address, bool secure,
    const std::vector<std::string>& certificate_names);

}  // namespace meshstow::io
