#include "codec/config.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace meshstow::codec {
namespace {

constexpr std::string_view kUsual = R"(
# This is the default Reticulum config file.
[reticulum]
  enable_transport = False    # no comment is too late
  share_instance = Yes
  instance_name = default

[logging]
loglevel = 4

[interfaces]
  # a comment
  [[Default Interface]]
    type = AutoInterface
    enabled = yes
    devices = wlan0, eth1

      [[TCP "home" #1]]
  type=TCPClientInterface
	target_host =  home.example
      target_port= 4242
      passphrase = "with # and , in it"
      network_name = 'quo"ted'

  [[RNode Multi]]
    type = RNodeMultiInterface
    airtime_limit_long = 1.5
    [[[High Datarate]]]
      frequency = 2400000000
)";

std::size_t line_of(std::string_view text) {
  const auto parsed = parse_config(text);
  return parsed ? 0 : parsed.error().line;
}

TEST(Config, reads_what_users_of_reticulum_have) {
  const auto config = parse_config(kUsual);
  ASSERT_TRUE(config) << config.error().line << config.error().what;
  const ConfigSection* reticulum = config->section("reticulum");
  ASSERT_NE(reticulum, nullptr);
  EXPECT_EQ(reticulum->boolean("enable_transport"), false);
  EXPECT_EQ(reticulum->boolean("share_instance"), true);
  EXPECT_EQ(reticulum->text("instance_name"), "default");
  EXPECT_EQ(config->section("logging")->integer("loglevel"), 4);

  const ConfigSection* interfaces = config->section("interfaces");
  ASSERT_EQ(interfaces->subsections.size(), 3U);
  EXPECT_EQ(interfaces->subsections[0].name, "Default Interface");
  EXPECT_EQ(interfaces->subsections[0].list("devices"),
            (std::vector<std::string>{"wlan0", "eth1"}));
  const ConfigSection* tcp = interfaces->section("TCP \"home\" #1");
  ASSERT_NE(tcp, nullptr);
  EXPECT_EQ(tcp->text("target_host"), "home.example");
  EXPECT_EQ(tcp->integer("target_port"), 4242);
  EXPECT_EQ(tcp->text("passphrase"), "with # and , in it");
  EXPECT_EQ(tcp->text("network_name"), "quo\"ted");
  const ConfigSection* multi = interfaces->section("RNode Multi");
  EXPECT_EQ(multi->number("airtime_limit_long"), 1.5);
  EXPECT_EQ(multi->section("High Datarate")->integer("frequency"), 2'400'000'000);
}

TEST(Config, an_empty_file_is_an_empty_section) {
  for (std::string_view text : {"", "\n", "# only a comment", "\xef\xbb\xbf\r\n"}) {
    const auto config = parse_config(text);
    ASSERT_TRUE(config);
    EXPECT_TRUE(config->values.empty() && config->subsections.empty());
  }
}

TEST(Config, values_outside_of_sections_and_all_line_ends_are_read) {
  const auto config = parse_config("a = 1\r\nb = \r\n[s]\r\nc=x y # z\r\n\"k=\" = v");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->integer("a"), 1);
  EXPECT_EQ(config->text("b"), "");
  EXPECT_EQ(config->section("s")->text("c"), "x y");
  EXPECT_EQ(config->section("s")->text("k="), "v");
  EXPECT_EQ(config->section("t"), nullptr);
}

TEST(Config, lists_have_commas_and_quotes) {
  const auto config = parse_config(
      "a = x\nb = x,\nc = ,\nd = \"x,y\", 'z', w # rest\ne =\nf = it's, fine\ng=\"\", x");
  ASSERT_TRUE(config);
  using Items = std::vector<std::string>;
  EXPECT_EQ(config->list("a"), Items{"x"});
  EXPECT_EQ(config->list("b"), Items{"x"});
  EXPECT_EQ(config->list("c"), Items{});
  EXPECT_EQ(config->list("d"), (Items{"x,y", "z", "w"}));
  EXPECT_EQ(config->text("d"), "\"x,y\", 'z', w");
  EXPECT_EQ(config->list("e"), Items{});
  EXPECT_EQ(config->list("f"), (Items{"it's", "fine"}));
  EXPECT_EQ(config->list("g"), (Items{"", "x"}));
  EXPECT_EQ(config->list("missing"), Items{});
}

TEST(Config, booleans_and_numbers_are_read_whole_or_not_at_all) {
  const auto config = parse_config(
      "a = ON\nb = off\nc = 1\nd = maybe\ne = 12x\nf = +7\ng = -7\nh = 99999999999999999999\n"
      "i = 33.0\nj = inf\nk = +-1");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->boolean("a"), true);
  EXPECT_EQ(config->boolean("b"), false);
  EXPECT_EQ(config->boolean("c"), true);
  EXPECT_EQ(config->boolean("d"), std::nullopt);
  EXPECT_EQ(config->boolean("missing"), std::nullopt);
  EXPECT_EQ(config->integer("e"), std::nullopt);
  EXPECT_EQ(config->integer("f"), 7);
  EXPECT_EQ(config->integer("g"), -7);
  EXPECT_EQ(config->integer("h"), std::nullopt);
  EXPECT_EQ(config->integer("i"), std::nullopt);
  EXPECT_EQ(config->number("i"), 33.0);
  EXPECT_EQ(config->number("g"), -7.0);
  EXPECT_EQ(config->number("j"), std::nullopt);
  EXPECT_EQ(config->integer("k"), std::nullopt);
}

TEST(Config, errors_name_their_line) {
  EXPECT_EQ(line_of("a = 1\nnonsense\n"), 2U);
  EXPECT_EQ(line_of("\n\n[s\n"), 3U);
  EXPECT_EQ(line_of("[s]]\n"), 1U);
  EXPECT_EQ(line_of("[[s]]\n"), 1U);
  EXPECT_EQ(line_of("[a]\n[[[s]]]\n"), 2U);
  EXPECT_EQ(line_of("[]\n"), 1U);
  EXPECT_EQ(line_of("[s] x\n"), 1U);
  EXPECT_EQ(line_of("[s]\n[t]\n[s]\n"), 3U);
  EXPECT_EQ(line_of("a = 1\na = 2\n"), 2U);
  EXPECT_EQ(line_of("a = \"x\n"), 1U);
  EXPECT_EQ(line_of("a = \"x\" y\n"), 1U);
  EXPECT_EQ(line_of("a = x,,y\n"), 1U);
  EXPECT_EQ(line_of("a = ,x\n"), 1U);
  EXPECT_EQ(line_of("= x\n"), 1U);
  EXPECT_EQ(line_of("b = 1\na = \"\"\"x\"\"\"\n"), 2U);
  EXPECT_EQ(line_of("b = 1\na = \xff\n"), 2U);
}

TEST(Config, the_same_name_may_stand_in_two_sections) {
  const auto config = parse_config("[a]\n[[x]]\nk=1\n[b]\n[[x]]\nk=2\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->section("a")->section("x")->integer("k"), 1);
  EXPECT_EQ(config->section("b")->section("x")->integer("k"), 2);
}

TEST(Config, size_and_depth_are_bounded) {
  EXPECT_EQ(line_of(std::string(limits::kConfigFile, '\n')), 0U);
  EXPECT_EQ(line_of(std::string(limits::kConfigFile + 1, '\n')), 1U);
  std::string nested;
  for (std::size_t depth = 1; depth <= limits::kConfigDepth + 1; ++depth) {
    nested += std::string(depth, '[') + "s" + std::string(depth, ']') + "\n";
  }
  EXPECT_EQ(line_of(nested), limits::kConfigDepth + 1);
}

}  // namespace
}  // namespace meshstow::codec
