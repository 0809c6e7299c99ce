#include "io/http_stream.hpp"

#include <algorithm>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

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

class TlsStream final : public HttpStream, public std::enable_shared_from_this<TlsStream> {
 public:
  TlsStream(Tcp::socket socket, asio::ssl::context& tls) : stream_(std::move(socket), tls) {}

  void open(std::function<void(bool)> done) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = shared_from_this(), done = std::move(done)](error_code error) {
                              if (!self->closed_) done(!error);
                            });
  }

  void wait_readable(std::function<void()> readable) override {
    // TLS must read to know whether there is something to read.
    buffer_.resize(kRecord);
    stream_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this(), readable = std::move(readable)](
                                error_code error, std::size_t count) {
                              self->ended_ = static_cast<bool>(error);
                              self->begin_ = 0;
                              self->end_ = count;
                              if (!self->closed_) readable();
                            });
  }

  Read read_some(MutableByteView into) override {
    const std::size_t count = std::min(into.size(), end_ - begin_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), count, into.begin());
    begin_ += count;
    if (begin_ == end_) Bytes().swap(buffer_);
    return {count, count == 0 && ended_};
  }

  bool write(std::vector<asio::const_buffer> buffers, std::function<void(bool)> done) override {
    asio::async_write(
        stream_, buffers,
        [self = shared_from_this(), done = std::move(done)](error_code error, std::size_t count) {
          self->bytes_out_ += count;
          if (!self->closed_) done(!error);
        });
    return false;
  }

  void end_output() override {
    error_code ignored;
    stream_.next_layer().shutdown(Tcp::socket::shutdown_send, ignored);
  }

  void close() override {
    closed_ = true;
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  static constexpr std::size_t kRecord = 16 * 1024;

  asio::ssl::stream<Tcp::socket> stream_;
  Bytes buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<HttpStream> make_plain_stream(Tcp::socket socket) {
  return std::make_shared<PlainStream>(std::move(socket));
}

std::shared_ptr<HttpStream> make_tls_stream(Tcp::socket socket, asio::ssl::context& tls) {
  return std::make_shared<TlsStream>(std::move(socket), tls);
}

tl::expected<std::shared_ptr<asio::ssl::context>, std::string> make_tls_context(
    const std::string& certificate_file, const std::string& key_file) {
  auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code error;
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1 | asio::ssl::context::single_dh_use,
                   error);
  tls->use_certificate_chain_file(certificate_file, error);
  if (error)
    return tl::unexpected("cannot use the certificate " + certificate_file + ": " +
                          error.message());
  tls->use_private_key_file(key_file, asio::ssl::context::pem, error);
  if (error) return tl::unexpected("cannot use the key " + key_file + ": " + error.message());
  return tls;
}

std::vector<std::string> names_of_certificate(asio::ssl::context& tls) {
  std::vector<std::string> names;
  const X509* certificate = SSL_CTX_get0_certificate(tls.native_handle());
  if (certificate == nullptr) return names;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;  // numbers are known from the addresses that are bound
    const ASN1_STRING* text = name->d.dNSName;
    std::string host(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
    std::ranges::transform(host, host.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (!host.empty() && host.find('*') == std::string::npos) names.push_back(std::move(host));
  }
  return names;
}

}  // namespace meshstow::io
