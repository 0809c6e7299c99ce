// TLS under HTTP connections. OpenSSL works on the socket itself: Asio's stream would keep two
// buffers of 17 KiB and a pair of memory BIOs for each connection, idle ones too, where OpenSSL
// lets go of its buffers between records (SSL_MODE_RELEASE_BUFFERS).
#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <climits>

#include "io/http_stream.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::size_t kRecord = 16 * 1024;

class TlsStream final : public HttpStream, public std::enable_shared_from_this<TlsStream> {
 public:
  TlsStream(Tcp::socket socket, asio::ssl::context& tls)
      : socket_(std::move(socket)), ssl_(SSL_new(tls.native_handle()), &SSL_free) {
    error_code error;
    socket_.non_blocking(true, error);
    // Writes to a client that left raise SIGPIPE, which the program ignores.
    if (error || ssl_ == nullptr || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) {
      failed_ = true;
    } else {
      SSL_set_accept_state(ssl_.get());
    }
  }

  void open(std::function<void(bool)> done) override {
    if (failed_) return later([done = std::move(done)] { done(false); });
    const Step step = step_of(run([&] { return SSL_do_handshake(ssl_.get()); }));
    if (step == Step::done || step == Step::over) {
      is_open_ = step == Step::done;
      return later([done = std::move(done), ok = is_open_] { done(ok); });
    }
    wait(step, [this, done = std::move(done)](bool ok) mutable {
      if (!ok) return done(false);
      open(std::move(done));
    });
  }

  void wait_readable(std::function<void()> readable) override {
    const bool at_once = failed_ || ended_ || SSL_has_pending(ssl_.get()) == 1;
    if (at_once && !starved_) return later(std::move(readable));
    wait(read_waits_for_, [readable = std::move(readable)](bool) { readable(); });
  }

  Read read_some(MutableByteView into) override {
    std::size_t count = 0;
    starved_ = false;
    while (count < into.size() && !failed_ && !ended_ && !closed_) {
      const auto room = static_cast<int>(std::min<std::size_t>(into.size() - count, INT_MAX));
      const int result = run([&] { return SSL_read(ssl_.get(), into.data() + count, room); });
      if (result > 0) {
        count += static_cast<std::size_t>(result);
        continue;
      }
      const Step step = step_of(result);
      if (step != Step::over) {
        read_waits_for_ = step;
        starved_ = true;  // what is pending is less than a record
        break;
      }
      ended_ = true;
    }
    return {count, count == 0 && (ended_ || failed_)};
  }

  bool write(std::vector<asio::const_buffer> buffers, std::function<void(bool)> done) override {
    const Step step = write_now(buffers);
    if (step == Step::done) return true;
    if (step == Step::over) {
      later([done = std::move(done)] { done(false); });
    } else {
      write_later(step, std::move(buffers), std::move(done));
    }
    return false;
  }

  void end_output() override {
    if (closed_) return;
    say_goodbye();
    error_code ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  }

  void close() override {
    if (closed_) return;
    say_goodbye();
    closed_ = true;  // from here on the descriptor may be another connection's
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  enum class Step { done, wait_read, wait_write, over };

  // OpenSSL keeps errors in a queue of the thread: an old one must not be taken for a new one.
  template <class Call>
  int run(Call call) {
    ERR_clear_error();
    return call();
  }

  // After a call that gave `result`.
  Step step_of(int result) {
    if (result > 0) return Step::done;
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ: return Step::wait_read;
      case SSL_ERROR_WANT_WRITE: return Step::wait_write;
      case SSL_ERROR_ZERO_RETURN: return Step::over;
      default: failed_ = true; return Step::over;  // nothing more may be asked of it
    }
  }

  void later(std::function<void()> call) {
    asio::post(socket_.get_executor(), [self = shared_from_this(), call = std::move(call)] {
      if (!self->closed_) call();
    });
  }

  void wait(Step step, std::function<void(bool)> then) {
    socket_.async_wait(step == Step::wait_write ? Tcp::socket::wait_write : Tcp::socket::wait_read,
                       [self = shared_from_this(), then = std::move(then)](error_code error) {
                         if (!self->closed_) then(!error);
                       });
  }

  // A record at a time; a head and a small body share one. After a wait the same bytes are offered
  // again, as OpenSSL asks.
  Step write_now(std::vector<asio::const_buffer>& buffers) {
    std::array<Byte, kRecord> record;
    while (!buffers.empty()) {
      if (failed_ || closed_) return Step::over;
      ByteView next(static_cast<const Byte*>(buffers.front().data()), buffers.front().size());
      if (buffers.size() > 1 && next.size() < record.size()) next = gather(buffers, record);
      const auto size = static_cast<int>(std::min(next.size(), kRecord));
      const int result =
          size == 0 ? 0 : run([&] { return SSL_write(ssl_.get(), next.data(), size); });
      if (size > 0 && result <= 0) return step_of(result);
      bytes_out_ += static_cast<std::uint64_t>(result);
      drop_front(buffers, static_cast<std::size_t>(result));
    }
    return Step::done;
  }

  static ByteView gather(const std::vector<asio::const_buffer>& buffers,
                         std::array<Byte, kRecord>& into) {
    const std::size_t size = asio::buffer_copy(asio::buffer(into), buffers);
    return ByteView(into).first(size);
  }

  static void drop_front(std::vector<asio::const_buffer>& buffers, std::size_t count) {
    auto first = buffers.begin();
    while (first != buffers.end() && count >= first->size()) count -= (first++)->size();
    buffers.erase(buffers.begin(), first);
    if (count > 0) buffers.front() += count;
  }

  void write_later(Step step, std::vector<asio::const_buffer> buffers,
                   std::function<void(bool)> done) {
    wait(step, [this, buffers = std::move(buffers), done = std::move(done)](bool ok) mutable {
      if (!ok) return done(false);
      const Step next = write_now(buffers);
      if (next == Step::done || next == Step::over) return done(next == Step::done);
      write_later(next, std::move(buffers), std::move(done));
    });
  }

  // Tells the client that the end is no cut. Its own word is not waited for.
  void say_goodbye() {
    if (!is_open_ || failed_ || std::exchange(said_goodbye_, true)) return;
    (void)run([&] { return SSL_shutdown(ssl_.get()); });
  }

  Tcp::socket socket_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  Step read_waits_for_ = Step::wait_read;
  bool starved_ = false;
  bool is_open_ = false;
  bool ended_ = false;
  bool failed_ = false;
  bool said_goodbye_ = false;
  bool closed_ = false;
};

}  // namespace

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
  SSL_CTX* const context = tls->native_handle();
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Clients come back with tickets; nothing is kept here for those that do not.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
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
