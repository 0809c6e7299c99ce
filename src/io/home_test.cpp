#include "io/home.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include "io/file_system.hpp"
#include "io/io_for_test.hpp"
#include "io/known_file.hpp"
#include "io/os_rng.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& file) {
  struct stat found {};
  EXPECT_EQ(::stat(file.c_str(), &found), 0) << file;
  return found.st_mode & 0777;
}

HomeResult<void> create(const fs::path& directory) {
  OsRng rng;
  return Home::create(directory, "test", rng);
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(directory)) {
    out.push_back(entry.path().filename().string());
  }
  std::ranges::sort(out);
  return out;
}

std::string error_of_open(const fs::path& directory) {
  const auto home = Home::open(directory);
  EXPECT_FALSE(home.has_value());
  return home ? std::string() : home.error();
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST(Home, is_made_private_and_opens_with_what_was_made) {
  const TestFolder folder;
  const auto directory = folder / "deep" / "home";
  ASSERT_TRUE(create(directory));
  EXPECT_TRUE(Home::exists(directory));
  EXPECT_EQ(mode_of(directory), 0700U);
  for (const auto* file :
       {"config", "keyring", "store.sqlite", "identities/owner", "identities/device"}) {
    EXPECT_EQ(mode_of(directory / file), 0600U) << file;
  }
  EXPECT_EQ(names_in(folder / "deep"), std::vector<std::string>{"home"}) << "nothing is left over";
  auto home = Home::open(directory);
  ASSERT_TRUE(home.has_value()) << home.error();
  EXPECT_EQ(home->settings().name, "test");
  EXPECT_NE(home->identities().owner.hash(), home->identities().device.hash());
  EXPECT_EQ(home->destination(),
            reticulum::destination_hash("remotestorage.node", home->identities().device.hash()));
  const auto again = Home::open(directory);
  EXPECT_EQ(again->identities().owner.hash(), home->identities().owner.hash());
}

TEST(Home, is_never_made_twice) {
  const TestFolder folder;
  ASSERT_TRUE(create(folder / "home"));
  const std::string before = text_of_file(folder / "home/identities/owner");
  const auto again = create(folder / "home");
  ASSERT_FALSE(again.has_value());
  EXPECT_TRUE(contains(again.error(), "already a home"));
  EXPECT_EQ(text_of_file(folder / "home/identities/owner"), before);
}

TEST(Home, may_be_made_in_an_empty_folder_and_beside_files_of_others) {
  const TestFolder folder;
  fs::create_directory(folder / "empty");
  ASSERT_TRUE(create(folder / "empty"));
  EXPECT_TRUE(Home::open(folder / "empty").has_value());

  folder.write("used/notes.txt", "mine");
  ASSERT_TRUE(create(folder / "used"));
  EXPECT_TRUE(Home::open(folder / "used").has_value());
  EXPECT_EQ(text_of_file(folder / "used/notes.txt"), "mine");

  folder.write("taken/config", "of another program");
  const auto refused = create(folder / "taken");
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(contains(refused.error(), "config"));
  EXPECT_EQ(names_in(folder / "taken"), std::vector<std::string>{"config"});
  EXPECT_EQ(text_of_file(folder / "taken/config"), "of another program");

  folder.write("late/store.sqlite", "of another program");
  ASSERT_FALSE(create(folder / "late").has_value());
  EXPECT_EQ(names_in(folder / "late"), std::vector<std::string>{"store.sqlite"});
}

TEST(Home, cannot_be_made_in_a_file_or_with_a_name_that_breaks_the_config) {
  const TestFolder folder;
  folder.write("file", "");
  EXPECT_FALSE(create(folder / "file").has_value());
  EXPECT_FALSE(create(folder / "file/below").has_value());
  OsRng rng;
  for (const auto* name : {"a\"b", "line\nbreak", "\xff", "\x1b[2J"}) {
    EXPECT_FALSE(Home::create(folder / "home", name, rng).has_value()) << name;
  }
  EXPECT_FALSE(Home::create(folder / "home", std::string(65, 'x'), rng).has_value());
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"file"});
  EXPECT_TRUE(Home::create(folder / "home", "Jürgens # Knoten", rng).has_value());
  EXPECT_EQ(Home::open(folder / "home")->settings().name, "Jürgens # Knoten");
  folder.write("empty", "");
  fs::permissions(folder / "empty", fs::perms(0644));
  EXPECT_FALSE(create(folder / "empty").has_value());
  EXPECT_EQ(mode_of(folder / "empty"), 0644U) << "what is refused stays as it is";
}

