#include "io/command_work.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "codec/hex.hpp"
#include "codec/iso8601.hpp"
#include "codec/utf8.hpp"
#include "io/care_commands.hpp"
#include "io/clock.hpp"
#include "io/http_commands.hpp"
#include "io/http_server.hpp"
#include "node/answers.hpp"

namespace meshstow::io {
namespace {

namespace json = boost::json;

std::string text_member(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  const json::string* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string() : std::string(std::string_view(*text));
}

std::optional<std::uint64_t> number_member(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* number = found->if_int64(); number != nullptr && *number >= 0) {
    return static_cast<std::uint64_t>(*number);
  }
  if (const auto* number = found->if_uint64()) return *number;
  return std::nullopt;
}

Result<json::object> parse_object(std::string_view text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = limits::kJsonDepth;
  options.allow_invalid_utf8 = true;  // the path's own rules say what is wrong with it
  json::value value = json::parse(text, error, {}, options);
  if (error || !value.is_object()) return fail(Errc::malformed, "this is no JSON object");
  return std::move(value.get_object());
}

using Member = std::pair<std::string_view, std::string Command::*>;
constexpr Member kTextMembers[] = {
    {"verb", &Command::verb},
    {"path", &Command::path},
    {"at", &Command::at},
    {"token", &Command::token},
    {"content_type", &Command::content_type},
    {"if_match", &Command::if_match},
    {"if_none_match", &Command::if_none_match},
    {"version", &Command::version},
    {"after", &Command::after},
    {"for", &Command::holder},
    {"expires", &Command::expires},
    {"label", &Command::label},
    {"id", &Command::token_id},
    {"app", &Command::app},
    {"passphrase", &Command::passphrase},
    {"module", &Command::module},
    {"setting", &Command::setting},
    {"file", &Command::file},
};

json::object storage_error(protocol::StoreCode code, int status, std::string_view message,
                           std::string_view path) {
  if (path.size() > limits::kErrorPath || !codec::is_valid_utf8(path)) path = {};
  return {{"type", "storage_error"},
          {"code", protocol::to_text(code)},
          {"message", message},
          {"path", path},
          {"timestamp", codec::format_iso8601(read_clock().wall)},
          {"status", status}};
}

class Running final : public CommandRun {
 public:
  explicit Running(std::shared_ptr<CommandWork> work) : work_(std::move(work)) {}
  ~Running() override { work_->cancel(); }

 private:
  std::shared_ptr<CommandWork> work_;
};

}  // namespace

std::string encode_command(const Command& command) {
  json::object out;
  for (const auto& [key, member] : kTextMembers) {
    if (!(command.*member).empty()) out[key] = command.*member;
  }
  if (command.size) out["size"] = *command.size;
  if (command.wait) out["wait_us"] = command.wait->count();
  if (command.limit > 0) out["limit"] = command.limit;
  if (!command.scopes.empty())
    out["scopes"] = json::array(command.scopes.begin(), command.scopes.end());
  return json::serialize(out);
}

Result<Command> decode_command(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return fail(object.error());
  Command out;
  for (const auto& [key, member] : kTextMembers) {
    if (object->contains(key)) out.*member = text_member(*object, key);
  }
  out.size = number_member(*object, "size");
  if (const auto wait = number_member(*object, "wait_us")) {
    const auto longest = static_cast<std::uint64_t>(kLongestWait.count());
    out.wait = Duration(static_cast<Duration::rep>(std::min(*wait, longest)));
  }
  out.limit = static_cast<std::size_t>(number_member(*object, "limit").value_or(0));
  if (const json::value* scopes = object->if_contains("scopes")) {
    if (!scopes->is_array()) return fail(Errc::malformed, "scopes are an array");
    for (const json::value& scope : scopes->get_array()) {
      if (!scope.is_string()) return fail(Errc::malformed, "a scope is text");
      out.scopes.emplace_back(std::string_view(scope.get_string()));
    }
  }
  if (out.verb.empty()) return fail(Errc::malformed, "a command has a verb");
  return out;
}

int CommandOutcome::exit_code() const {
  if (ok) return 0;
  const auto object = parse_object(json);
  if (!object) return 1;
  const auto code = protocol::store_code(text_member(*object, "code"));
  return code ? protocol::exit_code(*code) : 1;
}

// The shape of every error; none of the five codes says it.
CommandOutcome command_failed(std::string_view message) {
  const json::object about{{"type", "storage_error"},
                           {"code", ""},
                           {"message", message},
                           {"path", ""},
                           {"timestamp", codec::format_iso8601(read_clock().wall)}};
  return {false, codec::with_valid_utf8(json::serialize(about))};
}

CommandOutcome command_failed(protocol::StoreCode code, int status, std::string_view message,
                              std::string_view path) {
  return {false,
          codec::with_valid_utf8(json::serialize(storage_error(code, status, message, path)))};
}

