#include "documents.hpp"

#include <boost/json.hpp>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "codec/hex.hpp"
#include "input_file.hpp"
#include "io/home.hpp"
#include "io/os_rng.hpp"
#include "io/run_command.hpp"
#include "listing.hpp"
#include "output_file.hpp"
#include "progress_bar.hpp"
#include "report.hpp"

namespace meshstow::app {
namespace {

namespace json = boost::json;

// What `get` reports: the head, and where the body went: a file, or a member of the JSON itself.
std::string with_member(const std::string& head, std::string_view key, std::string value) {
  json::value out = json::parse(head);
  out.as_object()[key] = std::move(value);
  return json::serialize(out);
}

// Follows the progress that the node tells (a transfer over the mesh), or counts bytes by itself.
class Follower {
 public:
  Follower(const Invocation& invocation, std::optional<std::uint64_t> size)
      : bar_(!invocation.json && invocation.log_level != io::LogLevel::error),
        is_remote_(!invocation.command.at.empty()),
        total_(size.value_or(0)) {}

  void told(const std::string& progress) {
    const json::object about = json::parse(progress).as_object();
    bar_.update(words(about.at("stage").as_string()), about.at("done").to_number<std::uint64_t>(),
                about.at("total").to_number<std::uint64_t>());
  }
  void head(const std::string& head) {
    const json::object about = json::parse(head).as_object();
    if (const auto* size = about.if_contains("size")) total_ = size->to_number<std::uint64_t>();
  }
  void moved(std::string_view stage, std::size_t bytes) {
    done_ += bytes;
    if (!is_remote_) bar_.update(stage, done_, total_);
  }
  void clear() { bar_.clear(); }

 private:
  static std::string_view words(std::string_view stage) {
    if (stage == "finding_path") return "Looking for a path";
    if (stage == "linking") return "Opening a link";
    if (stage == "asking") return "Waiting for the answer";
    return stage == "sending" ? "Sending" : "Receiving";
  }

  ProgressBar bar_;
  bool is_remote_;
  std::uint64_t done_ = 0, total_;
};

int put(const Invocation& invocation, const std::filesystem::path& home) {
  InputFile input;
  if (auto opened = input.open(invocation.file); !opened) {
    return report_failure(invocation.json, opened.error());
  }
  io::Command command = invocation.command;
  command.size = input.size();
  Follower follower(invocation, input.size());
  io::CommandStreams streams;
  streams.read = [&](MutableByteView out) {
    auto count = input.read(out);
    if (count) follower.moved("Storing", *count);
    return count;
  };
  streams.progress = [&](const std::string& progress) { follower.told(progress); };
  const io::CommandOutcome outcome = io::run_command(home, command, streams);
  follower.clear();
  if (!outcome.ok) return report_outcome(invocation.json, outcome);
  return report_result(invocation.json, "put", outcome.json);
}

int get(const Invocation& invocation, const std::filesystem::path& home) {
  const bool into_json = invocation.json && invocation.file.empty();
  auto output = is_stream(invocation.file) ? OutputFile::standard_output()
                                           : OutputFile::create(invocation.file);
  if (!output) return report_failure(invocation.json, output.error());
  Follower follower(invocation, std::nullopt);
  Bytes body;
  io::CommandStreams streams;
  streams.head = [&](const std::string& head) { follower.head(head); };
  streams.write = [&](ByteView bytes) -> tl::expected<void, std::string> {
    follower.moved("Reading", bytes.size());
    if (!into_json) return output->write(bytes);
    if (body.size() + bytes.size() > limits::kJsonMessage) {
      return tl::unexpected<std::string>("too large for JSON on standard output: give -o FILE");
    }
    base::append(body, bytes);
    return {};
  };
  streams.progress = [&](const std::string& progress) { follower.told(progress); };
  const io::CommandOutcome outcome = io::run_command(home, invocation.command, streams);
  follower.clear();
  if (!outcome.ok) return report_outcome(invocation.json, outcome);
  if (json::parse(outcome.json).as_object().contains("not_modified")) {
    return report_result(invocation.json, "get", outcome.json);
  }
  if (auto kept = output->keep(); !kept) return report_failure(invocation.json, kept.error());
  if (into_json) {
    return report_result(true, "get", with_member(outcome.json, "data", codec::to_base64(body)));
  }
  if (!is_stream(invocation.file)) {
    return report_result(invocation.json, "get",
                         with_member(outcome.json, "file", invocation.file));
  }
  return kOk;
}

}  // namespace

int init(const Invocation& invocation) {
  const auto home = io::Home::choose(invocation.home);
  io::OsRng rng;
  if (auto made = io::Home::create(home, invocation.name, rng); !made) {
    return report_failure(invocation.json, made.error());
  }
  const auto opened = io::Home::open(home);
  if (!opened) return report_failure(invocation.json, opened.error());
  const node::NodeIdentities& identities = opened->identities();
  json::object result = {{"owner", codec::to_hex(identities.owner.hash().view())},
                         {"device", codec::to_hex(identities.device.hash().view())},
                         {"destination", codec::to_hex(opened->destination().view())}};
  if (!invocation.json) result["home"] = home.string();
  return report_result(invocation.json, "init", json::serialize(result));
}

int run_document_command(const Invocation& invocation) {
  const auto home = io::Home::choose(invocation.home);
  const std::string& verb = invocation.command.verb;
  if (verb == "put") return put(invocation, home);
  if (verb == "get") return get(invocation, home);
  if (verb == "ls" && invocation.command.at.empty()) return list_by_pages(invocation, home);
  const io::CommandOutcome outcome = io::run_command(home, invocation.command, {});
  if (!outcome.ok) return report_outcome(invocation.json, outcome);
  return report_result(invocation.json, verb, outcome.json);
}

}  // namespace meshstow::app