TEST(Home, says_what_is_wrong_and_what_to_do) {
  const TestFolder folder;
  const auto home = folder / "home";
  EXPECT_TRUE(contains(error_of_open(home), "meshstow init"));
  ASSERT_TRUE(create(home));
  const std::string owner = text_of_file(home / "identities/owner");

  folder.write("home/identities/owner", "short");
  EXPECT_TRUE(contains(error_of_open(home), "5 bytes")) << error_of_open(home);
  folder.write("home/identities/owner", owner);
  fs::permissions(home / "identities/owner", fs::perms(0644));
  EXPECT_TRUE(contains(error_of_open(home), "chmod 600"));
  fs::permissions(home / "identities/owner", fs::perms(0600));

  const std::string config = text_of_file(home / "config");
  folder.write("home/config", "[meshstow]\nquota = much\n");
  EXPECT_TRUE(contains(error_of_open(home), "line 2")) << error_of_open(home);
  folder.write("home/config", config);

  const std::string keys = text_of_file(home / "keyring");
  folder.write("home/keyring", "not keys");
  EXPECT_TRUE(contains(error_of_open(home), "keyring"));
  ASSERT_TRUE(create(folder / "other"));
  folder.write("home/keyring", text_of_file(folder / "other/keyring"));
  EXPECT_TRUE(contains(error_of_open(home), "another home"));
  folder.write("home/keyring", keys);
  fs::remove(home / "identities/device");
  EXPECT_TRUE(contains(error_of_open(home), "device"));
}

TEST(Home, is_refused_where_others_can_write) {
  const TestFolder folder;
  const auto home = folder / "home";
  ASSERT_TRUE(create(home));
  for (const auto& directory : {home, home / "identities"}) {
    for (const auto mode : {0770, 0702}) {
      fs::permissions(directory, fs::perms(mode));
      const std::string error = error_of_open(home);
      EXPECT_TRUE(contains(error, directory.string() + " can be written by other users")) << error;
      EXPECT_TRUE(contains(error, "chmod go-w")) << error;
    }
    fs::permissions(directory, fs::perms(0700));
  }
  fs::permissions(home / "config", fs::perms(0666));
  EXPECT_TRUE(contains(error_of_open(home), "config can be written by other users"));
  fs::permissions(home / "config", fs::perms(0644));
  EXPECT_TRUE(Home::open(home).has_value());
  fs::create_directory(folder / "open");
  fs::permissions(folder / "open", fs::perms(0777));
  folder.write("open/file", "of somebody");
  EXPECT_FALSE(create(folder / "open").has_value());
  EXPECT_EQ(names_in(folder / "open"), std::vector<std::string>{"file"});
  fs::remove(folder / "open/file");
  EXPECT_TRUE(create(folder / "open").has_value()) << "an empty one is made private";
  EXPECT_EQ(mode_of(folder / "open"), 0700U);
}

TEST(Home, is_refused_with_links_and_pipes_in_place_of_its_files) {
  const TestFolder folder;
  const auto home = folder / "home";
  ASSERT_TRUE(create(home));
  folder.write("elsewhere", "of somebody");
  for (const auto* name : {"lock", "store.sqlite-mark", "incarnation", "keyring", "store.sqlite",
                           "identities/device", "known_destinations"}) {
    std::error_code not_there_yet;
    fs::rename(home / name, folder / "kept", not_there_yet);
    fs::create_symlink(folder / "elsewhere", home / name);
    std::string error = error_of_open(home);
    EXPECT_TRUE(contains(error, (home / name).string() + " is a symbolic link")) << error;
    fs::remove(home / name);
    ASSERT_EQ(::mkfifo((home / name).c_str(), 0600), 0);
    error = error_of_open(home);
    EXPECT_TRUE(contains(error, (home / name).string() + " is a pipe")) << error;
    fs::remove(home / name);
    if (fs::exists(folder / "kept")) fs::rename(folder / "kept", home / name);
  }
  for (const auto* name : {"lock", "store.sqlite-mark", "incarnation"}) {
    const bool made = !fs::exists(home / name);
    if (made) folder.write(fs::path("home") / name, "");
    fs::create_hard_link(home / name, folder / "second");
    const std::string error = error_of_open(home);
    EXPECT_TRUE(contains(error, (home / name).string() + " has another name")) << error;
    fs::remove(folder / "second");
    if (made) fs::remove(home / name);
  }
  EXPECT_EQ(text_of_file(folder / "elsewhere"), "of somebody");
  EXPECT_TRUE(Home::open(home).has_value());
}

