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

// The error is for people. Not secure: loopback addresses only.
[[nodiscard]] tl::expected<HttpBinding, std::string> bind_http(boost::asio::io_context& loop,
                                                               const Address& address, bool secure);

}  // namespace meshstow::io
