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
    Address tcp;                     // resolved anew each time; unless
    std::string abstract_unix_name;  // this is set, without the zero byte
    Duration retry{};
    Duration timeout{};
  };
  struct Hooks {
    std::function<void(Protocol::socket)> connected;
    std::function<void(const std::string& why)> failed;  // it is tried again all the same
  };

  Connector(boost::asio::io_context& loop, Target target, Hooks hooks);
  void start();
  void connection_lost();  // what `connected` was given is gone
  void stop();

 private:
  void attempt();
  void resolve();
  void try_endpoint(std::size_t number);
  void finish_attempt(std::size_t number, boost::system::error_code error);
  [[nodiscard]] bool reached_itself();
  void fail(const std::string& why);
  void retry_later();

  Target target_;
  Hooks hooks_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer timer_;
  Protocol::socket socket_;
  std::vector<Protocol::endpoint> endpoints_;
  std::uint64_t attempt_ = 0;  // tells late callbacks of an earlier try from this one's
  bool stopped_ = false;
};

}  // namespace meshstow::io
