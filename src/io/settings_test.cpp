#include "io/settings.hpp"

#include "codec/hex.hpp"
#include "io/io_for_test.hpp"
#include "io/reticulum_config.hpp"

namespace meshstow::io {

TEST(Address, is_a_host_and_a_port) {
  EXPECT_EQ(parse_address("localhost:8181"), (Address{"localhost", 8181}));
  EXPECT_EQ(parse_address("[::1]:0"), (Address{"::1", 0}));
  EXPECT_EQ(parse_address(":4242"), (Address{"", 4242}));
  for (const auto* text : {"", "localhost", "host:", "host:65536", "host:-1", "host:1x", "::1:4242",
                           "[::1:42", "[host]:42", "a b:42", "http://x:42"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
  EXPECT_EQ(to_text(Address{"::1", 42}), "[::1]:42");
}

TEST(Settings, are_defaults_in_an_empty_config_and_in_the_example) {
  for (const std::string& text : {std::string(), example_config("my node")}) {
    const auto settings = read_settings(text);
    ASSERT_TRUE(settings.has_value()) << settings.error();
    EXPECT_FALSE(settings->quota);
    EXPECT_EQ(settings->http, "localhost:8181");
    EXPECT_EQ(settings->history.keep_for, std::chrono::days(30));
    EXPECT_TRUE(settings->mesh.announces);
    EXPECT_TRUE(settings->mesh.tcp_listen.empty());
    EXPECT_TRUE(settings->warnings.empty());
  }
  EXPECT_EQ(read_settings(example_config("my node"))->name, "my node");
}

TEST(Settings, read_every_key) {
  const auto settings = read_settings(R"([meshstow]
name = alpha
quota = 10G
history_days = 7
history_versions = 0
http = off
tcp_listen = 0.0.0.0:4242
tcp_connect = one.example:1, [::1]:2
reticulum = off
announces = no
[peers]
laptop = 0123456789abcdef0123456789abcdef
[interfaces]
  [[Friends]]
    type = TCPClientInterface
    enabled = yes
    target_host = friends.example
    target_port = 4242
)");
  ASSERT_TRUE(settings.has_value()) << settings.error();
  EXPECT_EQ(settings->quota, 10ULL << 30);
  EXPECT_EQ(settings->history.keep_for, std::chrono::days(7));
  EXPECT_EQ(settings->history.keep_versions, 0U);
  EXPECT_EQ(settings->http, "off");
  ASSERT_EQ(settings->mesh.tcp_connect.size(), 2U);
  EXPECT_EQ(settings->mesh.tcp_connect[1], (Address{"::1", 2}));
  EXPECT_EQ(settings->mesh.reticulum, "off");
  EXPECT_FALSE(settings->mesh.announces);
  EXPECT_EQ(codec::to_hex(settings->peers.at("laptop")), "0123456789abcdef0123456789abcdef");
  ASSERT_EQ(settings->mesh.interfaces.size(), 1U);
  EXPECT_FALSE(settings->mesh.interfaces[0].listens);
}

TEST(Settings, name_the_line_that_is_wrong) {
  const auto line_of_error = [](std::string_view text) {
    const auto settings = read_settings(text);
    EXPECT_FALSE(settings.has_value()) << text;
    return settings ? std::string() : settings.error().substr(0, settings.error().find(':'));
  };
  EXPECT_EQ(line_of_error("[meshstow]\nname = x\nquota = lots\n"), "line 3");
  EXPECT_EQ(line_of_error("[peers]\n# a comment\n  him = 0123\n"), "line 3");
  EXPECT_EQ(line_of_error("[meshstow]\nhttp = nowhere\n"), "line 2");
  EXPECT_EQ(line_of_error("[meshstow]\ntcp_listen = a:1, b\n"), "line 2");
  EXPECT_EQ(line_of_error("[meshstow]\nannounces = maybe\n"), "line 2");
  EXPECT_EQ(line_of_error("[meshstow]\nhistory_days = -1\n"), "line 2");
  EXPECT_EQ(line_of_error("[meshstow\n"), "line 1");
}

TEST(Settings, warn_of_what_they_do_not_know) {
  const auto settings = read_settings("[meshstow]\nqouta = 1G\n[elsewhere]\nx = y\n");
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->warnings.size(), 2U);
}

TEST(Size, has_a_unit_of_two_to_the_tenth_steps) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("500M"), 500ULL << 20);
  EXPECT_EQ(parse_size("2TiB"), 2ULL << 40);
  EXPECT_EQ(parse_size("3kb"), 3ULL << 10);
  for (const auto* text : {"", "G", "1X", "1.5G", "-1", "99999999999999T", "1 G"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(ReticulumConfig, is_found_as_reticulum_finds_it) {
  const TestFolder folder;
  const auto system = folder / "etc";
  const auto user = folder / "home";
  EXPECT_FALSE(find_reticulum_config(user, system));
  folder.write("home/.reticulum/config", "");
  EXPECT_EQ(find_reticulum_config(user, system), user / ".reticulum");
  folder.write("home/.config/reticulum/config", "");
  EXPECT_EQ(find_reticulum_config(user, system), user / ".config" / "reticulum");
  std::filesystem::create_directories(system);
  EXPECT_EQ(find_reticulum_config(user, system), user / ".config" / "reticulum");
  folder.write("etc/config", "");
  EXPECT_EQ(find_reticulum_config(user, system), system);
}

constexpr const char* kManyInterfaces = R"([reticulum]
enable_transport = False
share_instance = No
[logging]
loglevel = 4
[interfaces]
  [[Default Interface]]
    type = AutoInterface
    enabled = Yes
  [[Off]]
    type = TCPServerInterface
    listen_port = 1
  [[Server]]
    type = TCPServerInterface
    enabled = yes
    listen_ip = 127.0.0.1
    listen_port = 4242
  [[Client]]
    type = TCPClientInterface
    interface_enabled = True
    target_host = there.example
    target_port = 4243
  [[Backbone in]]
    type = BackboneInterface
    enabled = yes
    listen_on = 0.0.0.0
    port = 4244
  [[Backbone out]]
    type = BackboneInterface
    enabled = yes
    remote = far.example
    target_port = 4245
  [[Closed]]
    type = TCPClientInterface
    enabled = yes
    target_host = there.example
    target_port = 4246
    passphrase = secret
  [[No port]]
    type = TCPClientInterface
    enabled = yes
    target_host = there.example
)";

TEST(ReticulumConfig, gives_the_interfaces_that_we_have_and_says_why_not_the_others) {
  const TestFolder folder;
  folder.write("config", kManyInterfaces);
  const auto setup = read_reticulum_setup(folder.path().string());
  ASSERT_TRUE(setup.has_value()) << setup.error();
  EXPECT_FALSE(setup->share_instance);
  ASSERT_EQ(setup->interfaces.size(), 4U);
  EXPECT_TRUE(setup->interfaces[0].listens);
  EXPECT_EQ(setup->interfaces[0].address, (Address{"127.0.0.1", 4242}));
  EXPECT_EQ(setup->interfaces[1].address, (Address{"there.example", 4243}));
  EXPECT_EQ(setup->interfaces[2].address, (Address{"0.0.0.0", 4244}));
  EXPECT_FALSE(setup->interfaces[3].listens);
  EXPECT_EQ(to_text(setup->interfaces[0]), "TCPServerInterface[Server/127.0.0.1:4242]");
  EXPECT_EQ(to_text(setup->interfaces[1]), "TCPInterface[Client/there.example:4243]");
  EXPECT_EQ(to_text(setup->interfaces[3]), "BackboneInterface[Backbone out/far.example:4245]");
  ASSERT_EQ(setup->warnings.size(), 3U);
  EXPECT_NE(setup->warnings[0].find("AutoInterface"), std::string::npos);
  EXPECT_NE(setup->warnings[1].find("passphrase"), std::string::npos);
  EXPECT_NE(setup->warnings[2].find("target_port"), std::string::npos);
  EXPECT_EQ(setup->warnings[1].find("secret"), std::string::npos);
}

TEST(ReticulumConfig, tells_where_the_shared_instance_is) {
  const TestFolder folder;
  folder.write("config", "[reticulum]\ninstance_name = mine\n");
  auto setup = read_reticulum_setup(folder.path().string());
  ASSERT_TRUE(setup.has_value());
  EXPECT_TRUE(setup->share_instance);
  EXPECT_EQ(setup->instance.name, "mine");
  EXPECT_FALSE(setup->instance.tcp);
  folder.write("config", "[reticulum]\nshared_instance_type = tcp\nshared_instance_port = 1234\n");
  setup = read_reticulum_setup(folder.path().string());
  ASSERT_TRUE(setup.has_value());
  EXPECT_TRUE(setup->instance.tcp);
  EXPECT_EQ(setup->instance.port, 1234);
}

TEST(ReticulumConfig, opens_nothing_when_off_and_fails_in_words) {
  EXPECT_TRUE(read_reticulum_setup("off")->file.empty());
  const auto missing = read_reticulum_setup("/no/such/place");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().find("/no/such/place/config"), std::string::npos);
  const TestFolder folder;
  folder.write("config", "[reticulum]\n\nthis is no setting\n");
  const auto broken = read_reticulum_setup(folder.path().string());
  ASSERT_FALSE(broken.has_value());
  EXPECT_NE(broken.error().find("line 3"), std::string::npos) << broken.error();
}

}  // namespace meshstow::io
