#include "io/care_commands.hpp"

#include <algorithm>
#include <charconv>

#include "io/care_jobs.hpp"
#include "io/store_log.hpp"

namespace meshstow::io {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostDays = 36'500'000;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

json::value number_or_null(const std::optional<std::uint64_t>& number) {
  return number ? json::value(*number) : json::value();
}

class History final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override {
    auto path = read_path(command_.path);
    if (!path) return;
    ask<storage::VersionList>(storage::ListVersions{std::move(*path)},
                              [this](const storage::VersionList& list) { tell(list); });
  }

 private:
  void tell(const storage::VersionList& list) {
    json::array versions;
    for (const storage::DocumentInfo& info : list.versions) {
      json::object each = document_json(command_.path, info);
      each.erase("path");
      each["deleted"] = info.deleted;
      versions.push_back(std::move(each));
    }
    finish({{"path", command_.path}, {"versions", std::move(versions)}});
  }
};

class Restore final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override {
    path_ = read_path(command_.path);
    if (!path_) return;
    ask<storage::VersionId>(storage::FindVersion{*path_, command_.version},
                            [this](const storage::VersionId& version) { restore(version); });
  }

 private:
  void restore(const storage::VersionId& version) {
    ask<storage::WriteResult>(storage::RestoreVersion{*path_, version},
                              [this](const storage::WriteResult& result) {
                                finish({{"path", command_.path},
                                        {"etag", result.etag.text()},
                                        {"version", storage::to_text(result.version)}});
                              });
  }

  std::optional<StoragePath> path_;
};

// A job that goes with the command.
class JobCommand : public CommandWork {
 public:
  using CommandWork::CommandWork;

 protected:
  void release() override { job_.reset(); }

  // The job's callbacks are never called after release(), so they may hold the bare pointer.
  CareJobs::Progress shown(const char* stage, const char* title, bool counted = false) {
    return [this, stage, title, counted](std::uint64_t done, std::uint64_t total) {
      tell_progress(title, {stage, done, total, counted});
    };
  }

  std::unique_ptr<CareJob> job_;
};

class Check final : public JobCommand {
 public:
  using JobCommand::JobCommand;
  void begin() override {
    job_ = host_.care().check(shown("checking", "Checking the store", /*counted=*/true),
                              [this](const tl::expected<storage::CheckReport, std::string>& how) {
                                if (!how) return CommandWork::fail(how.error());
                                tell(*how);
                              });
  }

 private:
  void tell(storage::CheckReport report) {
    json::array damages;
    for (const auto& log : lost_logs(host_.home().store_file())) {
      ++report.found;
      report.damages.push_back(
          {"", "the log lost its end in a crash, and acknowledged writes with it; " + log.string() +
                   " has what is left of it (remove it when you have looked)"});
    }
    for (const storage::Damage& damage : report.damages) {
      damages.push_back(json::object{{"path", damage.path}, {"what", damage.what}});
    }
    finish({{"whole", report.whole()},
            {"documents", report.documents},
            {"versions", report.versions},
            {"chunks", report.chunks},
            {"bytes", report.bytes},
            {"found", report.found},
            {"damages", std::move(damages)}});
  }
};

class Backup final : public JobCommand {
 public:
  using JobCommand::JobCommand;
  void begin() override {
    if (!command_.file.starts_with('/')) {
      return CommandWork::fail("a copy needs a file with a whole path");
    }
    job_ = host_.care().backup(command_.file, shown("copying", "Copying the store"),
                               [this](const tl::expected<std::uint64_t, std::string>& size) {
                                 if (!size) return CommandWork::fail(size.error());
                                 finish({{"file", command_.file}, {"bytes", *size}});
                               });
  }
};

class Compact final : public JobCommand {
 public:
  using JobCommand::JobCommand;
  void begin() override {
    job_ = host_.care().compact(shown("compacting", "Compacting the store"),
                                [this](const tl::expected<std::uint64_t, std::string>& given_back) {
                                  if (!given_back) return CommandWork::fail(given_back.error());
                                  finish({{"given_back", *given_back}});
                                });
  }
};

// Sets a bound if one is given, and shows what then holds.
class BoundCommand : public CommandWork {
 public:
  using CommandWork::CommandWork;

 protected:
  virtual void show(const storage::Usage& usage) = 0;

  // The module that is meant; nullopt: the space. False: it is no name, and the command has ended.
  [[nodiscard]] bool read_module() {
    if (command_.module.empty()) return true;
    const auto path = StoragePath::parse("/private/" + command_.module + "/");
    if (!path || path->module() != command_.module) {
      CommandWork::fail(protocol::StoreCode::invalid_data, 400, "that is no name of a module");
      return false;
    }
    module_ = command_.module;
    return true;
  }

