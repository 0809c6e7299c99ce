// io/framed_stream.hpp: one connection that carries HDLC frames: TCP, or a unix socket. Internal to
// io.
//
// Reads when its turn comes (input_turns.hpp), into a buffer that all connections share, so that an
// idle one costs little; what it has read and not handled in its turn is at most one such buffer.
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
#include "io/input_turns.hpp"

namespace meshstow::io {

class FramedStream final : public InputSource, public std::enable_shared_from_this<FramedStream> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  struct Hooks {
    // Where it throws bad_alloc, the connection is lost, with all that its peer had open.
    std::function<void(ByteView packet)> packet;
    std::function<void()> closed;  // once, unless abandon() came first
  };
  struct Counters {
    std::uint64_t bytes_in = 0, bytes_out = 0, dropped = 0;
  };

  FramedStream(Socket socket, std::size_t max_packet, std::shared_ptr<InputTurns> turns,
               Hooks hooks);

  void start();
  void send(ByteView packet);
  void finish();  // sends what is queued, then says goodbye; `closed` follows when the peer did too
  void abandon();  // at once, without a word
  [[nodiscard]] Counters counters() const;
  bool take_share(base::MutableByteView buffer) override;

 private:
  class Share;
  void wait_to_read();
  [[nodiscard]] std::size_t read_some(base::MutableByteView buffer);
  void handle_unhandled(Share& share);
  void handle_bytes(ByteView bytes, Share& share);
  void hand_over(ByteView packet);
  void flush();
  [[nodiscard]] bool write_some();
  void forget_sent(std::size_t count);
  void fail();

  Socket socket_;
  codec::HdlcDeframer deframer_;
  std::shared_ptr<InputTurns> turns_;
  Hooks hooks_;
  std::deque<Bytes> unhandled_;  // packets that were read and wait for the next turn
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
