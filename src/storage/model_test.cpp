// Random operations against a simple model of the whole contract, over both engines, with restarts,
// kills and disk faults.
//
// A failure prints the command that repeats it. More: RC_PARAMS="max_success=10000".
#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <rapidcheck/detail/Configuration.h>
#include <sqlite3.h>

#include "storage/engines_for_test.hpp"
#include "storage/testing/sim_disk.hpp"

namespace meshstow::storage {
namespace {

constexpr std::uint32_t kKeptVersions = 3;
constexpr std::uint64_t kQuota = 600'000;

// Names that clash with each other in every way.
const std::vector<std::string> kPaths = {"/private/m/a", "/private/m/a/b", "/private/m/a/b/c",
                                         "/private/m/b", "/public/m/a",    "/public/m/a/b",
                                         "/shared/n/x",  "/shared/n/y/z",  "/private/d",
                                         "/private/m",   "/public/n/x y/z"};

enum class Kind { put, remove, restore, upload, abort, reopen, kill, reclaim, fault };

struct Command {
  Kind kind = Kind::put;
  std::size_t path = 0;
  int condition = 0;
  std::size_t size = 0;
  std::size_t pick = 0;
};

std::ostream& operator<<(std::ostream& out, const Command& command) {
  static const char* kNames[] = {"put",    "remove", "restore", "upload", "abort",
                                 "reopen", "kill",   "reclaim", "fault"};
  return out << kNames[static_cast<int>(command.kind)] << " " << kPaths[command.path] << " c"
             << command.condition << " s" << command.size << " p" << command.pick;
}

rc::Gen<Command> any_command() {
  return rc::gen::build<Command>(
      rc::gen::set(&Command::kind, rc::gen::weightedElement<Kind>({{10, Kind::put},
                                                                   {5, Kind::remove},
                                                                   {2, Kind::restore},
                                                                   {2, Kind::upload},
                                                                   {1, Kind::abort},
                                                                   {1, Kind::reopen},
                                                                   {1, Kind::kill},
                                                                   {1, Kind::reclaim},
                                                                   {1, Kind::fault}})),
      rc::gen::set(&Command::path, rc::gen::inRange<std::size_t>(0, kPaths.size())),
      rc::gen::set(&Command::condition,
                   rc::gen::weightedElement<int>({{6, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}})),
      rc::gen::set(&Command::size, rc::gen::weightedOneOf<std::size_t>(
                                       {{8, rc::gen::inRange<std::size_t>(0, 300)},
                                        {1, rc::gen::inRange<std::size_t>(60'000, 200'000)}})),
      rc::gen::set(&Command::pick, rc::gen::inRange<std::size_t>(0, 100)));
}

// An SQLite store on a disk that can fail and lose its power; or one in memory, which cannot.
class ModelDisk final : public TestDisk {
 public:
  explicit ModelDisk(Engine engine) : engine_(engine) {}
  Result<std::unique_ptr<LocalStore>> open() override {
    if (engine_ == Engine::memory) return make_memory_store(memory_);
    return open_sqlite_store("/store.db", {.vfs = sim_.vfs()});
  }
  [[nodiscard]] bool can_fail() const { return engine_ == Engine::sqlite; }
  SimDisk& sim() { return sim_; }

