#include "follower.hpp"

#include <boost/json.hpp>

#include "io/home.hpp"
#include "io/run_command.hpp"

namespace meshstow::app {
namespace {

namespace json = boost::json;

constexpr std::pair<std::string_view, std::string_view> kWords[] = {
    {"connecting", "Waiting for an interface"},
    {"finding_path", "Looking for a path"},
    {"linking", "Opening a link"},
    {"asking", "Waiting for the answer"},
    {"sending", "Sending"},
    {"receiving", "Receiving"},
    {"checking", "Checking"},
    {"copying", "Copying"},
    {"compacting", "Compacting"},
};

std::string_view in_words(std::string_view stage) {
  for (const auto& [name, words] : kWords) {
    if (name == stage) return words;
  }
  return stage;
}

}  // namespace

Follower::Follower(const Invocation& invocation, std::optional<std::uint64_t> size)
    : line_(invocation.log_level != io::LogLevel::error, "Waiting for the store"),
      is_remote_(!invocation.command.at.empty()),
      total_(size.value_or(0)) {}

void Follower::told(const std::string& progress) {
  const json::object about = json::parse(progress).as_object();
  const std::string_view stage = about.at("stage").as_string();
  line_.update(in_words(stage), about.at("done").to_number<std::uint64_t>(),
               about.at("total").to_number<std::uint64_t>(), stage == "checking");
}

void Follower::head(const std::string& head) {
  const json::object about = json::parse(head).as_object();
  if (const auto* size = about.if_contains("size")) total_ = size->to_number<std::uint64_t>();
}

void Follower::moved(std::string_view stage, std::size_t bytes) {
  done_ += bytes;
  if (!is_remote_) line_.update(stage, done_, total_, false);
}

io::CommandOutcome run_and_follow(const Invocation& invocation, const io::Command& command) {
  Follower follower(invocation);
  io::CommandStreams streams;
  streams.progress = [&](const std::string& progress) { follower.told(progress); };
  return io::run_command(io::Home::choose(invocation.home), command, streams);
}

}  // namespace meshstow::app
