#include "io/connector.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "io/framed_stream.hpp"

namespace meshstow::io {

namespace asio = boost::asio;
using boost::system::error_code;

Connector::Connector(asio::io_context& loop, Target target, Hooks hooks)
    : target_(std::move(target)),
      hooks_(std::move(hooks)),
      resolver_(loop),
      timer_(loop),
      socket_(loop) {}

void Connector::start() { attempt(); }

void Connector::stop() {
  stopped_ = true;
  resolver_.cancel();
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

void Connector::connection_lost() {
  if (!stopped_) retry_later();
}

void Connector::attempt() {
  endpoints_.clear();
  if (target_.abstract_unix_name.empty()) return resolve();
  endpoints_.emplace_back(
      asio::local::stream_protocol::endpoint(std::string(1, '\0') + target_.abstract_unix_name));
  try_endpoint(0);
}

void Connector::resolve() {
  using Results = asio::ip::tcp::resolver::results_type;
  resolver_.async_resolve(target_.tcp.host, std::to_string(target_.tcp.port),
                          [self = shared_from_this()](error_code error, const Results& results) {
                            if (self->stopped_) return;
                            if (error || results.empty()) return self->fail(error.message());
                            for (const auto& found : results)
                              self->endpoints_.emplace_back(found.endpoint());
                            self->try_endpoint(0);
                          });
}

void Connector::try_endpoint(std::size_t number) {
  const std::uint64_t attempt = ++attempt_;
  socket_ = Protocol::socket(timer_.get_executor());
  timer_.expires_after(target_.timeout);
  timer_.async_wait([self = shared_from_this(), attempt](error_code error) {
    if (error || self->stopped_ || attempt != self->attempt_) return;
    error_code ignored;
    self->socket_.close(ignored);  // async_connect then ends with an error
  });
  socket_.async_connect(endpoints_[number],
                        [self = shared_from_this(), attempt, number](error_code error) {
                          if (self->stopped_ || attempt != self->attempt_) return;
                          self->finish_attempt(number, error);
                        });
}

void Connector::finish_attempt(std::size_t number, error_code error) {
  ++attempt_;
  timer_.cancel();
  if (!error && !socket_.is_open()) error = asio::error::timed_out;
  if (!error && reached_itself()) error = asio::error::connection_refused;
  if (error) {
    if (number + 1 < endpoints_.size()) return try_endpoint(number + 1);
    return fail(error == asio::error::operation_aborted ? "no answer" : error.message());
  }
  if (target_.abstract_unix_name.empty()) set_tcp_options(socket_.native_handle());
  hooks_.connected(std::move(socket_));
}

// Where nobody listens on a port of this machine from which connections go out, TCP connects us to
// ourselves once in a while. That would hold the port against the program that we look for.
bool Connector::reached_itself() {
  error_code error;
  const auto ours = socket_.local_endpoint(error);
  const auto theirs = socket_.remote_endpoint(error);
  if (error || ours != theirs) return false;
  socket_.set_option(asio::socket_base::linger(true, 0), error);  // the port is free at once
  socket_.close(error);
  return true;
}

void Connector::fail(const std::string& why) {
  hooks_.failed(why);
  if (!stopped_) retry_later();
}

void Connector::retry_later() {
  timer_.expires_after(target_.retry);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && !self->stopped_) self->attempt();
  });
}

}  // namespace meshstow::io
