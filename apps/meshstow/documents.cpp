#include "documents.hpp"

#include <boost/json.hpp>
#include <unistd.h>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "codec/hex.hpp"
#include "follower.hpp"
#include "input_file.hpp"
#include "io/home.hpp"
#include "io/os_rng.hpp"
#include "io/run_command.hpp"
#include "listing.hpp"
#include "output_file.hpp"
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

int put(const Invocation& invocation, const std::filesystem::path& home) {
  InputFile input;
  if (auto opened = input.open(invocation.file); !opened) {
    return report_failure(invocation.json, opened.error());
  }
  io::Command command = invocation.command;
  command.size = input.size();
  Follower follower(invocation, input.size());
  io::CommandStreams streams;
  if (input.is_terminal()) follower.hide();
  streams.read = [&](MutableByteView out) {
    auto count = input.read(out);
    if (count) follower.moved("Storing", *count);
    if (count && *count == 0) follower.show();
    return count;
  };
  streams.progress = [&](const std::string& progress) { follower.told(progress); };
  const io::CommandOutcome outcome = io::run_command(home, command, streams);
  follower.hide();
  if (!outcome.ok) return report_outcome(invocation.json, outcome);
  return report_result(invocation.json, "put", outcome.json);
}

int get(const Invocation& invocation, const std::filesystem::path& home) {
  const bool into_json = invocation.json && invocation.file.empty();
  auto output = is_stream(invocation.file) ? OutputFile::standard_output()
                                           : OutputFile::create(invocation.file);
  if (!output) return report_failure(invocation.json, output.error());
  const bool shows_body = is_stream(invocation.file) && ::isatty(STDOUT_FILENO) == 1;
  Follower follower(invocation);
  Bytes body;
  io::CommandStreams streams;
  streams.head = [&](const std::string& head) { follower.head(head); };
  streams.write = [&](ByteView bytes) -> tl::expected<void, std::string> {
    follower.moved("Reading", bytes.size());
    if (shows_body) follower.hide();
    if (!into_json) return output->write(bytes);
    if (body.size() + bytes.size() > limits::kJsonMessage) {
      return tl::unexpected<std::string>("too large for JSON on standard output: give -o FILE");
    }
    base::append(body, bytes);
    return {};
  };
  streams.progress = [&](const std::string& progress) { follower.told(progress); };
  const io::CommandOutcome outcome = io::run_command(home, invocation.command, streams);
  follower.hide();
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
  if (verb == "ls" && invocation.command.at.empty()) return list_by_pages(invocation);
  const io::CommandOutcome outcome = run_and_follow(invocation, invocation.command);
  if (!outcome.ok) return report_outcome(invocation.json, outcome);
  return report_result(invocation.json, verb, outcome.json);
}

}  // namespace meshstow::app
