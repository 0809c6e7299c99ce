#include "report.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <poll.h>
#include <system_error>
#include <unistd.h>

#include "codec/printable.hpp"
#include "command_line.hpp"
#include "network_text.hpp"
#include "terminal_text.hpp"

namespace meshstow::app {
namespace {

namespace json = boost::json;

enum class Kind { text, hash, size };
struct Field {
  const char* label;
  const char* key;
  Kind kind = Kind::text;
};

std::string shown(const json::value& value, Kind kind) {
  if (value.is_null()) return "none";
  if (value.is_bool()) return value.as_bool() ? "yes" : "no";
  if (value.is_array()) {
    std::string out;
    for (const json::value& item : value.as_array()) {
      out += (out.empty() ? "" : ", ") + shown(item, kind);
    }
    return out.empty() ? "none" : out;
  }
  if (kind == Kind::size && value.is_number()) {
    return pretty_size(value.to_number<std::uint64_t>());
  }
  std::string text =
      value.is_string() ? codec::printable(value.as_string()) : json::serialize(value);
  return kind == Kind::hash && !text.empty() ? "<" + text + ">" : text;
}

// " Key : value" lines under one another; members that are absent are left out.
void print_fields(const json::object& about, std::initializer_list<Field> fields) {
  for (const Field& field : fields) {
    const json::value* value = about.if_contains(field.key);
    if (value == nullptr || (value->is_string() && value->as_string().empty())) continue;
    std::printf("  %-12s : %s\n", field.label, shown(*value, field.kind).c_str());
  }
}

std::string member(const json::object& about, const char* key) {
  const json::value* value = about.if_contains(key);
  return value == nullptr ? std::string() : shown(*value, Kind::text);
}

void print_init(const json::object& about) {
  std::printf("Made a home in %s\n", member(about, "home").c_str());
  print_fields(about, {{"Owner", "owner", Kind::hash},
                       {"Device", "device", Kind::hash},
                       {"Destination", "destination", Kind::hash}});
  std::printf("Keep a copy of its identities and keyring: without them nobody can read it.\n");
}

void print_ready(const json::object& about) {
  std::printf("Meshstow is ready\n");
  print_fields(about, {{"Home", "home"}});
  if (!about.at("address").is_null()) {
    print_fields(about, {{"Address", "address"}, {"Sign in", "url"}, {"HTTPS", "https"}});
  }
  print_fields(about, {{"Destination", "destination", Kind::hash}});
  print_network(about);
  const std::string program = member(about, "program");
  std::printf(
      "Try next, in another terminal:\n"
      "  %s put /public/notes/hello.txt FILE\n"
      "  %s ls /public/notes/\n"
      "and from another node:\n"
      "  meshstow get /public/notes/hello.txt --at %s\n",
      program.c_str(), program.c_str(), member(about, "destination").c_str());
}

void print_id(const json::object& about) {
  std::printf("Identities of this node\n");
  print_fields(about, {{"Name", "name"},
                       {"Owner", "owner", Kind::hash},
                       {"Device", "device", Kind::hash},
                       {"Destination", "destination", Kind::hash}});
}

void print_clock(const json::object& about) {
  const json::value& jumped = about.at("jumped_seconds");
  if (jumped.is_null()) return;
  const auto seconds = jumped.to_number<std::int64_t>();
  std::printf("  %-12s : jumped %lld hours %s%s\n", "Clock",
              static_cast<long long>(std::abs(seconds) / 3600), seconds < 0 ? "back" : "ahead",
              about.at("sweep_held").as_bool()
                  ? "; no earlier version is deleted for its age for now"
                  : "");
}

void print_status(const json::object& about) {
  std::printf("Meshstow status\n");
  print_fields(about, {{"Owner", "owner", Kind::hash},
                       {"Device", "device", Kind::hash},
                       {"Destination", "destination", Kind::hash},
                       {"Name", "name"}});
  const json::value* address = about.if_contains("address");
  if (address != nullptr && !address->is_null()) print_fields(about, {{"Address", "address"}});
  print_fields(about, {{"Documents", "documents"},
                       {"Stored", "bytes", Kind::size},
                       {"Quota", "quota", Kind::size},
                       {"Space left", "space_left", Kind::size},
                       {"History", "history_bytes", Kind::size},
                       {"Pending", "pending_changes"},
                       {"Conflicts", "conflicts"},
                       {"Fingerprint", "fingerprint", Kind::hash},
                       {"Peers", "peers"}});
  print_clock(about.at("clock").as_object());
  print_interfaces(about);
}

void print_stat(const json::object& about) {
  std::printf("%s\n", member(about, "path").c_str());
  print_fields(about, {{"Content type", "content_type"},
                       {"Size", "size", Kind::size},
                       {"ETag", "etag"},
                       {"Version", "version"},
                       {"Modified", "modified"}});
}

void print_list(const json::object& about) {
  json::array items = about.at("items").as_array();
  std::ranges::sort(items, {}, [](const json::value& item) {
    return std::string_view(item.as_object().at("name").as_string());
  });
  // Names that are wider than that reach into the next column.
  constexpr std::size_t kNarrowest = 32, kWidest = 60;
  std::size_t column = kNarrowest;
  for (const json::value& item : items) {
    column = std::max(column, std::min(kWidest, display_width(member(item.as_object(), "name"))));
  }
  for (const json::value& value : items) {
    const json::object& item = value.as_object();
    const std::string name = member(item, "name");
    if (item.at("folder").as_bool()) {
      std::printf("  %s/\n", name.c_str());
    } else {
      std::printf("  %s %12s  %s\n", padded(name, column).c_str(),
                  shown(item.at("size"), Kind::size).c_str(), member(item, "content_type").c_str());
    }
  }
}

void print_peers(const json::object& about) {
  const json::array& peers = about.at("peers").as_array();
  if (peers.empty()) std::printf("No storage node has been heard yet\n");
  for (const json::value& peer : peers) {
    std::printf("%s\n", shown(peer.as_object().at("destination"), Kind::hash).c_str());
    print_fields(peer.as_object(), {{"Name", "name"},
                                    {"Identity", "identity", Kind::hash},
                                    {"Hops", "hops"},
                                    {"Heard", "heard"},
                                    {"Capabilities", "capabilities"},
                                    {"Space", "space_available", Kind::size},
                                    {"Fingerprint", "fingerprint", Kind::hash}});
  }
}

void print_tokens(const json::object& about) {
  const json::array& tokens = about.at("tokens").as_array();
  if (tokens.empty()) std::printf("No tokens\n");
  for (const json::value& token : tokens) {
    std::printf("%s\n", shown(token.as_object().at("id"), Kind::hash).c_str());
    print_fields(token.as_object(), {{"Scopes", "scopes"},
                                     {"Holder", "holder", Kind::hash},
                                     {"Label", "label"},
                                     {"Created", "created"},
                                     {"Expires", "expires"},
                                     {"Last used", "last_used"},
                                     {"Revoked", "revoked"}});
  }
}

void print_app(const json::object& about) {
  std::printf("%s\n", member(about, "name").c_str());
  print_fields(
      about,
      {{"Title", "title"}, {"Address", "url"}, {"Files", "files"}, {"Size", "bytes", Kind::size}});
}

void print_text(std::string_view verb, const json::object& about) {
  if (verb == "init") return print_init(about);
  if (verb == "serve") return print_ready(about);
  if (verb == "id") return print_id(about);
  if (verb == "status") return print_status(about);
  if (verb == "stat") return print_stat(about);
  if (verb == "ls") return print_list(about);
  if (verb == "peers") return print_peers(about);
  if (verb == "token list") return print_tokens(about);
  if (verb == "token create") {  // the token alone, so that $(meshstow token create …) is one
    std::printf("%s\n", member(about, "token").c_str());
    return;
  }
  if (verb == "open") return void(std::printf("%s\n", member(about, "url").c_str()));
  if (verb == "passphrase") {
    const bool set = about.at("set").as_bool();
    std::printf(set ? "The passphrase is set\n" : "There is no passphrase any more\n");
    return;
  }
  if (verb == "apps add") return print_app(about);
  if (verb == "apps list") {
    const json::array& apps = about.at("apps").as_array();
    if (apps.empty()) std::printf("No app is installed\n");
    for (const json::value& app : apps) print_app(app.as_object());
    return;
  }
  if (verb == "apps remove") {
    std::printf("Removed %s\n", member(about, "name").c_str());
    return;
  }
  if (verb == "token revoke") {
    std::printf("Revoked <%s>%s\n", member(about, "id").c_str(),
                about.at("known").as_bool() ? "" : ", which was not known here");
    return;
  }
  if (about.contains("not_modified")) {
    std::fprintf(stderr, "Not modified: %s\n", member(about, "path").c_str());
    return;
  }
  const char* done = verb == "put" ? "Stored" : verb == "rm" ? "Deleted" : "Read";
  std::printf("%s %s\n", done, member(about, "path").c_str());
  print_fields(about, {{"ETag", "etag"}, {"Version", "version"}, {"File", "file"}});
}

// What they say is for people; what they did stays done.
constexpr std::string_view kChanges[] = {
    "init",     "put",         "rm",         "restore",      "compact",      "backup",
    "apps add", "apps remove", "passphrase", "token create", "token revoke", "restore-backup"};

bool is_reader_gone() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

// What became of all that was printed: nullopt, or why it is lost, as far as that is known.
std::optional<std::string> lost_output() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return std::nullopt;
  return errno == 0 ? std::string() : ": " + std::generic_category().message(errno);
}

void print_error(bool as_json, const io::CommandOutcome& failed) {
  if (as_json) return void(std::fprintf(stderr, "%s\n", failed.json.c_str()));
  const json::object about = json::parse(failed.json).as_object();
  std::string line = "meshstow: ";
  if (const std::string code = member(about, "code"); !code.empty()) line += code + " ";
  line += member(about, "message");
  const std::string path = member(about, "path");
  if (!path.empty()) line += ": " + path;
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace

int finish_output(bool as_json, std::string_view verb, int exit_code) {
  const auto why = lost_output();
  if (!why) return exit_code;
  const bool changes = std::ranges::find(kChanges, verb) != std::end(kChanges);
  if (!changes && is_reader_gone()) return kFailed;
  const char* what = changes ? "this was done, but what it says could not be written"
                             : "the output could not be written";
  print_error(as_json, io::command_failed(what + *why));
  return kFailed;
}

void print_as_text(std::string_view verb, const std::string& result) {
  print_text(verb, json::parse(result).as_object());
}

int report_result(bool as_json, std::string_view verb, const std::string& result) {
  if (as_json) {
    std::printf("%s\n", result.c_str());
  } else {
    print_as_text(verb, result);
  }
  if (verb != "token create") return finish_output(as_json, verb);
  const std::string id = "<" + member(json::parse(result).as_object(), "id") + ">";
  if (const auto why = lost_output()) {
    const std::string made = "the token " + id + " was created, but could not be written";
    print_error(as_json, io::command_failed(made + *why + "; `token revoke` ends it"));
    return kFailed;
  }
  if (!as_json) std::fprintf(stderr, "Token %s: it is shown this once\n", id.c_str());
  return kOk;
}

int report_outcome(bool as_json, const io::CommandOutcome& failed) {
  if (as_json) {
    std::printf("%s\n", failed.json.c_str());
    std::fflush(stdout);
  }
  print_error(as_json, failed);
  return failed.exit_code();
}

int report_failure(bool as_json, std::string_view message) {
  return report_outcome(as_json, io::command_failed(message));
}

}  // namespace meshstow::app