  void set(storage::Operation operation) {
    ask<storage::Done>(std::move(operation), [this](const storage::Done&) { read(); });
  }

  void read() {
    ask<storage::Usage>(storage::ReadUsage{}, [this](const storage::Usage& usage) { show(usage); });
  }

  [[nodiscard]] storage::ModuleRules rules_of_module(const storage::Usage& usage) const {
    const auto found = std::ranges::find(usage.rules, *module_, &storage::ModuleRules::module);
    return found == usage.rules.end() ? storage::ModuleRules{} : *found;
  }

  std::optional<std::string> module_;
};

class Quota final : public BoundCommand {
 public:
  using BoundCommand::BoundCommand;
  void begin() override {
    if (!read_module()) return;
    if (command_.setting.empty()) return read();
    if (command_.setting == "none") return set(storage::SetQuota{module_, std::nullopt});
    const auto size = parse_size(command_.setting);
    if (!size) {
      return CommandWork::fail(protocol::StoreCode::invalid_data, 400,
                               "a quota is a size such as 500M or 10G, or none");
    }
    set(storage::SetQuota{module_, *size});
  }

 private:
  void show(const storage::Usage& usage) override {
    if (!module_) {
      return finish({{"module", nullptr},
                     {"quota", number_or_null(usage.quota)},
                     {"bytes", usage.bytes},
                     {"space_left", usage.space_left},
                     {"history_bytes", usage.history_bytes}});
    }
    std::uint64_t bytes = 0;
    std::uint64_t history = 0;
    for (const storage::ModuleUsage& each : usage.modules) {
      if (each.module != *module_) continue;
      bytes += each.bytes;
      history += each.history_bytes;
    }
    const auto quota = rules_of_module(usage).quota;
    const std::uint64_t left = quota ? *quota - std::min(*quota, bytes) : UINT64_MAX;
    finish({{"module", *module_},
            {"quota", number_or_null(quota)},
            {"bytes", bytes},
            {"space_left", std::min(left, usage.space_left)},
            {"history_bytes", history}});
  }
};

class HistoryRule final : public BoundCommand {
 public:
  using BoundCommand::BoundCommand;
  void begin() override {
    if (!read_module()) return;
    if (command_.setting.empty()) return read();
    if (command_.setting == "default") return set(storage::SetHistory{module_, std::nullopt});
    const auto policy = parse_history_policy(command_.setting);
    if (!policy) return fail_invalid(policy.error());
    set(storage::SetHistory{module_, *policy});
  }

 private:
  void show(const storage::Usage& usage) override {
    const storage::HistoryPolicy space = usage.history.value_or(host_.home().settings().history);
    const auto policy = module_ ? rules_of_module(usage).history.value_or(space) : space;
    json::object out{{"module", nullptr}, {"days", nullptr}, {"versions", nullptr}};
    if (module_) out["module"] = *module_;
    if (policy.keep_for.count() < kMostDays) out["days"] = policy.keep_for.count();
    if (policy.keep_versions < UINT32_MAX) out["versions"] = policy.keep_versions;
    finish(std::move(out));
  }
};

}  // namespace

Result<storage::HistoryPolicy> parse_history_policy(std::string_view text) {
  constexpr const char* kWrong =
      "a history policy is none, all, or days and versions, such as 30d,10";
  if (text == "none") return storage::HistoryPolicy::none();
  if (text == "all") return storage::HistoryPolicy::all();
  storage::HistoryPolicy out = storage::HistoryPolicy::all();
  const auto comma = text.find(',');
  const std::string_view first = text.substr(0, comma);
  if (first.ends_with('d')) {
    const auto days = parse_number<std::int64_t>(first.substr(0, first.size() - 1));
    if (!days || *days < 0 || *days > kMostDays) return fail(Errc::malformed, kWrong);
    out.keep_for = std::chrono::days(*days);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
  const auto versions = parse_number<std::uint32_t>(text);
  if (!versions) return fail(Errc::malformed, kWrong);
  out.keep_versions = *versions;
  return out;
}

std::shared_ptr<CommandWork> make_care_command(NodeHost& host, Command& command,
                                               CommandChannel& channel) {
  if (command.verb == "history") return make_work<History>(host, command, channel);
  if (command.verb == "restore") return make_work<Restore>(host, command, channel);
  if (command.verb == "check") return make_work<Check>(host, command, channel);
  if (command.verb == "compact") return make_work<Compact>(host, command, channel);
  if (command.verb == "backup") return make_work<Backup>(host, command, channel);
  if (command.verb == "quota") return make_work<Quota>(host, command, channel);
  if (command.verb == "history-policy") return make_work<HistoryRule>(host, command, channel);
  return nullptr;
}

}  // namespace meshstow::io