 private:
  Engine engine_;
  std::shared_ptr<MemoryDisk> memory_ = make_memory_disk();
  SimDisk sim_;
};

struct ModelVersion {
  VersionId version;
  bool deleted = false;
  std::string body;
  std::uint64_t superseded = 0;  // ascending in time; 0: it is the current one
};

class Model {
 public:
  explicit Model(Engine engine)
      : disk_(std::make_shared<ModelDisk>(engine)),
        options_{.quota = kQuota, .history = {std::chrono::days{10'000}, kKeptVersions}},
        store_(disk_, options_) {}

  void run(const Command& command) {
    switch (command.kind) {
      case Kind::put: put(command, std::nullopt); break;
      case Kind::upload: upload(command); break;
      case Kind::abort: abort(command); break;
      case Kind::remove: remove(command); break;
      case Kind::restore: restore(command); break;
      case Kind::reopen: reopen(/*kill=*/false); break;
      case Kind::kill: reopen(/*kill=*/true); break;
      case Kind::reclaim: reclaim(); break;
      case Kind::fault: arm(command); break;
    }
    if (command.kind != Kind::fault) compare();
  }

  void finish() {
    disarm();
    reopen(false);
    compare();
    RC_ASSERT(store_.damages() == "");
  }

 private:
  [[nodiscard]] bool exists(const std::string& path) const {
    const auto found = documents_.find(path);
    return found != documents_.end() && !found->second.front().deleted;
  }

  [[nodiscard]] bool clashes(const std::string& path) const {
    for (const auto& [other, versions] : documents_) {
      if (versions.front().deleted) continue;
      if (other.starts_with(path + "/") || path.starts_with(other + "/")) return true;
    }
    return false;
  }

  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [path, versions] : documents_) sum += versions.front().body.size();
    return sum;
  }

  [[nodiscard]] std::uint64_t history_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [path, versions] : documents_) {
      for (std::size_t i = 1; i < versions.size(); ++i) sum += versions[i].body.size();
    }
    return sum;
  }

  // History gives way when the quota is short, oldest first; nothing else is ever missing.
  void reclaim() {
    disarm();
    store_.reclaim_all();
    while (history_bytes() > 0 && bytes() + history_bytes() > kQuota) {
      auto oldest = documents_.end();
      for (auto each = documents_.begin(); each != documents_.end(); ++each) {
        if (each->second.size() < 2) continue;
        if (oldest == documents_.end() ||
            each->second.back().superseded < oldest->second.back().superseded) {
          oldest = each;
        }
      }
      oldest->second.pop_back();
      if (oldest->second.size() == 1 && oldest->second.front().deleted) documents_.erase(oldest);
    }
  }

  [[nodiscard]] std::string tag_of(const std::string& path) const {
    return document_etag(documents_.at(path).front().version).text();
  }

  // Conditions of a command, and whether they hold.
  [[nodiscard]] std::pair<Conditions, bool> conditions(const Command& command) const {
    const std::string path = kPaths[command.path];
    const bool there = exists(path);
    const std::string tag = there ? tag_of(path) : "none";
    switch (command.condition) {
      case 1: return {if_match("*"), there};
      case 2: return {if_none_match("*"), !there};
      case 3: return {if_match("\"x\", \"" + tag + "\""), there};
      case 4: return {if_none_match("W/\"" + tag + "\""), !there};
      case 5: return {if_match("\"other\""), false};
      default: return {{}, true};
    }
  }

  [[nodiscard]] std::optional<Refusal> expected_of_put(const Command& command, std::size_t size) {
    const std::string path = kPaths[command.path];
    if (clashes(path)) return Refusal::name_clash;
    if (!conditions(command).second) return Refusal::precondition_failed;
    const std::uint64_t replaced = exists(path) ? documents_[path].front().body.size() : 0;
    if (size > replaced && bytes() - replaced + size > kQuota) return Refusal::full;
    return std::nullopt;
  }

  void remember(const std::string& path, const WriteResult& result, bool deleted,
                std::string body) {
    auto& versions = documents_[path];
    if (!versions.empty()) versions.front().superseded = ++superseded_;
    versions.insert(versions.begin(), {result.version, deleted, std::move(body)});
    if (versions.size() > kKeptVersions + 1) versions.resize(kKeptVersions + 1);
    RC_ASSERT(seen_versions_.insert(result.version).second);
  }

  // True: the operation was done. An armed fault may refuse it for its own reasons.
  bool check(const Outcome<WriteResult>& outcome, const std::optional<Refusal>& expected) {
    if (outcome) {
      RC_ASSERT(!expected.has_value());
      return true;
    }
    const Refusal refusal = outcome.error().refusal;
    if (armed_ && (refusal == Refusal::full || refusal == Refusal::unavailable)) return false;
    RC_ASSERT(expected.has_value());
    RC_ASSERT(static_cast<int>(refusal) == static_cast<int>(*expected));
    return false;
  }

