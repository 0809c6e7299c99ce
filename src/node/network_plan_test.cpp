#include "node/network_plan.hpp"

#include <gtest/gtest.h>

namespace meshstow::node {
namespace {

using State = NetworkPlan::State;
constexpr bool kListens = true, kConnects = false;

void expect_open(const NetworkPlan& plan, bool listening, bool connecting) {
  EXPECT_EQ(plan.opens(kListens), listening);
  EXPECT_EQ(plan.opens(kConnects), connecting);
}

TEST(NetworkPlan, opens_all_of_a_config_that_shares_no_instance_whatever_else_runs) {
  NetworkPlan plan(false);
  expect_open(plan, true, true);
  plan.instance_missing();
  plan.instance_joined();
  plan.instance_lost();
  EXPECT_EQ(plan.state(), State::unshared);
  expect_open(plan, true, true);
}

TEST(NetworkPlan, opens_nothing_before_it_knows_whether_an_instance_is_there) {
  const NetworkPlan plan(true);
  EXPECT_EQ(plan.state(), State::looking);
  expect_open(plan, false, false);
}

TEST(NetworkPlan, leaves_every_port_to_the_instance_that_may_come) {
  NetworkPlan plan(true);
  plan.instance_missing();
  EXPECT_EQ(plan.state(), State::missing);
  expect_open(plan, false, true);
  plan.instance_missing();
  expect_open(plan, false, true);
}

TEST(NetworkPlan, gives_all_back_to_an_instance_each_time_that_one_comes) {
  NetworkPlan plan(true);
  for (int round = 0; round < 3; ++round) {
    plan.instance_missing();
    expect_open(plan, false, true);
    plan.instance_joined();
    EXPECT_EQ(plan.state(), State::joined);
    expect_open(plan, false, false);
    plan.instance_lost();
    EXPECT_EQ(plan.state(), State::looking);
    expect_open(plan, false, false);
  }
}

TEST(NetworkPlan, opens_nothing_while_an_instance_is_restarted) {
  NetworkPlan plan(true);
  plan.instance_joined();
  plan.instance_lost();
  plan.instance_joined();
  EXPECT_EQ(plan.state(), State::joined);
  expect_open(plan, false, false);
}

TEST(NetworkPlan, takes_an_instance_that_is_there_for_there_whatever_an_older_look_says) {
  NetworkPlan plan(true);
  plan.instance_joined();
  plan.instance_missing();
  EXPECT_EQ(plan.state(), State::joined);
  NetworkPlan other(true);
  other.instance_missing();
  other.instance_lost();
  EXPECT_EQ(other.state(), State::missing);
}

}  // namespace
}  // namespace meshstow::node
