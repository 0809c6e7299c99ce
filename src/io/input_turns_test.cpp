#include "io/input_turns.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "io/io_for_test.hpp"

namespace meshstow::io {
namespace {

struct Source final : InputSource {
  bool take_share(base::MutableByteView buffer) override {
    EXPECT_FALSE(buffer.empty());
    ++shares;
    if (told) told();
    return endless;
  }
  std::function<void()> told;
  bool endless = true;
  int shares = 0;
};

}  // namespace

TEST(InputTurns, give_each_a_share_before_anyone_has_a_second) {
  boost::asio::io_context loop;
  const auto turns = std::make_shared<InputTurns>(loop);
  std::vector<std::shared_ptr<Source>> sources;
  for (int i = 0; i < 5; ++i) {
    sources.push_back(std::make_shared<Source>());
    turns->add(sources.back());
  }
  sources[4]->endless = false;
  int most_before = 0;
  sources[4]->told = [&] { most_before = sources[0]->shares; };
  ASSERT_TRUE(run_until(loop, [&] { return sources[4]->shares > 0; }));
  EXPECT_EQ(most_before, 1);
  for (int i = 0; i < 4; ++i) {
    const int others = sources[(i + 1) % 4]->shares;
    EXPECT_LE(std::abs(sources[i]->shares - others), 1);
  }
  for (const auto& source : sources) source->endless = false;
}

TEST(InputTurns, that_never_end_let_everything_else_run) {
  boost::asio::io_context loop;
  const auto turns = std::make_shared<InputTurns>(loop);
  const auto source = std::make_shared<Source>();
  turns->add(source);
  int others = 0;
  std::function<void()> other = [&] {
    if (++others < 10) boost::asio::post(loop, other);
  };
  boost::asio::post(loop, other);
  // One call of run_one() after the other, as a turn is one of them.
  for (int handlers = 0; handlers < 25; ++handlers) loop.run_one();
  EXPECT_EQ(others, 10);
  EXPECT_GT(source->shares, 0);
  source->endless = false;
}

}  // namespace meshstow::io
