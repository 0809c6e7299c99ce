#include "io/http_stream.hpp"

#include <boost/asio/post.hpp>

namespace meshstow::io {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

class PlainStream final : public HttpStream, public std::enable_shared_from_this<PlainStream> {
 public:
  explicit PlainStream(Tcp::socket socket) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
  }

  void open(std::function<void(bool)> done) override { done(true); }

  void wait_readable(std::function<void()> readable) override {
    socket_.async_wait(Tcp::socket::wait_read, [self = shared_from_this(),
                                                readable = std::move(readable)](error_code error) {
      if (!error && !self->closed_) readable();
    });
  }

  Read read_some(MutableByteView into) override {
    error_code error;
    const std::size_t count = socket_.read_some(asio::buffer(into.data(), into.size()), error);
    if (!error) return {count, false};
    return {0, error != asio::error::would_block && error != asio::error::interrupted};
  }

  bool write(std::vector<asio::const_buffer> buffers, std::function<void(bool)> done) override {
    switch (write_now(buffers)) {
      case Progress::done: return true;
      case Progress::failed: {
        asio::post(socket_.get_executor(), [self = shared_from_this(), done = std::move(done)] {
          if (!self->closed_) done(false);
        });
        return false;
      }
      case Progress::waiting: break;
    }
    write_later(std::move(buffers), std::move(done));
    return false;
  }

  void end_output() override {
    error_code ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  }

  void close() override {
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  enum class Progress { done, waiting, failed };

  Progress write_now(std::vector<asio::const_buffer>& buffers) {
    while (!buffers.empty()) {
      error_code error;
      std::size_t count = socket_.write_some(buffers, error);
      if (error) return error == asio::error::would_block ? Progress::waiting : Progress::failed;
      bytes_out_ += count;
      while (!buffers.empty() && count >= buffers.front().size()) {
        count -= buffers.front().size();
        buffers.erase(buffers.begin());
      }
      if (count > 0) buffers.front() += count;
    }
    return Progress::done;
  }

  void write_later(std::vector<asio::const_buffer> buffers, std::function<void(bool)> done) {
    socket_.async_wait(Tcp::socket::wait_write,
                       [self = shared_from_this(), buffers = std::move(buffers),
                        done = std::move(done)](error_code error) mutable {
                         if (self->closed_) return;
                         if (error) return done(false);
                         const Progress progress = self->write_now(buffers);
                         if (progress == Progress::waiting)
                           return self->write_later(std::move(buffers), std::move(done));
                         done(progress == Progress::done);
                       });
  }

  Tcp::socket socket_;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<HttpStream> make_plain_stream(Tcp::socket socket) {
  return std::make_shared<PlainStream>(std::move(socket));
}

}  // namespace meshstow::io
