#include "io/run_command.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "base/limits.hpp"
#include "io/body_spool.hpp"
#include "io/held_signals.hpp"
#include "io/log.hpp"
#include "io/os_rng.hpp"

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
  // `rest` gets what is to be written once the home is free: all, unless it is large. A reader may
  // take as long as they like.
  OneShot(Home home, const Command& command, const CommandStreams& streams,
          const OneShotOptions& options, Bytes& rest)
      : home_(std::move(home)),
        command_(command),
        streams_(streams),
        options_(options),
        rest_(rest) {}

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
      base::append(rest_, piece);
      if (rest_.size() > limits::kSpoolMemory) {
        if (auto written = streams_.write(std::exchange(rest_, {})); !written) {
          return end(command_failed(written.error()));
        }
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
  Bytes& rest_;
  asio::io_context loop_{1};
  std::unique_ptr<NodeHost> host_;
  std::unique_ptr<CommandRun> run_;
  std::optional<CommandOutcome> outcome_;
};

CommandOutcome run_one_shot(Home home, const Command& command, const CommandStreams& streams,
                            const OneShotOptions& options) {
  Bytes rest;
  auto outcome = OneShot(std::move(home), command, streams, options, rest).run();
  if (!outcome.ok || rest.empty()) return outcome;
  const auto written = streams.write(rest);
  return written ? outcome : command_failed(written.error());
}

// Only of what will be asked for: a path that can be none is refused before.
bool waits_for_body(const Command& command) {
  if (!command.has_body() || command.size) return false;
  const auto path = StoragePath::parse(command.path);
  return path && !path->is_folder();
}

CommandOutcome run_with_spooled_body(const std::filesystem::path& directory, const Command& command,
                                     const CommandStreams& streams, const OneShotOptions& options) {
  OsRng rng;
  BodySpool spool(directory, rng);
  {
    const auto home = Home::open(directory);
    if (!home) return command_failed(home.error());
    Bytes piece(limits::kBodyPiece);
    for (;;) {
      const auto count = streams.read(piece);
      if (!count) return command_failed(count.error());
      if (*count == 0) break;
      const auto kept = spool.append(ByteView(piece).first(*count));
      if (!kept && spool.is_disk_full()) {
        return command_failed(protocol::StoreCode::storage_full, 507, kept.error(), command.path);
      }
      if (!kept) return command_failed(kept.error());
    }
  }
  Command sized = command;
  sized.size = spool.size();
  CommandStreams from_spool = streams;
  from_spool.read = [&spool, done = std::uint64_t{0}](
                        MutableByteView out) mutable -> tl::expected<std::size_t, std::string> {
    const auto bytes = spool.read(done, out.size());
    if (!bytes) return tl::unexpected(bytes.error());
    std::ranges::copy(*bytes, out.begin());
    done += bytes->size();
    return bytes->size();
  };
  return run_command(directory, sized, from_spool, options);
}

}  // namespace

CommandOutcome run_command(const std::filesystem::path& directory, const Command& command,
                           const CommandStreams& streams, const OneShotOptions& options) {
  // What has no size may wait for a person, and nobody should have to wait for that.
  if (waits_for_body(command)) {
    return run_with_spooled_body(directory, command, streams, options);
  }
  const auto give_up = std::chrono::steady_clock::now() + kStartingPatience;
  for (;;) {
    auto home = Home::open(directory);
    if (!home) return command_failed(home.error());
    const auto locked = home->lock();
    std::optional<HeldSignals> held;  // the copy that is being made has to go first
    if (locked && command.verb == "backup") held.emplace();
    if (locked) return run_one_shot(std::move(*home), command, streams, options);
    if (!home->is_locked_elsewhere()) return command_failed(locked.error());
    // Whoever has the home may be a `serve` that listens; a socket in a free home is a leftover.
    if (auto outcome = run_by_control(directory, command, streams)) return *outcome;
    if (std::chrono::steady_clock::now() > give_up) return command_failed(locked.error());
    std::this_thread::sleep_for(kAskAgain);
  }
}

}  // namespace meshstow::io
