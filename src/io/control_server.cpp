#include "io/control_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <set>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/shares.hpp"
#include "io/commands.hpp"
#include "io/control_frames.hpp"
#include "io/control_socket.hpp"
#include "io/log.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t kReadSize = 64 * 1024;
// Whoever connects is of our user; what has no command yet makes room for what comes.
constexpr base::Bound kConnections{
    .name = "commands",
    .whole = limits::kControlConnections,
    .of_owner = limits::kControlConnections - limits::kControlConnectionsIdle,
    .of_strangers = limits::kControlConnectionsIdle,
    .of_stranger = limits::kControlConnectionsIdle};
constexpr auto kGoodbye = std::chrono::seconds(10);  // for a client to take its answer and leave

// One connection: one command, its body, its answer.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(NodeHost& host, Unix::socket socket, base::Shares& places,
          std::function<void(std::shared_ptr<Session>)> ended)
      : host_(host),
        socket_(std::move(socket)),
        timer_(host.loop()),
        ended_(std::move(ended)),
        place_(places, base::Holder(), [this] { close(); }) {}

  void start() {
    if (!place_.take()) return close();
    read_more();
  }

  void close() {
    if (std::exchange(closed_, true)) return;
    place_.give_all_back();
    run_.reset();
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
    if (ended_) ended_(shared_from_this());
  }

  void forget_owner() { ended_ = nullptr; }

 private:
  void read_more();
  void handle_input(std::size_t count);
  [[nodiscard]] bool handle_frame(Frame frame);
  [[nodiscard]] bool begin_command(const Bytes& json);
  CommandChannel channel();
  void body_wanted(std::function<void(CommandChannel::Piece)> give);
  void give_body();
  void write_body(Bytes piece, std::function<void()> taken);
  void tell_progress(std::string json);
  void send_progress();
  void send(FrameType type, ByteView payload);
  void write_some();
  void handle_written();
  void answer(const CommandOutcome& outcome);

  NodeHost& host_;
  Unix::socket socket_;
  asio::steady_timer timer_;
  std::function<void(std::shared_ptr<Session>)> ended_;
  base::Share place_;
  FrameReader frames_{limits::kControlMessage};
  Bytes read_buffer_ = Bytes(kReadSize);
  bool reading_ = false;
  bool closed_ = false;
  bool answered_ = false;

  std::unique_ptr<CommandRun> run_;
  bool has_command_ = false;
  bool takes_body_ = false;
  std::deque<CommandChannel::Piece> body_;  // an empty piece: its end
  std::size_t body_bytes_ = 0;
  bool body_ended_ = false;
  std::function<void(CommandChannel::Piece)> wants_body_;

  std::string progress_;  // the last, while it has not been sent
  std::deque<Bytes> out_;
  std::size_t out_bytes_ = 0;
  bool writing_ = false;
  std::deque<std::function<void()>> taken_;
};

// A body comes no faster than the command takes it: beyond the bound nothing is read.
void Session::read_more() {
  if (closed_ || reading_ || body_bytes_ >= limits::kControlBuffered) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(read_buffer_),
                          [self = shared_from_this()](error_code error, std::size_t count) {
                            self->reading_ = false;
                            if (self->closed_) return;
                            if (error)
                              return self->close();  // with it goes the command, if it still runs
                            self->handle_input(count);
                          });
}

void Session::handle_input(std::size_t count) {
  if (answered_) return read_more();  // the rest of a body that was refused
  frames_.feed(ByteView(read_buffer_).first(count));
  for (;;) {
    auto frame = frames_.next();
    if (!frame) return answer(command_failed(frame.error().detail));
    if (!*frame) break;
    if (!handle_frame(std::move(**frame))) {
      return answer(command_failed("a control frame that has no place here"));
    }
    if (closed_ || answered_) break;
  }
  give_body();
  read_more();
}

// False: the client does not keep to the protocol.
bool Session::handle_frame(Frame frame) {
  if (!has_command_) return frame.type == FrameType::command && begin_command(frame.payload);
  if (!takes_body_ || body_ended_) return false;
  switch (frame.type) {
    case FrameType::data:
      if (frame.payload.empty()) return false;
      body_bytes_ += frame.payload.size();
      body_.emplace_back(std::move(frame.payload));
      return true;
    case FrameType::end: body_.emplace_back(Bytes()); break;
    case FrameType::body_failed:
      body_.emplace_back(tl::unexpected(base::to_string(frame.payload)));
      break;
    default: return false;
  }
  body_ended_ = true;
  return true;
}

bool Session::begin_command(const Bytes& json) {
  auto command = decode_command(base::as_text(json));
  if (!command) return false;
  if (!place_.pass_to(base::Holder::owner())) {
    answer(command_failed("too many commands at once: try again"));
    return true;
  }
  has_command_ = true;
  takes_body_ = command->has_body();
  run_ = start_command(host_, std::move(*command), channel());
  return true;
}