  void put(const Command& command, std::optional<UploadId> upload_id) {
    const std::string path = kPaths[command.path];
    const std::string body =
        upload_id ? uploads_[*upload_id] : some_bytes(command.size, command.pick);
    const auto expected = expected_of_put(command, body.size());
    std::variant<Bytes, UploadId> given = base::to_bytes(base::as_bytes(body));
    if (upload_id) given = *upload_id;
    const bool created = !exists(path);
    const auto outcome = Store::as<WriteResult>(store_.write(
        PutDocument{Store::path(path), "a/b", conditions(command).first, std::move(given)}));
    if (!check(outcome, expected)) return;
    RC_ASSERT(outcome->created == created);
    RC_ASSERT(outcome->etag.text() == document_etag(outcome->version).text());
    remember(path, *outcome, false, body);
  }

  void upload(const Command& command) {
    const UploadId id = ++last_upload_;
    const std::string body = some_bytes(command.size * 2, command.pick);
    const StoragePath path = Store::path(kPaths[command.path]);
    bool ok = store_.write(BeginUpload{id, path, std::nullopt}).has_value();
    for (std::size_t at = 0; ok && at < body.size(); at += 50'000) {
      ok = store_.write(AppendUpload{id, base::to_bytes(base::as_bytes(body.substr(at, 50'000)))})
               .has_value();
    }
    if (ok) {
      uploads_[id] = body;
      put(command, id);
    }
    (void)store_.write(AbortUpload{id});
  }

  void abort(const Command& command) {
    const UploadId id = ++last_upload_;
    (void)store_.write(BeginUpload{id, Store::path(kPaths[command.path]), std::nullopt});
    (void)store_.write(AppendUpload{id, Bytes(command.size, Byte{9})});
    if (command.pick % 2 == 0) (void)store_.write(AbortUpload{id});
  }

  void remove(const Command& command) {
    const std::string path = kPaths[command.path];
    std::optional<Refusal> expected;
    if (!conditions(command).second) {
      expected = Refusal::precondition_failed;
    } else if (!exists(path)) {
      expected = Refusal::not_found;
    }
    const auto outcome = store_.remove(path, conditions(command).first);
    if (!check(outcome, expected)) return;
    RC_ASSERT(outcome->etag.text() == tag_of(path));
    remember(path, *outcome, true, "");
  }

  void restore(const Command& command) {
    const std::string path = kPaths[command.path];
    const auto found = documents_.find(path);
    if (found == documents_.end()) return;
    const ModelVersion version = found->second[command.pick % found->second.size()];
    std::optional<Refusal> expected;
    const std::uint64_t replaced = found->second.front().body.size();
    if (clashes(path)) {
      expected = Refusal::name_clash;
    } else if (version.deleted) {
      expected = Refusal::malformed;
    } else if (version.body.size() > replaced &&
               bytes() - replaced + version.body.size() > kQuota) {
      expected = Refusal::full;
    }
    const auto outcome =
        Store::as<WriteResult>(store_.write(RestoreVersion{Store::path(path), version.version}));
    if (check(outcome, expected)) remember(path, *outcome, false, version.body);
  }

  void reopen(bool kill) {
    disarm();
    if (kill && disk_->can_fail()) {
      auto files = disk_->sim().files();  // closing would tidy up
      store_.close();
      disk_->sim().set_files(std::move(files));
    }
    store_.reopen();
  }

  void arm(const Command& command) {
    if (!disk_->can_fail()) return;
    armed_ = true;
    const int code = command.pick % 2 == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    disk_->sim().set_fault([left = command.pick % 10, code](DiskCall call) mutable {
      if (call != DiskCall::write) return SQLITE_OK;
      return left-- == 0 ? code : SQLITE_OK;
    });
  }
  void disarm() {
    armed_ = false;
    disk_->sim().set_fault(nullptr);
  }

  // Everything that can be read is what the model says.
  void compare() {
    std::uint64_t live = 0;
    for (const std::string& path : kPaths) {
      if (exists(path)) {
        ++live;
        RC_ASSERT(store_.get(path) == documents_[path].front().body);
      } else {
        RC_ASSERT(!store_.open(path).has_value());
      }
      compare_versions(path);
    }
    const Usage usage = store_.usage();
    RC_ASSERT(usage.documents == live);
    RC_ASSERT(usage.bytes == bytes());
    RC_ASSERT(usage.history_bytes == history_bytes());
    compare_folder("/");
  }

  void compare_versions(const std::string& path) {
    const auto found = documents_.find(path);
    const auto versions = store_.versions(path);
    RC_ASSERT(versions.size() == (found == documents_.end() ? 0 : found->second.size()));
    for (std::size_t i = 0; i < versions.size(); ++i) {
      RC_ASSERT(versions[i].version == documents_[path][i].version);
      RC_ASSERT(versions[i].deleted == documents_[path][i].deleted);
      RC_ASSERT(versions[i].size == documents_[path][i].body.size());
    }
  }

  void compare_folder(const std::string& folder) {
    std::map<std::string, std::string> expected;  // name -> tag, or "" for folders
    std::string state;
    for (const auto& [path, versions] : documents_) {
      if (versions.front().deleted || !path.starts_with(folder)) continue;
      state += path.substr(folder.size()) + "=" + tag_of(path) + "\n";
      const std::string rest = path.substr(folder.size());
      const std::size_t slash = rest.find('/');
      if (slash == std::string::npos) {
        expected[rest] = tag_of(path);
      } else {
        expected[rest.substr(0, slash + 1)] = "";
      }
    }
    const FolderPage page = store_.list(folder);
    RC_ASSERT(page.items.size() == expected.size());
    for (const FolderItem& item : page.items) {
      const auto found = expected.find(item.name + (item.is_folder ? "/" : ""));
      RC_ASSERT(found != expected.end());
      if (!item.is_folder) {
        RC_ASSERT(item.etag.text() == found->second);
      } else {
        RC_ASSERT(item.etag.text() == store_.tag(folder + item.name + "/"));
        compare_folder(folder + item.name + "/");
      }
    }
    // Equal states have equal tags, and a tag never comes back for another state.
    RC_ASSERT(tag_of_state_.emplace(state, page.etag.text()).first->second == page.etag.text());
    RC_ASSERT(state_of_tag_.emplace(page.etag.text(), state).first->second == state);
  }

  std::shared_ptr<ModelDisk> disk_;
  StorageOptions options_;
  Store store_;
  bool armed_ = false;
  UploadId last_upload_ = 0;
  std::uint64_t superseded_ = 0;
  std::map<std::string, std::vector<ModelVersion>> documents_;  // newest version first
  std::map<UploadId, std::string> uploads_;
  std::set<VersionId> seen_versions_;
  std::map<std::string, std::string> tag_of_state_;
  std::map<std::string, std::string> state_of_tag_;
};

// The configuration holds the seed, whether it was given or drawn.
std::string repeating_command() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  return "RC_PARAMS=\"" + rc::detail::configToMinimalString(rc::detail::configuration()) + "\" " +
         ::testing::internal::GetArgvs().at(0) + " --gtest_filter='" + test->test_suite_name() +
         "." + test->name() + "'";
}

class ModelTest : public ::testing::TestWithParam<Engine> {};
MESHSTOW_OVER_EVERY_ENGINE(ModelTest);

TEST_P(ModelTest, any_sequence_of_operations_does_what_the_contract_says) {
  const bool held = rc::check([engine = GetParam()] {
    const auto commands = *rc::gen::container<std::vector<Command>>(any_command());
    Model model(engine);
    for (const Command& command : commands) model.run(command);
    model.finish();
  });
  EXPECT_TRUE(held) << "Repeat it with: " << repeating_command();
}

}  // namespace
}  // namespace meshstow::storage
