#include "io/body_spool.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "io/io_for_test.hpp"
#include "io/os_rng.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

std::string numbered(std::size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i) out += "line " + std::to_string(i) + " of a secret\n";
  out.resize(size);
  return out;
}

// What lies on disk of the files without a name in this folder that we hold.
std::string on_disk(const fs::path& folder) {
  std::string out;
  for (const auto& each : fs::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const auto to = fs::read_symlink(each.path(), error);
    if (!error && to.string().starts_with(folder.string() + "/")) out += text_of_file(each.path());
  }
  return out;
}

}  // namespace

TEST(BodySpool, gives_back_any_part_of_what_it_took) {
  const TestFolder folder;
  OsRng rng;
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, limits::kSpoolMemory,
                                 limits::kSpoolMemory + 1, std::size_t{5'000'003}}) {
    BodySpool spool(folder.path(), rng);
    const std::string body = numbered(size);
    for (std::size_t at = 0; at < size; at += 70'001) {
      ASSERT_TRUE(spool.append(base::as_bytes(body.substr(at, 70'001))));
    }
    ASSERT_EQ(spool.size(), size);
    EXPECT_EQ(base::to_string(spool.read(0, size + 10).value()), body);
    for (const std::size_t from : {size / 3, size / 2, size - size / 7, size, size + 5}) {
      const std::string part = from < size ? body.substr(from, 150'000) : "";
      EXPECT_EQ(base::to_string(spool.read(from, 150'000).value()), part) << size << " " << from;
    }
  }
}

TEST(BodySpool, shows_nothing_of_it_on_disk) {
  const TestFolder folder;
  OsRng rng;
  BodySpool spool(folder.path(), rng);
  const std::string body = numbered(3 * limits::kSpoolMemory);
  ASSERT_TRUE(spool.append(base::as_bytes(body)));
  EXPECT_TRUE(fs::is_empty(folder.path())) << "no name";
  const std::string found = on_disk(folder.path());
  EXPECT_GT(found.size(), body.size() - limits::kSpoolMemory) << "most of it waits there";
  EXPECT_EQ(found.find("secret"), std::string::npos);
  EXPECT_EQ(base::to_string(spool.read(0, body.size()).value()), body);
}

TEST(BodySpool, says_that_what_it_put_aside_was_changed) {
  const TestFolder folder;
  OsRng rng;
  BodySpool spool(folder.path(), rng);
  ASSERT_TRUE(spool.append(base::as_bytes(numbered(2 * limits::kSpoolMemory))));
  for (const auto& each : fs::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const auto to = fs::read_symlink(each.path(), error);
    if (error || !to.string().starts_with(folder.path().string() + "/")) continue;
    std::fstream file(each.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('x').put('y');
  }
  EXPECT_FALSE(spool.read(0, 10).has_value());
  EXPECT_TRUE(spool.read(100'000, 10).has_value());
}

}  // namespace meshstow::io
