#include "care.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "codec/printable.hpp"
#include "follower.hpp"
#include "io/home.hpp"
#include "io/restore_backup.hpp"
#include "io/run_command.hpp"
#include "report.hpp"
#include "terminal_text.hpp"

namespace meshstow::app {
namespace {

namespace json = boost::json;

constexpr std::string_view kVerbs[] = {"history", "restore",        "check", "compact",
                                       "backup",  "restore-backup", "quota", "history-policy"};

std::string text_of(const json::object& about, std::string_view key) {
  return codec::printable(about.at(key).as_string());
}
std::uint64_t number_of(const json::object& about, std::string_view key) {
  return about.at(key).to_number<std::uint64_t>();
}
std::string size_of(const json::object& about, std::string_view key) {
  return about.at(key).is_null() ? "none" : pretty_size(number_of(about, key));
}
std::string count(std::uint64_t number, const char* of) {
  return std::to_string(number) + " " + of + (number == 1 ? "" : "s");
}

void print_history(const json::object& about) {
  std::printf("%s\n", text_of(about, "path").c_str());
  for (const json::value& value : about.at("versions").as_array()) {
    const json::object& each = value.as_object();
    if (each.at("deleted").as_bool()) {
      std::printf("  %-24s  %s  deleted\n", text_of(each, "version").c_str(),
                  text_of(each, "modified").c_str());
    } else {
      std::printf("  %-24s  %s  %12s  %s\n", text_of(each, "version").c_str(),
                  text_of(each, "modified").c_str(), size_of(each, "size").c_str(),
                  text_of(each, "content_type").c_str());
    }
  }
}

void print_damages(std::FILE* to, const json::object& about) {
  const json::array& damages = about.at("damages").as_array();
  for (const json::value& value : damages) {
    const std::string path = text_of(value.as_object(), "path");
    std::fprintf(to, "  %s: %s\n", path.empty() ? "the store itself" : path.c_str(),
                 text_of(value.as_object(), "what").c_str());
  }
  const auto found = number_of(about, "found");
  if (found > damages.size()) {
    std::fprintf(to, "  and %llu more\n", static_cast<unsigned long long>(found - damages.size()));
  }
}

void print_check(const json::object& about) {
  std::printf("Checked %s, %s and %s\n", count(number_of(about, "documents"), "document").c_str(),
              count(number_of(about, "versions"), "earlier version").c_str(),
              size_of(about, "bytes").c_str());
  if (about.at("whole").as_bool()) {
    std::printf("Nothing is damaged\n");
    return;
  }
  std::printf("Found %s:\n", count(number_of(about, "found"), "damage").c_str());
  print_damages(stdout, about);
}

void print_carried(const json::object& about) {
  if (about.at("lost").is_null()) {
    std::printf("Taken over from the store that was there: %s, and %s made since\n",
                count(number_of(about, "revocations"), "revocation").c_str(),
                count(number_of(about, "tokens"), "token").c_str());
  } else {
    std::fprintf(stderr,
                 "No revocation could be taken over (%s).\n"
                 "Tokens that were revoked since the backup are valid again, and those made since "
                 "are not listed:\n`token revoke ID` ends either.\n",
                 text_of(about, "lost").c_str());
  }
  std::printf("Nobody is signed in now, and %s\n",
              about.at("passphrase").as_bool() ? "the passphrase is the one that was set last"
                                               : "there is no passphrase");
}

void print_restored(const json::object& about) {
  std::printf("Restored %s from %s\n", count(number_of(about, "documents"), "document").c_str(),
              text_of(about, "file").c_str());
  if (!about.at("kept").is_null()) {
    std::printf("The store that was there is now %s\n", text_of(about, "kept").c_str());
  }
  print_carried(about.at("carried").as_object());
  std::fprintf(stderr, "%s\n", text_of(about, "warning").c_str());
  const auto found = number_of(about, "found");
  if (found == 0) return;
  std::fprintf(stderr, "%s in it, refused by name from now on:\n", count(found, "damage").c_str());
  print_damages(stderr, about);
}

void print_quota(const json::object& about) {
  if (!about.at("module").is_null()) std::printf("Module %s\n", text_of(about, "module").c_str());
  std::printf("  Quota        : %s\n", size_of(about, "quota").c_str());
  std::printf("  Stored       : %s\n", size_of(about, "bytes").c_str());
  std::printf("  History      : %s\n", size_of(about, "history_bytes").c_str());
  std::printf("  Space left   : %s\n", size_of(about, "space_left").c_str());
}

void print_policy(const json::object& about) {
  const auto bound = [&](std::string_view key) {
    return about.at(key).is_null() ? std::string("any number of")
                                   : std::to_string(number_of(about, key));
  };
  const std::string where =
      about.at("module").is_null() ? "" : " of module " + text_of(about, "module");
  if (bound("versions") == "0") {
    std::printf("Earlier versions%s are not kept\n", where.c_str());
  } else {
    std::printf("Earlier versions%s are kept for %s days, %s versions of a document\n",
                where.c_str(), bound("days").c_str(), bound("versions").c_str());
  }
}

void print_text(std::string_view verb, const json::object& about) {
  if (verb == "history") return print_history(about);
  if (verb == "check") return print_check(about);
  if (verb == "quota") return print_quota(about);
  if (verb == "history-policy") return print_policy(about);
  if (verb == "restore-backup") return print_restored(about);
  if (verb == "compact") {
    std::printf("The store is %s smaller\n", size_of(about, "given_back").c_str());
  } else if (verb == "backup") {
    std::printf("Copied the store to %s (%s)\n", text_of(about, "file").c_str(),
                size_of(about, "bytes").c_str());
    std::printf("Keep the home's identities and keyring with it: they alone open it.\n");
  } else {
    std::printf("Restored %s\n  ETag         : %s\n  Version      : %s\n",
                text_of(about, "path").c_str(), text_of(about, "etag").c_str(),
                text_of(about, "version").c_str());
  }
}

io::CommandOutcome execute(const Invocation& invocation) {
  Follower follower(invocation);
  const auto home = io::Home::choose(invocation.home);
  const auto told = [&](const std::string& progress) { follower.told(progress); };
  if (invocation.command.verb == "restore-backup") {
    return io::restore_backup(
        home, {invocation.file, invocation.replaces, told, invocation.takes_damaged});
  }
  io::Command command = invocation.command;
  if (!command.file.empty()) {
    command.file = std::filesystem::absolute(command.file).lexically_normal().string();
  }
  io::CommandStreams streams;
  streams.progress = told;
  return io::run_command(home, command, streams);
}

}  // namespace

bool is_care_command(std::string_view verb) {
  return std::ranges::find(kVerbs, verb) != std::end(kVerbs);
}

int run_care_command(const Invocation& invocation) {
  const io::CommandOutcome outcome = execute(invocation);
  if (!outcome.ok) return report_outcome(invocation.json, outcome);
  const json::object about = json::parse(outcome.json).as_object();
  if (invocation.json) {
    std::printf("%s\n", outcome.json.c_str());
  } else {
    print_text(invocation.command.verb, about);
  }
  const std::string& verb = invocation.command.verb;
  const bool found_damage = verb == "check" && !about.at("whole").as_bool();
  return finish_output(invocation.json, verb, found_damage ? kFailed : kOk);
}

}  // namespace meshstow::app