CommandChannel Session::channel() {
  CommandChannel out;
  const std::weak_ptr<Session> weak = weak_from_this();
  out.read_body = [weak](std::function<void(CommandChannel::Piece)> give) {
    if (const auto self = weak.lock()) self->body_wanted(std::move(give));
  };
  out.write_body = [weak](Bytes piece, std::function<void()> taken) {
    if (const auto self = weak.lock()) self->write_body(std::move(piece), std::move(taken));
  };
  out.head = [weak](const std::string& json) {
    if (const auto self = weak.lock()) self->send(FrameType::head, base::as_bytes(json));
  };
  out.progress = [weak](const std::string& json) {
    if (const auto self = weak.lock()) self->tell_progress(json);
  };
  out.done = [weak](const CommandOutcome& outcome) {
    if (const auto self = weak.lock()) self->answer(outcome);
  };
  return out;
}

// Of those that would have to wait only the last is told: it says more than the ones before.
void Session::tell_progress(std::string json) {
  progress_ = std::move(json);
  if (out_.empty()) send_progress();
}

void Session::send_progress() {
  if (answered_ || progress_.empty()) return;
  send(FrameType::progress, base::as_bytes(std::exchange(progress_, {})));
}

void Session::body_wanted(std::function<void(CommandChannel::Piece)> give) {
  wants_body_ = std::move(give);
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->give_body(); });
}

void Session::give_body() {
  if (closed_ || !wants_body_ || body_.empty()) return;
  CommandChannel::Piece piece = std::move(body_.front());
  body_.pop_front();
  if (piece) body_bytes_ -= piece->size();
  const auto give = std::exchange(wants_body_, nullptr);
  give(std::move(piece));
  read_more();
}

void Session::write_body(Bytes piece, std::function<void()> taken) {
  if (closed_) return;
  taken_.push_back(std::move(taken));
  send(FrameType::data, piece);
  if (out_bytes_ < limits::kControlBuffered) {
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->handle_written(); });
  }
}

void Session::send(FrameType type, ByteView payload) {
  if (closed_) return;
  out_.push_back(write_frame(type, payload));
  out_bytes_ += out_.back().size();
  write_some();
}

void Session::write_some() {
  if (closed_ || writing_ || out_.empty()) return;
  writing_ = true;
  asio::async_write(socket_, asio::buffer(out_.front()),
                    [self = shared_from_this()](error_code error, std::size_t) {
                      self->writing_ = false;
                      if (self->closed_) return;
                      if (error) return self->close();
                      self->out_bytes_ -= self->out_.front().size();
                      self->out_.pop_front();
                      if (self->out_.empty()) self->send_progress();
                      self->handle_written();
                      self->write_some();
                    });
}

void Session::handle_written() {
  while (!closed_ && !taken_.empty() && out_bytes_ < limits::kControlBuffered) {
    const auto taken = std::move(taken_.front());
    taken_.pop_front();
    taken();
  }
  if (closed_ || !answered_ || !out_.empty()) return;
  error_code ignored;
  socket_.shutdown(Unix::socket::shutdown_send, ignored);
}

// The client closes when it has read this; what it may still be sending is read and forgotten,
// since a close on our side would throw the answer away.
void Session::answer(const CommandOutcome& outcome) {
  if (std::exchange(answered_, true)) return;
  body_.clear();
  body_bytes_ = 0;
  wants_body_ = nullptr;
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->run_.reset(); });
  send(outcome.ok ? FrameType::result : FrameType::error, base::as_bytes(outcome.json));
  timer_.expires_after(kGoodbye);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->close();
  });
  read_more();
}

bool is_our_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace

struct ControlServer::State : std::enable_shared_from_this<ControlServer::State> {
  explicit State(NodeHost& of) : host(of), acceptor(of.loop()), pause(of.loop()) {}

  void accept() {
    acceptor.async_accept([self = shared_from_this()](error_code error, Unix::socket socket) {
      if (self->closed) return;
      if (error) return self->accept_later(error);
      if (is_our_user(socket.native_handle())) self->add(std::move(socket));
      self->accept();
    });
  }

  void accept_later(error_code why) {
    log_warning("control socket: " + why.message());
    pause.expires_after(std::chrono::seconds(1));
    pause.async_wait([self = shared_from_this()](error_code error) {
      if (!error && !self->closed) self->accept();
    });
  }

  void add(Unix::socket socket) {
    auto session =
        std::make_shared<Session>(host, std::move(socket), places,
                                  [weak = weak_from_this()](const std::shared_ptr<Session>& gone) {
                                    if (const auto self = weak.lock()) self->sessions.erase(gone);
                                  });
    sessions.insert(session);
    session->start();
  }

  void close() {
    closed = true;
    error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
    for (const auto& session : std::exchange(sessions, {})) {
      session->forget_owner();
      session->close();
    }
    files.reset();
  }

  NodeHost& host;
  Unix::acceptor acceptor;
  asio::steady_timer pause;
  std::optional<ControlSocket> files;
  base::Shares places{kConnections};
  std::set<std::shared_ptr<Session>> sessions;
  bool closed = false;
};

HomeResult<std::unique_ptr<ControlServer>> ControlServer::start(NodeHost& host) {
  auto state = std::make_shared<State>(host);
  auto socket = ControlSocket::make(host.home().directory());
  if (!socket) return tl::unexpected(socket.error());
  state->files.emplace(std::move(*socket));
  error_code error;
  state->acceptor.assign(Unix(), state->files->get(), error);
  if (error) {
    return tl::unexpected("cannot listen on " + state->files->file().string() + ": " +
                          error.message());
  }
  state->files->release();
  state->accept();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

ControlServer::ControlServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
ControlServer::~ControlServer() { state_->close(); }

}  // namespace meshstow::io
