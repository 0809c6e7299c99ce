#include "io/control_socket.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include "io/io_for_test.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

bool connects(const fs::path& home) {
  auto socket = connect_control_socket(home);
  return socket && *socket;
}

fs::path long_home(const TestFolder& folder, char letter) {
  const auto home = folder / std::string(120, letter);
  fs::create_directory(home);
  return home;
}

// Sets a variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const fs::path& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST(ControlSocket, lies_in_the_home_and_goes_with_its_owner) {
  const TestFolder folder;
  EXPECT_FALSE(connects(folder.path()));
  {
    const auto socket = ControlSocket::make(folder.path());
    ASSERT_TRUE(socket.has_value()) << socket.error();
    EXPECT_EQ(socket->file(), folder / "control.sock");
    EXPECT_TRUE(connects(folder.path()));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(ControlSocket, lies_in_the_runtime_directory_where_the_path_is_too_long) {
  const TestFolder folder;
  const TestFolder runtime;
  const Variable environment("XDG_RUNTIME_DIR", runtime.path());
  const auto home = long_home(folder, 'h');
  {
    const auto socket = ControlSocket::make(home);
    ASSERT_TRUE(socket.has_value()) << socket.error();
    EXPECT_EQ(socket->file().parent_path().parent_path(), runtime.path());
    struct stat about {};
    ASSERT_EQ(::stat(socket->file().parent_path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0700U);
    ::unsetenv("XDG_RUNTIME_DIR");  // whoever asks need not have it
    EXPECT_TRUE(connects(home));
  }
  EXPECT_FALSE(connects(home));
  EXPECT_TRUE(fs::is_empty(home));
  EXPECT_TRUE(fs::is_empty(runtime.path()));
}

TEST(ControlSocket, trusts_no_runtime_directory_that_others_can_enter) {
  const TestFolder folder;
  const TestFolder runtime;
  const TestFolder links;
  const auto home = long_home(folder, 'h');
  fs::permissions(runtime.path(), fs::perms(0755));
  fs::create_directory_symlink(folder.path(), links / "link");
  for (const auto& wrong : {runtime.path(), links / "link", links / "none"}) {
    const Variable environment("XDG_RUNTIME_DIR", wrong);
    const auto socket = ControlSocket::make(home);
    ASSERT_TRUE(socket.has_value()) << socket.error();
    EXPECT_EQ(socket->file().parent_path().parent_path(), "/tmp");
    EXPECT_TRUE(connects(home));
  }
}

TEST(ControlSocket, of_a_home_is_not_that_of_its_copy) {
  const TestFolder folder;
  const auto home = long_home(folder, 'h');
  const auto socket = ControlSocket::make(home);
  ASSERT_TRUE(socket.has_value()) << socket.error();
  fs::copy(home, folder / std::string(120, 'c'));
  ASSERT_TRUE(fs::exists(folder / std::string(120, 'c') / "control.path"));
  EXPECT_TRUE(connects(home));
  EXPECT_FALSE(connects(folder / std::string(120, 'c')));
}

TEST(ControlSocket, replaces_what_a_kill_left) {
  const TestFolder folder;
  const TestFolder runtime;
  const Variable environment("XDG_RUNTIME_DIR", runtime.path());
  const auto home = long_home(folder, 'h');
  const pid_t child = ::fork();
  if (child == 0) {
    const auto socket = ControlSocket::make(home);
    ::_exit(socket ? 0 : 1);  // without taking anything away
  }
  int how = 0;
  ASSERT_EQ(::waitpid(child, &how, 0), child);
  ASSERT_EQ(how, 0);
  EXPECT_FALSE(fs::is_empty(runtime.path()));
  EXPECT_FALSE(connects(home));
  {
    const auto socket = ControlSocket::make(home);
    ASSERT_TRUE(socket.has_value()) << socket.error();
    EXPECT_TRUE(connects(home));
  }
  EXPECT_TRUE(fs::is_empty(runtime.path()));
}

}  // namespace meshstow::io
