// io/connector.hpp: keeps one connection out: resolves, connects, and after every loss starts
// again. Internal to io. Threading: the loop thread.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "io/mesh_options.hpp"

namespace meshstow::io {

class Connector : public std::enable_shared_from_this<Connector> {
 public:
  using Protocol = boost::asio::generic::stream_protocol;
  struct Target {
    std::string name;                // of the interface
    Address tcp;                     // resolved anew each time; unless
    std::string abstract_unix_name;  // this is set, without the zero byte
    Duration retry{};
    Duration timeout{};
  };

  Connector(boost::asio::io_context& loop, Target target,
            std::function<void(Protocol::socket)> connected);
  void start();
  void connection_lost();  // what `connected` was given is gone
  void stop();

 private:
  void attempt();
  void resolve();
  void try_endpoint(std::size_t number);
  void finish_attempt(std::size_t number, boost::system::error_code error);
  void retry_later(const std::string& why);

  Target target_;
  std::function<void(Protocol::socket)> connected_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer timer_;
  Protocol::socket socket_;
  std::vector<Protocol::endpoint> endpoints_;
  std::uint64_t attempt_ = 0;  // tells late callbacks of an earlier try from this one's
  bool complained_ = false;
  bool stopped_ = false;
};

}  // namespace meshstow::io
