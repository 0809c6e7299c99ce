#include "io/partial_file.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "io/io_for_test.hpp"

namespace meshstow::io {
namespace {

std::set<std::string> names_in(const TestFolder& folder) {
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    out.insert(entry.path().filename().string());
  }
  return out;
}

std::string name_of(const PartialFile& file) {
  return std::filesystem::path(file.name()).filename().string();
}

// A process that makes one and is killed.
void leave_one_behind(const std::filesystem::path& target) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const PartialFile partial(target);
    ::close(::open((partial.name() + "-journal").c_str(), O_CREAT | O_WRONLY, 0600));
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

}  // namespace

TEST(PartialFile, goes_with_what_sqlite_put_beside_it_unless_it_is_kept) {
  const TestFolder folder;
  {
    PartialFile partial(folder / "copy");
    ASSERT_TRUE(partial.made());
    folder.write(name_of(partial) + "-journal", "x");
  }
  EXPECT_TRUE(names_in(folder).empty());
  {
    PartialFile partial(folder / "copy");
    ASSERT_TRUE(partial.keep());
  }
  EXPECT_EQ(names_in(folder), std::set<std::string>{"copy"});
  struct stat about {};
  ASSERT_EQ(::stat((folder / "copy").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  PartialFile second(folder / "copy");
  EXPECT_FALSE(second.keep());
}

TEST(PartialFile, removes_what_a_killed_process_left_of_the_same_target_only) {
  const TestFolder folder;
  leave_one_behind(folder / "copy");
  leave_one_behind(folder / "other");
  const auto left = names_in(folder);
  ASSERT_EQ(left.size(), 4U);
  for (const char* mine :
       {"copy.partial-", "copy.partial-abc", "copy.partial-abcdefg", "copy.old"}) {
    folder.write(mine, "the user's");
  }
  std::filesystem::create_symlink(folder / "copy.old", folder / "copy.partial-abcde1");
  std::filesystem::create_directory(folder / "copy.partial-abcde2");
  { const PartialFile partial(folder / "copy"); }
  auto names = names_in(folder);
  EXPECT_EQ(names.size(), 8U);
  for (const std::string& name : left) {
    EXPECT_EQ(names.contains(name), name.starts_with("other.")) << name;
  }
}

TEST(PartialFile, leaves_alone_what_is_being_made_here_or_elsewhere) {
  const TestFolder folder;
  PartialFile first(folder / "copy");
  PartialFile second(folder / "copy");
  ASSERT_TRUE(first.made() && second.made());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    {
      const PartialFile third(folder / "copy");
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(names_in(folder), (std::set<std::string>{name_of(first), name_of(second)}));
  EXPECT_TRUE(first.keep());
}

}  // namespace meshstow::io
