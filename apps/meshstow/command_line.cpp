#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "care.hpp"
#include "codec/content_type.hpp"
#include "input_file.hpp"
#include "io/settings.hpp"
#include "report.hpp"
#include "token_source.hpp"

namespace meshstow::app {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 failed, 2 usage, 11 not found, 12 access denied, 13 storage full,\n"
    "14 invalid data, 15 conflict. With --json one JSON document goes to standard output.\n"
    "Commands talk to the running serve of their home, or open the store themselves.\n"
    "--home, --json, -w, -v and -q stand before or behind any command; see meshstow --help.";

// Collects what CLI11 writes into; turned into an Invocation once the words are known to be good.
struct Words {
  Invocation out;
  std::string home, scope_text;
  std::string http, reticulum, token_file;
  double wait_seconds = 0;  // 0: as long as usual
  int verbose = 0;
  bool quiet = false, version = false, example_config = false;
  std::uint64_t limit = 0;
};

std::string in_bounds(const std::string& seconds) {
  const double number = std::strtod(seconds.c_str(), nullptr);
  const double most = std::chrono::duration<double>(io::kLongestWait).count();
  return number > 0 && number <= most ? "" : "a number of seconds above 0 and up to a day";
}

void add_wait(CLI::App& app, Words& words) {
  app.add_option("-w", words.wait_seconds,
                 "give up when the network brought nothing for so long: no path, no link, no "
                 "answer, no byte; else bounds of 15 s and more")
      ->type_name("SECONDS")
      ->check(in_bounds);
}

void add_remote(CLI::App& sub, Words& words) {
  sub.add_option("--at", words.out.command.at,
                 "another node: its destination hash, a unique beginning of it, or a name of "
                 "[peers] in the config")
      ->type_name("NODE");
  sub.add_option("--token", words.out.command.token,
                 "what the owner of that node gave you; other users of this machine can read it "
                 "here, so better:")
      ->type_name("T");
  sub.add_option("--token-file", words.token_file,
                 "the file that holds it, - for standard input; else $MESHSTOW_TOKEN")
      ->type_name("FILE");
  add_wait(sub, words);
}

CLI::App& add_path_command(CLI::App& app, Words& words, const std::string& verb,
                           const std::string& help) {
  CLI::App& sub = *app.add_subcommand(verb, help);
  auto* path =
      sub.add_option("path", words.out.command.path, "/category/module/name")->type_name("PATH");
  if (verb != "ls") path->required();
  add_remote(sub, words);
  return sub;
}

void add_conditions(CLI::App& sub, Words& words) {
  // `--if-match "$TAG"` of a script whose TAG is empty is a condition that cannot be read, not
  // none.
  const auto given = [](const std::string& text) { return text.empty() ? " " : text; };
  sub.add_option("--if-match", words.out.command.if_match, "only if this is the current ETag")
      ->transform(given)
      ->type_name("E");
  sub.add_option("--if-none-match", words.out.command.if_none_match,
                 "only if this is not; '*': only if there is no document yet")
      ->transform(given)
      ->type_name("E");
}

void add_version(CLI::App& sub, Words& words) {
  sub.add_option("--version", words.out.command.version, "an older version, by its beginning")
      ->type_name("V");
}

void add_document_commands(CLI::App& app, Words& words) {
  CLI::App& put = add_path_command(app, words, "put", "Store a document");
  put.add_option("file", words.out.file, "what to store; - or nothing: standard input")
      ->type_name("FILE");
  put.add_option("--content-type", words.out.command.content_type,
                 "else chosen by the name's ending")
      ->type_name("T");
  add_conditions(put, words);

  CLI::App& get = add_path_command(app, words, "get", "Read a document");
  get.add_option("-o,--output", words.out.file,
                 "write here, once all of it has arrived and is proved genuine")
      ->type_name("FILE");
  add_version(get, words);
  add_conditions(get, words);

  CLI::App& rm = add_path_command(app, words, "rm", "Delete a document");
  add_conditions(rm, words);
  add_path_command(app, words, "ls", "List a folder");
  add_version(add_path_command(app, words, "stat", "Describe a document or folder"), words);
}

void add_node_commands(CLI::App& app, Words& words) {
  CLI::App& init = *app.add_subcommand("init", "Make a home: identities, config, empty store");
  init.add_option("--name", words.out.name, "what to call this node")->type_name("NAME");

  CLI::App& serve = *app.add_subcommand("serve", "Be a storage node until told to stop");
  serve.add_option("--http", words.http, "HTTP server, or off")->type_name("HOST:PORT");
  serve
      .add_option("--public-url", words.out.serve.public_url,
                  "What browsers use to reach this server through a proxy or tunnel")
      ->type_name("SCHEME://HOST[:PORT]");
  serve.add_option("--https", words.out.serve.https, "HTTPS server, for other devices of the LAN")
      ->type_name("HOST:PORT");
  serve.add_option("--cert", words.out.serve.certificate, "its certificate chain")
      ->type_name("FILE");
  serve.add_option("--key", words.out.serve.key, "the key of the certificate")->type_name("FILE");
  serve.add_option("--tcp-listen", words.out.serve.tcp_listen, "accept Reticulum peers")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  serve.add_option("--tcp-connect", words.out.serve.tcp_connect, "connect to a Reticulum peer")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  serve.add_option("--reticulum", words.reticulum, "Reticulum's config directory, or off")
      ->type_name("DIR");

  app.add_subcommand("id", "Show who this node is");
  app.add_subcommand("status", "Show what this node holds");
  app.add_subcommand("peers", "Show the storage nodes heard");
}

void add_token_commands(CLI::App& app, Words& words) {
  CLI::App& token = *app.add_subcommand("token", "Grant others access");
  token.require_subcommand(1);
  io::Command& command = words.out.command;
  CLI::App& create = *token.add_subcommand("create", "Make a token");
  create
      .add_option("--scope", command.scopes, "storage:read:/path/, storage:write:/path, notes:rw")
      ->required()
      ->type_name("S")
      ->allow_extra_args(false);
  create.add_option("--for", command.holder, "only for this identity; else whoever shows it")
      ->type_name("IDENTITY");
  create.add_option("--expires", command.expires, "90s, 15m, 24h, 30d; else never")
      ->type_name("TIME");
  token.add_subcommand("list", "Show tokens that were made");
  CLI::App& revoke = *token.add_subcommand("revoke", "Make a token worthless");
  revoke.add_option("id", command.token_id, "its id, or a unique beginning")
      ->required()
      ->type_name("ID");
}

void add_web_commands(CLI::App& app, Words& words) {
  app.add_subcommand("open", "Open the dashboard in a browser, signed in");
  CLI::App& passphrase = *app.add_subcommand(
      "passphrase", "Set a passphrase for signing in, read from standard input");
  passphrase.add_flag("--remove", words.out.remove_passphrase, "sign in by links only");
  CLI::App& apps = *app.add_subcommand("apps", "Web apps that this node serves itself");
  apps.require_subcommand(1);
  CLI::App& add = *apps.add_subcommand("add", "Install, or replace, a static web app");
  add.add_option("path", words.out.command.path, "its folder, or a zip, tar or tar.gz of it")
      ->required()
      ->type_name("DIR|ARCHIVE");
  add.add_option("--name", words.out.command.app, "else made of the path")->type_name("NAME");
  apps.add_subcommand("list", "Show the apps");
  CLI::App& remove = *apps.add_subcommand("remove", "Remove an app; what it stored stays");
  remove.add_option("name", words.out.command.app)->required()->type_name("NAME");
}

void fall_through(CLI::App& app) {
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    sub->fallthrough();
    fall_through(*sub);
  }
}

