// io/http_stream.hpp: the byte stream under an HTTP connection: TCP, or TLS over it. Internal to
// io.
//
// Reading is two steps, wait and read, so that an idle connection holds no buffer. Threading: the
// loop's.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace boost::asio::ssl {
class context;
}

namespace meshstow::io {

class HttpStream {
 public:
  using Tcp = boost::asio::ip::tcp;
  virtual ~HttpStream() = default;

  // TLS: the handshake; else at once. `done(false)`: the stream is of no use.
  virtual void open(std::function<void(bool)> done) = 0;
  // Calls once something can be read, or the stream has ended.
  virtual void wait_readable(std::function<void()> readable) = 0;
  struct Read {
    std::size_t bytes = 0;
    bool ended = false;  // nothing more will come
  };
  virtual Read read_some(MutableByteView into) = 0;
  // Writes all of it; the buffers outlive the call of `done`. True: written at once, `done` is not
  // called.
  virtual bool write(std::vector<boost::asio::const_buffer> buffers,
                     std::function<void(bool)> done) = 0;
  // When bytes last left, to tell a slow client from one that has stopped.
  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }
  virtual void end_output() = 0;  // the client sees the end, and we can still read
  virtual void close() = 0;       // at once; waiting calls are dropped

 protected:
  std::uint64_t bytes_out_ = 0;
};

[[nodiscard]] std::shared_ptr<HttpStream> make_plain_stream(boost::asio::ip::tcp::socket socket);
[[nodiscard]] std::shared_ptr<HttpStream> make_tls_stream(boost::asio::ip::tcp::socket socket,
                                                          boost::asio::ssl::context& tls);
// TLS 1.2 and later with this certificate chain and key (PEM). The error is for people.
[[nodiscard]] tl::expected<std::shared_ptr<boost::asio::ssl::context>, std::string>
make_tls_context(const std::string& certificate_file, const std::string& key_file);
// The host names that its certificate is for, in lower case; without wildcards.
[[nodiscard]] std::vector<std::string> names_of_certificate(boost::asio::ssl::context& tls);

}  // namespace meshstow::io
