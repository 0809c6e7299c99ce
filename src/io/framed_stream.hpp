// io/framed_stream.hpp: one connection that carries HDLC frames: TCP, or a unix socket. Internal to
// io.
//
// Reads into a buffer that all connections of a loop share, so that an idle one costs little.
// Sending never waits: what the socket does not take is queued up to limits::kInterfaceSendQueue,
// and packets beyond that are dropped whole. Threading: the loop thread. Source:
// facts/reticulum.md 12.2.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>

#include "base/bytes.hpp"
#include "codec/hdlc.hpp"

namespace meshstow::io {

class FramedStream : public std::enable_shared_from_this<FramedStream> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  struct Hooks {
    std::function<void(ByteView packet)> packet;
    std::function<void()> closed;  // once, unless abandon() came first
  };
  struct Counters {
    std::uint64_t bytes_in = 0, bytes_out = 0, dropped = 0;
  };

  FramedStream(Socket socket, std::size_t max_packet, std::shared_ptr<Bytes> read_buffer,
               Hooks hooks);

  void start();
  void send(ByteView packet);
  void finish();  // sends what is queued, then says goodbye; `closed` follows when the peer did too
  void abandon();  // at once, without a word
  [[nodiscard]] Counters counters() const;

 private:
  void wait_to_read();
  void read_some();
  void handle_bytes(ByteView bytes);
  void flush();
  [[nodiscard]] bool write_some();
  void forget_sent(std::size_t count);
  void fail();

  Socket socket_;
  codec::HdlcDeframer deframer_;
  std::shared_ptr<Bytes> read_buffer_;
  Hooks hooks_;
  std::deque<Bytes> queue_;
  std::size_t queued_bytes_ = 0;
  std::size_t front_sent_ = 0;  // of the first frame of the queue
  bool flush_due_ = false;
  bool finishing_ = false;
  bool closed_ = false;
  Counters counters_;
};

// TCP_NODELAY, and dead peers noticed after 24 seconds.
void set_tcp_options(int socket);

}  // namespace meshstow::io