// An empty value is most often an unset shell variable, and must not read as "no condition",
// "never" or "nobody".
void refuse_empty_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0 || option->get_positional()) continue;
    option->check([](const std::string& value) {
      return value.empty() ? std::string("the value is empty") : std::string();
    });
  }
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    refuse_empty_values(*sub);
  }
}

void build(CLI::App& app, Words& words) {
  app.footer(kFooter);
  app.require_subcommand(0, 1);
  app.add_option("--home", words.home, "else $MESHSTOW_HOME, else ~/.meshstow")->type_name("DIR");
  app.add_flag("--json", words.out.json, "one JSON document on standard output");
  app.add_flag("-v,--verbose", words.verbose, "tell more on standard error; twice: every packet");
  app.add_flag("-q,--quiet", words.quiet, "errors only; what it waits for is not shown");
  add_wait(app, words);
  app.add_flag("--version", words.version, "print the version");
  app.add_flag("--exampleconfig", words.example_config, "print a commented config");
  add_node_commands(app, words);
  add_document_commands(app, words);
  add_token_commands(app, words);
  add_web_commands(app, words);
  add_care_commands(app, words.out);
  fall_through(app);
  refuse_empty_values(app);
}

std::string verb_of(const CLI::App& app) {
  std::string verb;
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    verb += (verb.empty() ? "" : " ") + at->get_name();
  }
  return verb;
}