TEST(Home, takes_no_file_of_another_user) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const TestFolder folder;
  const auto home = folder / "home";
  ASSERT_TRUE(create(home));
  for (const auto* name : {"keyring", "identities/owner", "store.sqlite", "incarnation"}) {
    ASSERT_EQ(::chown((home / name).c_str(), 65534, 65534), 0);
    const std::string error = error_of_open(home);
    EXPECT_TRUE(contains(error, (home / name).string() + " belongs to user 65534")) << error;
    ASSERT_EQ(::chown((home / name).c_str(), 0, 0), 0);
  }
  EXPECT_TRUE(Home::open(home).has_value());
}

TEST(Home, of_another_user_is_used_by_root_as_that_user) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const TestFolder folder;
  const auto directory = folder / "home";
  ASSERT_TRUE(create(directory));
  fs::permissions(folder.path(), fs::perms(0711));
  for (const auto& each : fs::recursive_directory_iterator(directory)) {
    ASSERT_EQ(::chown(each.path().c_str(), 65534, 65533), 0);
  }
  ASSERT_EQ(::chown(directory.c_str(), 65534, 65533), 0);
  {
    auto home = Home::open(directory);
    ASSERT_TRUE(home.has_value()) << home.error();
    EXPECT_EQ(::geteuid(), 65534U);
    ASSERT_TRUE(home->lock());
    KnownFile(home->known_file()).append(Bytes{1});
  }
  EXPECT_EQ(::geteuid(), 0U);
  EXPECT_EQ(::getegid(), 0U);
  for (const auto* name : {"lock", "known_destinations"}) {
    struct stat found {};
    ASSERT_EQ(::stat((directory / name).c_str(), &found), 0);
    EXPECT_EQ(found.st_uid, 65534U) << name;
    EXPECT_EQ(found.st_gid, 65533U) << name;
  }
  EXPECT_FALSE(Home::open(folder / "none").has_value());
  EXPECT_EQ(::geteuid(), 0U);
}

TEST(Home, is_used_by_one_process_at_a_time) {
  const TestFolder folder;
  ASSERT_TRUE(create(folder / "home"));
  auto first = Home::open(folder / "home");
  auto second = Home::open(folder / "home");
  {
    Home holder = std::move(*first);
    ASSERT_TRUE(holder.lock());
    const auto refused = second->lock();
    ASSERT_FALSE(refused.has_value());
    EXPECT_TRUE(second->is_locked_elsewhere());
    EXPECT_TRUE(contains(refused.error(), std::to_string(::getpid()))) << refused.error();
  }
  EXPECT_TRUE(second->lock());
}

TEST(Home, is_free_again_after_its_user_was_killed) {
  const TestFolder folder;
  ASSERT_TRUE(create(folder / "home"));
  int locked[2];
  ASSERT_EQ(::pipe(locked), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto home = Home::open(folder / "home");
    const char said = home && home->lock() ? 'y' : 'n';
    (void)!::write(locked[1], &said, 1);
    for (;;) ::pause();
  }
  char said = 0;
  ASSERT_EQ(::read(locked[0], &said, 1), 1);
  EXPECT_EQ(said, 'y');
  auto home = Home::open(folder / "home");
  EXPECT_FALSE(home->lock().has_value());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(home->lock().has_value());
  ::close(locked[0]);
  ::close(locked[1]);
}

TEST(Home, is_chosen_by_flag_then_environment_then_user) {
  EXPECT_EQ(Home::choose("/x/y"), fs::path("/x/y"));
  const char* before = std::getenv("MESHSTOW_HOME");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("MESHSTOW_HOME", "/from/environment", 1);
  EXPECT_EQ(Home::choose({}), fs::path("/from/environment"));
  ::unsetenv("MESHSTOW_HOME");
  EXPECT_EQ(Home::choose({}).filename(), ".meshstow");
  if (before != nullptr) ::setenv("MESHSTOW_HOME", kept.c_str(), 1);
}

}  // namespace meshstow::io
