#include "io/framed_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <sys/socket.h>

#include "base/mesh_limits.hpp"
#include "io/log.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// No packet of Reticulum is this short: a header has 19 bytes, and something follows it.
constexpr std::size_t kShortestPacket = 20;
constexpr std::size_t kGather = 64;  // frames in one write

void set_option(int socket, int level, int option, int value) {
  // Refused only by sockets that know no such option; they work without.
  (void)setsockopt(socket, level, option, &value, sizeof value);
}

}  // namespace

void set_tcp_options(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 5);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 2);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 12);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 24'000);
}

FramedStream::FramedStream(Socket socket, std::size_t max_packet, std::shared_ptr<InputTurns> turns,
                           Hooks hooks)
    : socket_(std::move(socket)),
      deframer_(max_packet),
      turns_(std::move(turns)),
      hooks_(std::move(hooks)) {}

void FramedStream::start() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  wait_to_read();
}

void FramedStream::wait_to_read() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
    if (self->closed_) return;
    if (error) return self->fail();
    self->turns_->add(self);
  });
}

// What one turn may still do.
class FramedStream::Share {
 public:
  bool allows_one_more() {
    return packets_++ < limits::kPacketsPerShare && std::chrono::steady_clock::now() < end_;
  }

 private:
  std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() + limits::kInputShare;
  std::size_t packets_ = 0;
};

bool FramedStream::take_share(base::MutableByteView buffer) {
  const auto alive = shared_from_this();  // a packet may end the connection
  Share share;
  handle_unhandled(share);
  if (closed_) return false;
  if (!unhandled_.empty()) return true;
  const std::size_t count = read_some(buffer);
  handle_bytes(buffer.first(count), share);
  if (closed_) return false;
  if (!unhandled_.empty() || count == buffer.size()) return true;
  wait_to_read();
  return false;
}

std::size_t FramedStream::read_some(base::MutableByteView buffer) {
  error_code error;
  const std::size_t count = socket_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
  const bool nothing = error == asio::error::would_block || error == asio::error::interrupted;
  if (error && !nothing) fail();
  counters_.bytes_in += count;
  return count;
}

void FramedStream::handle_unhandled(Share& share) {
  while (!unhandled_.empty() && share.allows_one_more()) {
    const Bytes packet = std::move(unhandled_.front());
    unhandled_.pop_front();
    hand_over(packet);
    if (closed_ || finishing_) unhandled_.clear();
  }
}

// Memory that runs out is no reason to end the node: whoever asked for it goes.
void FramedStream::hand_over(ByteView packet) {
  try {
    hooks_.packet(packet);
  } catch (const std::bad_alloc&) {
    log_error("out of memory: a connection is closed");
    fail();
  }
}

void FramedStream::handle_bytes(ByteView bytes, Share& share) {
  deframer_.feed(bytes, [&](ByteView packet) {
    if (closed_ || finishing_) return;
    if (packet.size() < kShortestPacket) {
      ++counters_.dropped;
    } else if (unhandled_.empty() && share.allows_one_more()) {
      hand_over(packet);
    } else {
      unhandled_.push_back(base::to_bytes(packet));
    }
  });
}

void FramedStream::send(ByteView packet) {
  if (closed_ || finishing_) return;
  Bytes frame = codec::hdlc_frame(packet);
  if (queued_bytes_ + frame.size() > limits::kInterfaceSendQueue) {
    ++counters_.dropped;
    return;
  }
  queued_bytes_ += frame.size();
  queue_.push_back(std::move(frame));
  if (flush_due_) return;
  // Later in this turn of the loop: packets that come together leave in one write.
  flush_due_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->flush(); });
}

void FramedStream::flush() {
  if (closed_) return;
  while (!queue_.empty()) {
    if (write_some()) continue;
    if (closed_) return;
    socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
      if (self->closed_) return;
      if (error) return self->fail();
      self->flush();
    });
    return;
  }
  flush_due_ = false;
  if (!finishing_) return;
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

// False: the socket takes no more now, or is lost.
bool FramedStream::write_some() {
  std::vector<asio::const_buffer> buffers;
  for (const Bytes& frame : queue_) {
    if (buffers.size() == kGather) break;
    const std::size_t skip = buffers.empty() ? front_sent_ : 0;
    buffers.emplace_back(frame.data() + skip, frame.size() - skip);
  }
  error_code error;
  const std::size_t sent = socket_.write_some(buffers, error);
  if (error == asio::error::would_block || error == asio::error::interrupted) return false;
  if (error) {
    fail();
    return false;
  }
  forget_sent(sent);
  return true;
}

void FramedStream::forget_sent(std::size_t count) {
  counters_.bytes_out += count;
  queued_bytes_ -= count;
  while (count > 0) {
    const std::size_t left = queue_.front().size() - front_sent_;
    if (count < left) {
      front_sent_ += count;
      return;
    }
    count -= left;
    front_sent_ = 0;
    queue_.pop_front();
  }
}

void FramedStream::finish() {
  if (closed_ || finishing_) return;
  finishing_ = true;
  if (flush_due_) return;
  flush_due_ = true;
  flush();
}

void FramedStream::abandon() {
  if (closed_) return;
  closed_ = true;
  error_code ignored;
  socket_.close(ignored);
  queue_.clear();
  unhandled_.clear();
}

void FramedStream::fail() {
  if (closed_) return;
  abandon();
  hooks_.closed();
}

FramedStream::Counters FramedStream::counters() const {
  Counters out = counters_;
  out.dropped += deframer_.dropped();
  return out;
}

}  // namespace meshstow::io
