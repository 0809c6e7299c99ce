// The names and addresses that a server has besides its own: store.localhost, a public URL.
#include "base/limits.hpp"
#include "http/browser_for_test.hpp"

namespace meshstow::http {
namespace {

TEST(StoreName, is_the_same_storage_without_a_dashboard) {
  TestServer server_;
  const Headers host{{"Host", "store.localhost:8181"}};
  const auto found =
      server_.ask("GET", "/.well-known/webfinger?resource=acct:me@store.localhost:8181", host);
  EXPECT_EQ(found.status, 200);
  for (const char* part :
       {"\"href\":\"http://store.localhost:8181/storage/me\"",
        "section-4.2\":\"http://127.0.0.1:8181/oauth/me\"",
        "section-3.2\":\"http://store.localhost:8181/oauth/me/token\"",
        "\"urn:meshstow:event-stream\":\"http://store.localhost:8181/events/me/\""}) {
    EXPECT_NE(found.body.find(part), std::string::npos) << part << found.body;
  }
  const std::string token = server_.token("notes:rw");
  const Headers shown{{"Authorization", "Bearer " + token}, host[0]};
  ASSERT_EQ(server_.ask("PUT", "/storage/me/notes/x", shown, "x").status, 201);
  EXPECT_EQ(server_.ask("GET", "/storage/me/notes/x", shown).body, "x");
  for (const char* path :
       {"/", "/dashboard/", "/signin", "/oauth/me", "/api/state", "/apps/store/"}) {
    EXPECT_EQ(server_.ask("GET", path, shown).status, 404) << path;
  }
}

class Proxied : public ::testing::Test {
 protected:
  TestResponse ask(const std::string& target, const std::string& host, Headers more = {}) {
    more.push_back({"Host", host});
    return server_.ask("GET", target, std::move(more));
  }
  TestServer server_{std::string("https://box.example")};
};

TEST_F(Proxied, webfinger_links_consent_and_address_use_the_public_url) {
  EXPECT_EQ(server_.service().address(), "me@box.example");
  EXPECT_TRUE(
      server_.service().sign_in_link(server_.now()).starts_with("https://box.example/signin?"));
  for (const char* host : {"box.example", "localhost:8181", "127.0.0.1:8181"}) {
    const auto found = ask("/.well-known/webfinger?resource=acct:me@box.example", host);
    EXPECT_EQ(found.status, 200) << host;
    for (const char* part : {"\"href\":\"https://box.example/storage/me\"",
                             "section-4.2\":\"https://box.example/oauth/me\"",
                             "section-3.2\":\"https://box.example/oauth/me/token\""}) {
      EXPECT_NE(found.body.find(part), std::string::npos) << host << part;
    }
  }
  const auto page = ask("/dashboard/", "box.example");
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.header("Content-Security-Policy")
                .find("script-src https://box.example/dashboard/; style-src"),
            std::string::npos)
      << "and no script that is stored in the same origin";
  EXPECT_EQ(ask("/storage/me/public/x/none", "box.example").status, 404);
  BrowserForTest browser(server_, "box.example", "https://");
  EXPECT_EQ(browser.sign_in().status, 200);
  EXPECT_EQ(browser.call("GET", "/api/state").status, 200);
  EXPECT_NE(browser.call("GET", "/api/state").body.find("me@box.example"), std::string::npos);
  const std::string own = codec::percent_encode("https://box.example/apps/evil/");
  EXPECT_EQ(browser.ask("GET", "/oauth/me?scope=a&redirect_uri=" + own).status, 400);
}

TEST_F(Proxied, no_forwarded_header_decides_anything_and_other_hosts_are_told_what_to_do) {
  for (const Headers& headers :
       {Headers{{"X-Forwarded-Host", "box.example"}},
        {{"Forwarded", "host=box.example"}},
        {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "box.example"}}}) {
    EXPECT_EQ(ask("/dashboard/", "evil.example", headers).status, 421);
  }
  EXPECT_NE(ask("/", "evil.example").body.find("--public-url"), std::string::npos);
  const auto found = ask("/.well-known/webfinger?resource=acct:me@box.example", "box.example",
                         {{"X-Forwarded-Proto", "http"}, {"X-Forwarded-Host", "evil.example"}});
  EXPECT_EQ(found.body.find("evil"), std::string::npos);
  EXPECT_EQ(ask("/", "box.example:8181").status, 421);
}

TEST_F(Proxied, wrong_tokens_of_one_visitor_do_not_shut_out_the_others) {
  const auto shown = [&](const std::string& token, const std::string& host) {
    return ask("/storage/me/notes/", host, {{"Authorization", "Bearer " + token}}).status;
  };
  int last = 0;
  for (std::uint32_t i = 0; i <= limits::kFailureBurst; ++i) last = shown("wrong", "box.example");
  EXPECT_EQ(last, 429);
  EXPECT_EQ(shown("another", "box.example"), 401);
  EXPECT_EQ(shown("wrong", "localhost:8181"), 401);
  EXPECT_EQ(shown(server_.token("notes:r"), "box.example"), 200);
  server_.service().set_passphrase(
      PassphraseVerifier{Bytes(16, 1), TestServer::hash_for_test("open sesame")});
  BrowserForTest stranger(server_, "box.example", "https://");
  for (std::uint32_t i = 0; i <= limits::kFailureBurst; ++i) {
    last = stranger.sign_in_with({{"passphrase", "wrong"}}).status;
  }
  EXPECT_EQ(last, 429);
  BrowserForTest at_home(server_);
  EXPECT_EQ(at_home.sign_in_with({{"passphrase", "open sesame"}}).status, 200);
}

TEST(PublicUrl, is_scheme_host_and_port) {
  const std::pair<const char*, const char*> good[] = {
      {"https://box.example", "https://box.example"},
      {"https://Box.Example:443/", "https://box.example"},
      {"http://box.example:8080", "http://box.example:8080"},
      {"https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"},
      {"http://192.0.2.1", "http://192.0.2.1"}};
  for (const auto& [text, origin] : good) {
    const auto read = parse_public_url(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->origin(), origin);
  }
  for (const char* text :
       {"", "box.example", "https://", "ftp://box.example", "https://box.example/path",
        "https://box.example/?q", "https://box.example?q", "https://box.example/#f",
        "https://me@box.example", "https://me:x@box.example", "https://box.example:99999",
        "https://box.example:0", "https://b\xC3\xBCx.example", "javascript:alert(1)"}) {
    EXPECT_FALSE(parse_public_url(text)) << text;
  }
}

}  // namespace
}  // namespace meshstow::http