std::unique_ptr<CommandRun> start_command(NodeHost& host, Command command, CommandChannel channel) {
  static constexpr std::string_view kDocumentVerbs[] = {"put", "get", "rm", "ls", "stat"};
  const bool documents =
      std::ranges::find(kDocumentVerbs, command.verb) != std::end(kDocumentVerbs);
  std::shared_ptr<CommandWork> work = make_http_command(host, command, channel);
  if (!work) work = make_care_command(host, command, channel);
  if (work) {
    // It has taken both.
  } else if (!documents) {
    work = make_node_command(host, std::move(command), std::move(channel));
  } else if (!command.at.empty()) {
    work = make_remote_command(host, std::move(command), std::move(channel));
  } else if (command.verb == "put") {
    work = make_local_put(host, std::move(command), std::move(channel));
  } else {
    work = make_local_command(host, std::move(command), std::move(channel));
  }
  host.post([weak = std::weak_ptr(work)] {
    if (const auto started = weak.lock()) started->begin();
  });
  return std::make_unique<Running>(std::move(work));
}

void CommandWork::cancel() {
  if (std::exchange(over_, true)) return;
  channel_ = {};
  let_go();
}

void CommandWork::end(CommandOutcome outcome) {
  if (std::exchange(over_, true)) return;
  let_go();
  const CommandChannel channel = std::exchange(channel_, {});
  // What is told holds texts of documents and of the command itself; whoever reads it parses it.
  outcome.json = codec::with_valid_utf8(std::move(outcome.json));
  channel.done(std::move(outcome));
}

void CommandWork::let_go() {
  release();
  HttpServer* server = host_.http_server();
  if (work_ != 0 && server != nullptr) server->service().report(work_, std::nullopt);
}

void CommandWork::tell_progress(std::string title, const Progress& progress) {
  channel_.progress(json::serialize(
      json::object{{"stage", progress.stage}, {"done", progress.done}, {"total", progress.total}}));
  HttpServer* server = host_.http_server();
  if (server == nullptr) return;
  if (work_ == 0) work_ = host_.rng().next_u64() | 1;
  server->service().report(
      work_, http::WorkProgress{std::move(title), progress.done, progress.total, progress.counted});
}

void CommandWork::finish(const json::object& result) { end({true, json::serialize(result)}); }

void CommandWork::fail(std::string_view message) { end(command_failed(message)); }

void CommandWork::fail(protocol::StoreCode code, int status, std::string_view message) {
  end(command_failed(code, status, message, command_.path));
}

void CommandWork::fail(const storage::Failure& failure) {
  if (failure.refusal == storage::Refusal::unavailable) {
    return fail(std::string("the store is not available: ") + failure.detail);
  }
  const node::Refused why = node::refused_by_store(failure);
  fail(why.code, why.status, why.message);
}

void CommandWork::fail(const node::OperationFailed& failure) {
  using protocol::StoreCode;
  // An error of ours with a status says what it is, as an answer would.
  const bool no_answer = !failure.answered && !failure.error.status &&
                         failure.why.code != Errc::denied && failure.why.code != Errc::malformed &&
                         failure.why.code != Errc::limit;
  if (no_answer) {
    return fail(failure.error.message.empty() ? failure.why.detail : failure.error.message);
  }
  const protocol::StorageError& error = failure.error;
  json::object out =
      storage_error(error.code, error.status.value_or(400), error.message, command_.path);
  if (!error.status) out.erase("status");
  end({false, json::serialize(out)});
}

void CommandWork::fail_invalid(const Error& error) {
  fail(protocol::StoreCode::invalid_data, error.code == Errc::limit ? 413 : 400, error.detail);
}

void CommandWork::ask_store(storage::Operation operation,
                            std::function<void(storage::Answer&)> then) {
  host_.store(std::move(operation), [work = shared_from_this(), then = std::move(then)](
                                        storage::Outcome<storage::Answer> outcome) {
    if (work->over()) return;
    if (!outcome) return work->fail(outcome.error());
    then(*outcome);
  });
}

std::optional<StoragePath> CommandWork::read_path(std::string_view text) {
  auto path = StoragePath::parse(text);
  if (path) return std::move(*path);
  fail_invalid(path.error());
  return std::nullopt;
}

std::optional<storage::Conditions> CommandWork::read_conditions() {
  const auto written = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  const bool writes = command_.verb == "put" || command_.verb == "rm";
  auto out = storage::parse_conditions(written(command_.if_match), written(command_.if_none_match),
                                       writes);
  if (out) return std::move(*out);
  fail_invalid(out.error());
  return std::nullopt;
}

std::string json_time(WallTime wall) { return codec::format_iso8601(wall); }

json::object item_json(const storage::FolderItem& item) {
  json::object out{{"name", item.name}, {"folder", item.is_folder}, {"etag", item.etag.text()}};
  if (item.is_folder) return out;
  out["content_type"] = item.content_type;
  out["size"] = item.size;
  out["modified"] = json_time(item.modified);
  return out;
}

json::object document_json(const std::string& path, const storage::DocumentInfo& info) {
  return {{"path", path},
          {"etag", info.etag.text()},
          {"content_type", info.content_type},
          {"size", info.size},
          {"version", storage::to_text(info.version)},
          {"modified", json_time(info.modified)}};
}

}  // namespace meshstow::io
