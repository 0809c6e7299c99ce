#include "io/run_command.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "base/limits.hpp"
#include "io/held_signals.hpp"
#include "io/log.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;

// A `serve` that has just locked the home listens in a moment.
constexpr auto kStartingPatience = std::chrono::seconds(5);
constexpr auto kAskAgain = std::chrono::milliseconds(50);

// Asking others needs ways out; whoever wants to be found runs `serve`.
MeshOptions one_shot_mesh(const Settings& settings) {
  MeshOptions out = settings.mesh;
  out.tcp_listen.clear();
  std::erase_if(out.interfaces, [](const InterfaceConfig& each) { return each.listens; });
  return out;
}

// A command with the store opened in this process.
class OneShot {
 public:
  OneShot(Home home, const Command& command, const CommandStreams& streams,
          const OneShotOptions& options)
      : home_(std::move(home)), command_(command), streams_(streams), options_(options) {}

  CommandOutcome run() {
    auto host = NodeHost::open(loop_, home_);
    if (!host) return command_failed(host.error());
    host_ = std::move(*host);
    const auto ready = [this](tl::expected<void, std::string> how) {
      // The check needs no node, and has more to say about a damaged store.
      if (!how && command_.verb != "check") return end(command_failed(how.error()));
      run_ = start_command(*host_, command_, channel());
    };
    if (command_.at.empty()) {
      host_->start_offline(ready);
    } else {
      MeshOptions mesh = options_.mesh ? *options_.mesh : one_shot_mesh(home_.settings());
      mesh.announces = false;
      host_->join(mesh, ready);
    }
    const auto work = asio::make_work_guard(loop_);
    loop_.run();
    run_.reset();
    host_.reset();
    return *outcome_;
  }

 private:
  CommandChannel channel() {
    CommandChannel out;
    out.read_body = [this](std::function<void(CommandChannel::Piece)> give) {
      host_->post([this, give = std::move(give)] { give(read_piece()); });
    };
    out.write_body = [this](const Bytes& piece, std::function<void()> taken) {
      if (auto written = streams_.write(piece); !written) {
        return end(command_failed(written.error()));
      }
      host_->post(std::move(taken));
    };
    out.head = [this](const std::string& json) {
      if (streams_.head) streams_.head(json);
    };
    out.progress = [this](const std::string& json) {
      if (streams_.progress) streams_.progress(json);
    };
    out.done = [this](CommandOutcome outcome) { end(std::move(outcome)); };
    return out;
  }

  CommandChannel::Piece read_piece() {
    Bytes piece(limits::kBodyPiece);
    const auto count = streams_.read(piece);
    if (!count) return tl::unexpected(count.error());
    piece.resize(*count);
    return piece;
  }

  void end(CommandOutcome outcome) {
    if (outcome_) return;
    outcome_ = std::move(outcome);
    host_->post([this] {
      run_.reset();
      host_->close([this] { loop_.stop(); });
    });
  }

  Home home_;
  const Command& command_;
  const CommandStreams& streams_;
  const OneShotOptions& options_;
  asio::io_context loop_{1};
  std::unique_ptr<NodeHost> host_;
  std::unique_ptr<CommandRun> run_;
  std::optional<CommandOutcome> outcome_;
};

}  // namespace

CommandOutcome run_command(const std::filesystem::path& directory, const Command& command,
                           const CommandStreams& streams, const OneShotOptions& options) {
  const auto give_up = std::chrono::steady_clock::now() + kStartingPatience;
  for (;;) {
    if (auto outcome = run_by_control(directory, command, streams)) return *outcome;
    auto home = Home::open(directory);
    if (!home) return command_failed(home.error());
    const auto locked = home->lock();
    std::optional<HeldSignals> held;  // the copy that is being made has to go first
    if (locked && command.verb == "backup") held.emplace();
    if (locked) return OneShot(std::move(*home), command, streams, options).run();
    if (!home->is_locked_elsewhere() || std::chrono::steady_clock::now() > give_up) {
      return command_failed(locked.error());
    }
    std::this_thread::sleep_for(kAskAgain);
  }
}

}  // namespace meshstow::io
