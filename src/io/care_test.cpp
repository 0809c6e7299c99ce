#include <gtest/gtest.h>
#include <sys/stat.h>

#include "http/sessions.hpp"
#include "io/care_commands.hpp"
#include "io/node_for_test.hpp"
#include "io/restore_backup.hpp"

namespace meshstow::io {
namespace {

namespace json = boost::json;

struct Offline {
  Offline() { open(); }

  void open() {
    node_.emplace(loop, folder / "home");
    EXPECT_TRUE(node_->start_offline());
  }
  // Leaves the home to others.
  void close() {
    node_->close();
    node_.reset();
  }
  TestNode& node() { return *node_; }

  std::string put(const std::string& path, std::string_view body) {
    const auto made = node().run(command("put", path), body);
    EXPECT_TRUE(made.ok) << made.json;
    return text_in(made, "version");
  }
  CommandOutcome set(const std::string& verb, const std::string& setting,
                     const std::string& module = {}) {
    Command order = command(verb);
    order.setting = setting;
    order.module = module;
    return node().run(order);
  }
  CommandOutcome backup(const std::filesystem::path& file) {
    Command order = command("backup");
    order.file = file.string();
    return node().run(order);
  }

  TestFolder folder;
  boost::asio::io_context loop;

 private:
  std::optional<TestNode> node_;
};

std::string log_of(const std::string& version) { return version.substr(0, version.find('-')); }

}  // namespace

TEST(Care, a_history_policy_is_read_from_its_words) {
  using storage::HistoryPolicy;
  EXPECT_EQ(parse_history_policy("none").value(), HistoryPolicy::none());
  EXPECT_EQ(parse_history_policy("all").value(), HistoryPolicy::all());
  EXPECT_EQ(parse_history_policy("30d,10").value(), (HistoryPolicy{std::chrono::days(30), 10}));
  EXPECT_EQ(parse_history_policy("7d").value().keep_versions, UINT32_MAX);
  EXPECT_EQ(parse_history_policy("3").value().keep_for, HistoryPolicy::all().keep_for);
  for (const auto* wrong : {"", "d", "30d,", "10,30d", "-1d", "3x", "99999999999d", "1d,2,3"}) {
    EXPECT_FALSE(parse_history_policy(wrong).has_value()) << wrong;
  }
}

TEST(Care, earlier_versions_are_listed_and_come_back) {
  Offline here;
  const auto first = here.put("/private/notes/a", "one");
  here.put("/private/notes/a", "two");
  ASSERT_TRUE(here.node().run(command("rm", "/private/notes/a")).ok);
  const auto listed = here.node().run(command("history", "/private/notes/a"));
  ASSERT_TRUE(listed.ok) << listed.json;
  const json::array versions = parsed(listed).at("versions").as_array();
  ASSERT_EQ(versions.size(), 3U);
  EXPECT_TRUE(versions[0].at("deleted").as_bool());
  EXPECT_EQ(versions[2].at("version").as_string(), first);
  Command restore = command("restore", "/private/notes/a");
  restore.version = first;
  const auto restored = here.node().run(restore);
  ASSERT_TRUE(restored.ok) << restored.json;
  EXPECT_NE(text_in(restored, "version"), first);
  ASSERT_TRUE(here.node().run(command("get", "/private/notes/a")).ok);
  EXPECT_EQ(here.node().written, "one");
  restore.version = "nothing";
  EXPECT_EQ(here.node().run(restore).exit_code(), 11);
  EXPECT_EQ(here.node().run(command("history", "/private/notes/none")).exit_code(), 11);
}

TEST(Care, rules_are_set_and_shown_for_the_space_and_for_a_module_without_documents) {
  Offline here;
  EXPECT_TRUE(parsed(here.set("quota", "")).at("quota").is_null());
  EXPECT_EQ(parsed(here.set("quota", "2M")).at("quota").to_number<int>(), 2 * 1024 * 1024);
  EXPECT_EQ(parsed(here.set("quota", "10", "notes")).at("quota").to_number<int>(), 10);
  EXPECT_EQ(parsed(here.set("quota", "", "notes")).at("space_left").to_number<int>(), 10);
  EXPECT_EQ(here.node().run(command("put", "/shared/notes/a"), "eleven bytes").exit_code(), 13);
  EXPECT_TRUE(parsed(here.set("quota", "none", "notes")).at("quota").is_null());
  EXPECT_TRUE(here.node().run(command("put", "/shared/notes/a"), "eleven bytes").ok);
  EXPECT_EQ(here.set("quota", "lots").exit_code(), 14);
  EXPECT_EQ(here.set("quota", "1", "a/b").exit_code(), 14);

  EXPECT_EQ(parsed(here.set("history-policy", "")).at("days").to_number<int>(), 30);
  EXPECT_EQ(parsed(here.set("history-policy", "5", "notes")).at("versions").to_number<int>(), 5);
  EXPECT_EQ(parsed(here.set("history-policy", "")).at("versions").to_number<int>(), 10);
  EXPECT_TRUE(parsed(here.set("history-policy", "all")).at("days").is_null());
  EXPECT_EQ(parsed(here.set("history-policy", "default", "notes")).at("versions").is_null(), true);
  EXPECT_EQ(here.set("history-policy", "often").exit_code(), 14);
}

TEST(Care, writes_go_on_while_the_store_is_checked_copied_and_compacted) {
  Offline here;
  for (int i = 0; i < 40; ++i) here.put("/private/m/" + std::to_string(i), random_text(100'000));
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(here.node().run(command("rm", "/private/m/" + std::to_string(i))).ok);
  }
  ASSERT_TRUE(here.set("history-policy", "none").ok);
  std::vector<std::string> ended;
  const auto order = [&](const std::string& verb) {
    CommandChannel channel;
    channel.progress = [](const std::string&) {};
    channel.done = [&ended, verb](const CommandOutcome& outcome) {
      EXPECT_TRUE(outcome.ok) << verb << ": " << outcome.json;
      ended.push_back(verb);
    };
    Command long_one = command(verb);
    long_one.file = (here.folder / "copy").string();
    return start_command(*here.node().host, long_one, std::move(channel));
  };
  const auto compact = order("compact");
  const auto check = order("check");
  const auto backup = order("backup");
  int written = 0;
  while (ended.size() < 3 && written < 10'000) {
    here.put("/private/w/" + std::to_string(written++ % 50), "body");
  }
  ASSERT_EQ(ended.size(), 3U);
  const auto after = parsed(here.node().run(command("check")));
  EXPECT_TRUE(after.at("whole").as_bool());
  EXPECT_EQ(after.at("versions").to_number<int>(), 0);
}

TEST(Care, a_job_that_is_let_go_of_stops_and_leaves_nothing) {
  Offline here;
  for (int i = 0; i < 20; ++i) here.put("/private/m/" + std::to_string(i), random_text(200'000));
  for (const auto* verb : {"check", "backup", "compact"}) {
    CommandChannel channel;
    channel.progress = [](const std::string&) {};
    bool let_go = false;
    channel.done = [&](const CommandOutcome& outcome) { EXPECT_FALSE(let_go) << outcome.json; };
    Command order = command(verb);
    order.file = (here.folder / "copy").string();
    auto running = start_command(*here.node().host, order, std::move(channel));
    here.loop.restart();
    here.loop.poll();
    let_go = true;
    running.reset();
    here.put("/private/m/x", verb);  // turns of the loop, in which nothing is told
    std::filesystem::remove(here.folder / "copy");
  }
  here.close();
}

TEST(Care, a_backup_is_private_whole_and_never_over_a_file) {
  Offline here;
  here.put("/private/m/a", random_text(300'000));
  const auto file = here.folder / "copy";
  const auto made = here.backup(file);
  ASSERT_TRUE(made.ok) << made.json;
  struct stat about {};
  ASSERT_EQ(::stat(file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  EXPECT_EQ(parsed(made).at("bytes").to_number<off_t>(), about.st_size);
  const std::string before = text_of_file(file);
  EXPECT_EQ(here.backup(file).exit_code(), 1);
  EXPECT_EQ(text_of_file(file), before);
  EXPECT_FALSE(here.backup("relative").ok);
  EXPECT_FALSE(here.backup(here.folder / "none/copy").ok);
}

// What the layers above keep under these keys, by key.
std::map<std::string, std::string> records_of(Offline& here) {
  std::map<std::string, std::string> out;
  for (const std::string_view prefix : {"http/", "node/"}) {
    bool done = false;
    here.node().host->store(storage::ListRecords{base::to_bytes(base::as_bytes(prefix))},
                            [&](storage::Outcome<storage::Answer> outcome) {
                              const auto& list = std::get<storage::RecordList>(outcome.value());
                              for (const auto& [key, value] : list.records) {
                                out[base::to_string(key)] = base::to_string(value);
                              }
                              done = true;
                            });
    EXPECT_TRUE(run_until(here.loop, [&] { return done; }));
  }
  return out;
}
void put_record(Offline& here, std::string_view key, std::string_view value) {
  bool done = false;
  here.node().host->store(storage::PutRecord{base::to_bytes(base::as_bytes(key)),
                                             base::to_bytes(base::as_bytes(value))},
                          [&](const auto& outcome) { done = outcome.has_value(); });
  EXPECT_TRUE(run_until(here.loop, [&] { return done; }));
}

TEST(Care, after_a_restore_nobody_is_signed_in_and_the_last_passphrase_holds) {
  using Records = std::map<std::string, std::string>;
  const std::string later(9, '\2');
  const std::string earlier = std::string(8, '\0') + '\1';
  Offline here;
  put_record(here, "http/session/of then", "secret");
  put_record(here, http::kPassphraseRecordKey, "of then");
  put_record(here, node::kAnnouncedRecordKey, earlier);
  const auto file = here.folder / "copy";
  ASSERT_TRUE(here.backup(file).ok);
  put_record(here, "http/session/of now", "secret");
  put_record(here, http::kPassphraseRecordKey, "of now");
  put_record(here, node::kAnnouncedRecordKey, later);
  here.close();
  const auto home = here.folder / "home";
  auto restored = parsed(restore_backup(home, {file, true, {}}));
  EXPECT_TRUE(restored.at("carried").at("passphrase").as_bool());
  here.open();
  EXPECT_EQ(records_of(here), (Records{{"http/passphrase", "of now"}, {"node/announced", later}}));
  here.close();

  std::filesystem::resize_file(home / "store.sqlite", 5000);  // then nothing is known of now
  restored = parsed(restore_backup(home, {file, true, {}}));
  EXPECT_FALSE(restored.at("carried").at("passphrase").as_bool());
  EXPECT_TRUE(restored.at("carried").at("lost").is_string());
  here.open();
  EXPECT_EQ(records_of(here), (Records{{"node/announced", earlier}}));
}

TEST(Care, a_backup_takes_the_place_of_an_empty_store_or_of_one_that_is_kept_aside) {
  Offline here;
  const auto version = here.put("/private/m/a", "before");
  const auto file = here.folder / "copy";
  ASSERT_TRUE(here.backup(file).ok);
  here.put("/private/m/a", "after");
  const auto home = here.folder / "home";
  EXPECT_FALSE(restore_backup(home, {file, true, {}}).ok) << "it is in use";
  here.close();
  const auto refused = restore_backup(home, {file, false, {}});
  EXPECT_FALSE(refused.ok);
  const auto restored = restore_backup(home, {file, true, {}});
  ASSERT_TRUE(restored.ok) << restored.json;
  EXPECT_TRUE(std::filesystem::exists(text_in(restored, "kept")));
  EXPECT_EQ(parsed(restored).at("found").to_number<int>(), 0);
  here.open();
  ASSERT_TRUE(here.node().run(command("get", "/private/m/a")).ok);
  EXPECT_EQ(here.node().written, "before");
  EXPECT_NE(log_of(here.put("/private/m/a", "anew")), log_of(version));
  EXPECT_TRUE(parsed(here.node().run(command("check"))).at("whole").as_bool());
}

}  // namespace meshstow::io
