#include "io/os_rng.hpp"

#include <gtest/gtest.h>
#include <set>
#include <thread>
#include <vector>

namespace meshstow::io {
namespace {

TEST(OsRng, gives_no_bytes_twice_whatever_is_asked_for_by_whichever_thread) {
  constexpr std::size_t kSizes[] = {16, 64, 65, 12, 300, 32};
  constexpr int kThreads = 4;
  std::vector<std::vector<Bytes>> given(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : given) {
    threads.emplace_back([&mine, &kSizes] {
      OsRng rng;
      for (int i = 0; i < 600; ++i) rng.fill(mine.emplace_back(kSizes[i % std::size(kSizes)]));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<Bytes> beginnings;
  std::size_t count = 0;
  for (const auto& mine : given) {
    for (const Bytes& bytes : mine) {
      beginnings.emplace(bytes.begin(), bytes.begin() + 12);
      ++count;
    }
  }
  EXPECT_EQ(beginnings.size(), count);
}

}  // namespace
}  // namespace meshstow::io