io::LogLevel log_level(const Words& words) {
  if (words.quiet) return io::LogLevel::error;
  if (words.verbose > 1) return io::LogLevel::debug;
  if (words.verbose == 1) return io::LogLevel::info;
  // Whoever waits for one command is only told what goes wrong.
  return words.out.command.verb == "serve" ? io::LogLevel::notice : io::LogLevel::warning;
}

tl::expected<Invocation, int> usage_error(bool json, const std::string& message) {
  report_failure(json, message + " (see meshstow --help)");
  return tl::unexpected(kUsage);
}

// What CLI11 cannot check by itself.
std::optional<std::string> wrong_use(const Words& words) {
  const io::Command& command = words.out.command;
  if (command.at.empty() && (!command.token.empty() || !words.token_file.empty())) {
    return "--token and --token-file need --at NODE";
  }
  if (command.verb == "put" && words.token_file == "-" && is_stream(words.out.file)) {
    return "standard input cannot hold both the token and the document";
  }
  if (!command.version.empty() && !command.at.empty()) {
    return "--version is for this node's own documents, not with --at";
  }
  if (command.verb.empty()) return "a command is needed";
  return std::nullopt;
}

// By the document's name, else by the file's.
std::string guess_content_type(std::string_view path, std::string_view file) {
  for (const std::string_view name : {path, file}) {
    const std::string_view type = codec::content_type_of_ending(name);
    if (!type.empty()) return std::string(type);
  }
  return std::string(codec::kUnknownContentType);
}

tl::expected<Invocation, int> finish(const CLI::App& app, Words& words) {
  Invocation& out = words.out;
  out.command.verb = verb_of(app);
  if (auto problem = wrong_use(words)) return usage_error(out.json, *problem);
  if (!out.command.at.empty()) {
    auto token = find_token(out.command.token, words.token_file);
    if (!token) return tl::unexpected(report_failure(out.json, token.error()));
    out.command.token = std::move(*token);
  }
  if (app.count("--home") > 0) out.home = words.home;
  out.log_level = log_level(words);
  if (!words.http.empty()) out.serve.http = words.http;
  if (!words.reticulum.empty()) out.serve.reticulum = words.reticulum;
  if (words.wait_seconds > 0) {
    out.command.wait =
        std::chrono::ceil<Duration>(std::chrono::duration<double>(words.wait_seconds));
  }
  if (out.command.verb == "ls" && out.command.path.empty()) out.command.path = "/";
  if (out.command.verb == "put" && out.command.content_type.empty()) {
    out.command.content_type = guess_content_type(out.command.path, out.file);
  }
  return std::move(out);
}

}  // namespace

tl::expected<Invocation, int> read_command_line(int argc, char** argv) {
  CLI::App app("User-owned storage for mesh networks", "meshstow");
  Words words;
  build(app, words);
  words.out.program = argc > 0 ? argv[0] : "meshstow";
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return tl::unexpected(app.exit(help));
  } catch (const CLI::ParseError& error) {
    return usage_error(words.out.json || app.count("--json") > 0, error.what());
  }
  if (words.version) {
    std::cout << "meshstow " MESHSTOW_VERSION "\n";
    return tl::unexpected(kOk);
  }
  if (words.example_config) {
    std::cout << io::example_config("");
    return tl::unexpected(kOk);
  }
  return finish(app, words);
}

}  // namespace meshstow::app
