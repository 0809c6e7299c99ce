// A node whose tables of links are full, and one whose peer does not take its answers.
#include "base/mesh_limits.hpp"
#include "node/program_test_util.hpp"

namespace meshstow::node {
namespace {

using protocol::Operation;
using protocol::StoreCode;
using test::Followed;
using test::Home;
using test::World;

class CrowdedNode : public testing::Test {
 protected:
  void SetUp() override {
    node.start(world);
    mine.start(world);
  }
  World world;
  Home node{1};
  Home mine{2};
};

TEST_F(CrowdedNode, favours_a_link_on_which_a_token_was_shown) {
  const std::string token = node.issue(world, "n:rw");
  node.put(world, "/public/n/a", test::bytes_of("hello"));
  ASSERT_TRUE(mine.ask(world, Operation::get, node, "/public/n/a").done);
  EXPECT_EQ(node.node->endpoint().statistics().links.anonymous, 1U);
  ASSERT_TRUE(
      mine.ask(world, Operation::put, node, "/public/n/b", test::bytes_of("x"), token).done);
  EXPECT_EQ(node.node->endpoint().statistics().links.anonymous, 0U);
  EXPECT_EQ(node.node->endpoint().statistics().links.favoured, 1U);
}

TEST_F(CrowdedNode, does_not_favour_whoever_shows_a_token_that_opens_nothing) {
  const std::string token = node.issue(world, "n:r");
  mine.ask(world, Operation::put, node, "/public/n/b", test::bytes_of("x"), token);
  EXPECT_EQ(node.node->endpoint().statistics().links.favoured, 0U);
}

TEST_F(CrowdedNode, is_too_busy_to_ask_others_while_it_has_too_many_links_of_its_own) {
  node.put(world, "/public/n/a", test::bytes_of("hello"));
  world.run_for(std::chrono::seconds(5));
  for (std::size_t i = 0; i < limits::kOwnLinks; ++i) {
    ASSERT_TRUE(mine.node->endpoint().open_link(world.now(mine), node.node->destination()));
  }
  const Followed refused = mine.ask(world, Operation::get, node, "/public/n/a");
  ASSERT_TRUE(refused.failed);
  EXPECT_EQ(refused.failed->error.code, StoreCode::storage_full);
  EXPECT_EQ(refused.failed->error.status, 503);
  // It passes.
  mine.node->endpoint().close_all_links(world.now(mine));
  world.settle(mine);
  EXPECT_TRUE(mine.ask(world, Operation::get, node, "/public/n/a").done);
}

}  // namespace
}  // namespace meshstow::node
