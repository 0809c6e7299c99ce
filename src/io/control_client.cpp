#include "io/control_client.hpp"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.hpp"
#include "io/control_frames.hpp"
#include "io/control_socket.hpp"

namespace meshstow::io {
namespace {

// The largest frame that a server sends: the listing of a large folder.
constexpr std::size_t kLargestAnswer = 4 * limits::kJsonMessage;

std::string errno_text(std::string_view doing) {
  return std::string(doing) + ": " + ::strerror(errno);
}

class Conversation {
 public:
  Conversation(FileHandle socket, const Command& command, const CommandStreams& streams)
      : socket_(std::move(socket)),
        streams_(streams),
        out_(write_frame(FrameType::command, base::as_bytes(encode_command(command)))),
        body_left_(command.has_body()) {}

  CommandOutcome run() {
    while (!outcome_) {
      const bool need_body = body_left_ && sent_ == out_.size();
      pollfd wait{socket_.get(), POLLIN, 0};
      if (sent_ < out_.size()) wait.events |= POLLOUT;
      const int ready = ::poll(&wait, 1, need_body ? 0 : -1);
      if (ready < 0 && errno != EINTR)
        return command_failed(errno_text("cannot wait for an answer"));
      if (ready > 0 && (wait.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        receive();
      } else if (ready > 0 && (wait.revents & POLLOUT) != 0) {
        send();
      } else if (need_body) {
        read_body();
      }
    }
    return *outcome_;
  }

 private:
  void read_body() {
    Bytes piece(limits::kBodyPiece);
    const auto count = streams_.read(piece);
    sent_ = 0;
    if (!count) {
      out_ = write_frame(FrameType::body_failed, base::as_bytes(count.error()));
    } else if (*count == 0) {
      out_ = write_frame(FrameType::end, {});
    } else {
      out_ = write_frame(FrameType::data, ByteView(piece).first(*count));
    }
    body_left_ = count && *count > 0;
  }

  void send() {
    const ssize_t count = ::send(socket_.get(), out_.data() + sent_, out_.size() - sent_,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      sent_ += static_cast<std::size_t>(count);
    } else if (errno != EINTR && errno != EAGAIN) {
      sent_ = out_.size();  // its answer, if there is one, says why
      body_left_ = false;
    }
  }

  void receive() {
    Bytes buffer(limits::kBodyPiece);
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) {
      outcome_ = command_failed("the node stopped before the command was done");
      return;
    }
    frames_.feed(ByteView(buffer).first(static_cast<std::size_t>(count)));
    while (!outcome_) {
      const auto frame = frames_.next();
      if (!frame) {
        outcome_ = command_failed("the node's answer cannot be read");
      } else if (!*frame) {
        return;
      } else {
        handle(**frame);
      }
    }
  }

  void handle(const Frame& frame) {
    const auto text = [&] { return base::to_string(frame.payload); };
    switch (frame.type) {
      case FrameType::data:
        if (auto written = streams_.write(frame.payload); !written) {
          outcome_ = command_failed(written.error());
        }
        break;
      case FrameType::head:
        if (streams_.head) streams_.head(text());
        break;
      case FrameType::progress:
        if (streams_.progress) streams_.progress(text());
        break;
      case FrameType::result: outcome_ = CommandOutcome{true, text()}; break;
      case FrameType::error: outcome_ = CommandOutcome{false, text()}; break;
      default: outcome_ = command_failed("the node's answer cannot be read");
    }
  }

  FileHandle socket_;
  const CommandStreams& streams_;
  FrameReader frames_{kLargestAnswer};
  Bytes out_;
  std::size_t sent_ = 0;
  bool body_left_;
  std::optional<CommandOutcome> outcome_;
};

}  // namespace

std::optional<CommandOutcome> run_by_control(const std::filesystem::path& home,
                                             const Command& command,
                                             const CommandStreams& streams) {
  auto socket = connect_control_socket(home);
  if (!socket) return command_failed(socket.error());
  if (!*socket) return std::nullopt;
  return Conversation(std::move(**socket), command, streams).run();
}

}  // namespace meshstow::io
