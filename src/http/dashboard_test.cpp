// Signing in, the dashboard's API, installed apps.
#include "base/limits.hpp"
#include "http/server_for_test.hpp"

namespace meshstow::http {
namespace {

class Dashboard : public ::testing::Test {
 protected:
  std::string cookie_of(const TestResponse& answer) const {
    const std::string cookie = answer.header("Set-Cookie");
    return cookie.substr(0, cookie.find(';'));
  }
  std::string path_of(const std::string& link) const { return link.substr(link.find("/signin")); }
  void sign_in() {
    cookie_ = cookie_of(server_.ask("GET", path_of(server_.service().sign_in_link(server_.now()))));
    const std::string state = server_.ask("GET", "/api/state", {{"Cookie", cookie_}}).body;
    const std::size_t at = state.find("\"csrf\":\"") + 8;
    csrf_ = state.substr(at, state.find('"', at) - at);
  }
  TestResponse call(const std::string& method, const std::string& path,
                    std::optional<std::string> body = {}) {
    return server_.ask(method, path, {{"Cookie", cookie_}, {"X-CSRF-Token", csrf_}},
                       std::move(body));
  }
  void install(const std::string& name, std::vector<AppSourceFile> files) {
    auto bundle = bundle_app(name, std::move(files), server_.now(), server_.rng().bytes<8>());
    ASSERT_TRUE(bundle) << bundle.error().detail;
    for (auto& record : bundle->records) {
      ASSERT_TRUE(server_.execute({1, storage::PutRecord{record.key, record.value}}).outcome);
    }
    const auto& manifest = bundle->records.back();
    server_.service().load_record(server_.now(), manifest.key, manifest.value);
  }
  static AppSourceFile file(const std::string& path, const std::string& text) {
    return {path, base::to_bytes(base::as_bytes(text))};
  }

  TestServer server_;
  std::string cookie_;
  std::string csrf_;
};

TEST_F(Dashboard, a_sign_in_link_is_good_once_and_for_an_hour) {
  const std::string link = server_.service().sign_in_link(server_.now());
  EXPECT_TRUE(link.starts_with("http://localhost:8181/signin?token="));
  const auto first = server_.ask("GET", path_of(link));
  EXPECT_EQ(first.status, 303);
  const std::string cookie = first.header("Set-Cookie");
  EXPECT_NE(cookie.find("HttpOnly"), std::string::npos);
  EXPECT_NE(cookie.find("SameSite=Lax"), std::string::npos);
  EXPECT_EQ(server_.ask("GET", path_of(link)).status, 403);
  EXPECT_FALSE(server_.ask("GET", path_of(link)).has("Set-Cookie"));
  const std::string late = server_.service().sign_in_link(server_.now());
  server_.pass(kLinkLifetime);
  EXPECT_EQ(server_.ask("GET", path_of(late)).status, 403);
  EXPECT_EQ(server_.ask("GET", "/signin?token=guess").status, 403);
}

TEST_F(Dashboard, a_session_outlives_the_server_and_ends_after_a_month) {
  sign_in();
  const auto stored = server_.execute(
      {1, storage::ListRecords{base::to_bytes(base::as_bytes(kSessionRecordPrefix))}});
  const auto& records = std::get<storage::RecordList>(*stored.outcome).records;
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(base::as_text(records[0].first).find(cookie_.substr(cookie_.find('=') + 1)),
            std::string_view::npos);
  TestServer other;
  EXPECT_EQ(other.ask("GET", "/api/state", {{"Cookie", cookie_}}).status, 403);
  other.service().load_record(other.now(), records[0].first, records[0].second);
  EXPECT_EQ(other.ask("GET", "/api/state", {{"Cookie", cookie_}}).status, 200);
  other.pass(kSessionLifetime);
  EXPECT_EQ(other.ask("GET", "/api/state", {{"Cookie", cookie_}}).status, 403);
}

TEST_F(Dashboard, broken_session_records_are_ignored) {
  const Bytes key =
      base::to_bytes(base::as_bytes(std::string(kSessionRecordPrefix) + std::string(64, 'a')));
  for (const Bytes& value : {Bytes{}, Bytes(8, 0xff), Bytes(8, 0x7f), Bytes(9, 0)}) {
    server_.service().load_record(server_.now(), key, value);
  }
  server_.service().load_record(server_.now(), base::to_bytes(base::as_bytes("http/session/zz")),
                                Bytes(8, 1));
  server_.service().load_record(server_.now(), base::to_bytes(base::as_bytes("http/app/x")),
                                Bytes{0x95, 1});
  EXPECT_EQ(server_.ask("GET", "/api/session").body, "{\"signed_in\":false}");
}

TEST_F(Dashboard, a_passphrase_signs_in_and_wrong_ones_run_into_a_limit) {
  EXPECT_EQ(server_.ask("POST", "/signin", {}, "passphrase=x").status, 400);
  server_.service().set_passphrase(
      PassphraseVerifier{Bytes(16, 1), TestServer::hash_for_test("open sesame")});
  EXPECT_NE(server_.ask("GET", "/dashboard/").body.find("name=\"passphrase\""), std::string::npos);
  const auto right =
      server_.ask("POST", "/signin", {}, "passphrase=open+sesame&next=%2Foauth%2Fme%3Fa%3Db");
  EXPECT_EQ(right.status, 303);
  EXPECT_EQ(right.header("Location"), "/oauth/me?a=b");
  EXPECT_EQ(server_.ask("GET", "/api/session", {{"Cookie", cookie_of(right)}}).body,
            "{\"signed_in\":true}");
  for (const char* next : {"https://evil.example", "//evil.example", "/\\evil.example"}) {
    EXPECT_EQ(server_
                  .ask("POST", "/signin", {},
                       "passphrase=open+sesame&next=" + codec::percent_encode(next))
                  .header("Location"),
              "/dashboard/");
  }
  EXPECT_EQ(
      server_.ask("POST", "/signin", {{"Origin", "https://evil.example"}}, "passphrase=open+sesame")
          .status,
      403);
  int last = 0;
  for (std::uint32_t i = 0; i <= limits::kFailureBurst; ++i)
    last = server_.ask("POST", "/signin", {}, "passphrase=wrong").status;
  EXPECT_EQ(last, 429);
}

TEST_F(Dashboard, pages_and_calls_need_the_session_and_writes_its_csrf_token) {
  for (const char* path : {"/dashboard/", "/api/state", "/api/events", "/api/files/"}) {
    EXPECT_EQ(server_.ask("GET", path).status, 403) << path;
    EXPECT_EQ(server_.ask("GET", path, {{"Cookie", "meshstow_8181=guess"}}).status, 403) << path;
    EXPECT_EQ(
        server_.ask("GET", path, {{"Authorization", "Bearer " + server_.token("*:rw")}}).status,
        403)
        << path;
  }
  sign_in();
  EXPECT_EQ(call("GET", "/dashboard/").status, 200);
  EXPECT_EQ(server_.ask("PUT", "/api/files/notes/x", {{"Cookie", cookie_}}, "x").status, 403);
  EXPECT_EQ(
      server_
          .ask("PUT", "/api/files/notes/x", {{"Cookie", cookie_}, {"X-CSRF-Token", "guess"}}, "x")
          .status,
      403);
  EXPECT_EQ(
      server_
          .ask("PUT", "/api/files/notes/x",
               {{"Cookie", cookie_}, {"X-CSRF-Token", csrf_}, {"Origin", "http://localhost:3000"}},
               "x")
          .status,
      403);
  EXPECT_EQ(call("PUT", "/api/files/notes/x", "x").status, 201);
  EXPECT_EQ(server_.ask("GET", "/storage/me/notes/x", {{"Cookie", cookie_}}).status, 401)
      << "cookies are no token";
}

TEST_F(Dashboard, files_are_uploaded_listed_downloaded_and_deleted) {
  sign_in();
  ASSERT_EQ(call("PUT", "/api/files/public/pages/a.html", "<script>").status, 201);
  EXPECT_NE(call("GET", "/api/files/public/pages/").body.find("\"a.html\""), std::string::npos);
  const auto got = call("GET", "/api/files/public/pages/a.html");
  EXPECT_EQ(got.header("Content-Disposition"), "attachment");
  EXPECT_EQ(got.header("Content-Security-Policy"), "sandbox");
  EXPECT_FALSE(got.has("Access-Control-Allow-Origin"));
  EXPECT_EQ(call("DELETE", "/api/files/public/pages/a.html").status, 200);
  EXPECT_EQ(call("GET", "/api/files/a//b").status, 400);
}

TEST_F(Dashboard, tokens_are_made_shown_and_taken_back) {
  sign_in();
  const auto made =
      call("POST", "/api/tokens", R"({"scopes":["notes:rw"],"label":"script","days":3})");
  ASSERT_EQ(made.status, 201);
  const std::size_t at = made.body.find("\"token\":\"") + 9;
  const std::string token = made.body.substr(at, made.body.find('"', at) - at);
  const std::size_t id_at = made.body.find("\"id\":\"") + 6;
  const std::string id = made.body.substr(id_at, 16);
  const Headers bearer{{"Authorization", "Bearer " + token}};
  EXPECT_EQ(server_.ask("GET", "/storage/me/notes/", bearer).status, 200);
  const std::string state = call("GET", "/api/state").body;
  EXPECT_NE(state.find(id), std::string::npos);
  EXPECT_EQ(state.find(token), std::string::npos);
  // What cannot be stored would be undone by the next start: it is not done, and said so.
  server_.fail_writes_with = storage::Refusal::full;
  EXPECT_EQ(call("DELETE", "/api/tokens/" + id).status, 507);
  EXPECT_EQ(server_.ask("GET", "/storage/me/notes/", bearer).status, 200);
  server_.fail_writes_with.reset();
  EXPECT_EQ(call("DELETE", "/api/tokens/" + id).status, 200);
  EXPECT_EQ(server_.ask("GET", "/storage/me/notes/", bearer).status, 401);
  EXPECT_EQ(call("DELETE", "/api/tokens/ffffffffffffffff").status, 404);
  for (const char* body : {"", "[]", "{}", R"({"scopes":"x"})", R"({"scopes":["x"]})",
                           R"({"scopes":["notes:rw"],"days":0})"}) {
    EXPECT_EQ(call("POST", "/api/tokens", body).status, 400) << body;
  }
  EXPECT_EQ(call("POST", "/api/tokens", std::string(limits::kHttpSmallBody + 1, ' ')).status, 413);
}

TEST_F(Dashboard, signing_out_ends_the_session) {
  sign_in();
  EXPECT_EQ(call("POST", "/api/signout").status, 200);
  EXPECT_EQ(call("GET", "/api/state").status, 403);
}

TEST_F(Dashboard, an_app_lives_in_an_origin_of_its_own) {
  install("notes", {file("index.html", "<title>My <b>Notes</title>"), file("js/main.js", "run()"),
                    file("large.bin", std::string(600'000, 'x'))});
  const Headers own{{"Host", "notes.localhost:8181"}};
  const auto page = server_.ask("GET", "/", own);
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_FALSE(page.has("Content-Security-Policy"));
  EXPECT_EQ(server_.ask("GET", "/js/main.js", own).body, "run()");
  EXPECT_EQ(server_.ask("GET", "/large.bin", own).body.size(), 600'000U);
  EXPECT_EQ(
      server_.ask("GET", "/", {{"Host", "notes.localhost:8181"}, {"If-None-Match", page.etag()}})
          .status,
      304);
  EXPECT_EQ(server_.ask("POST", "/", own).status, 405);
  for (const char* path : {"/none", "/api/state", "/dashboard/", "/storage/me/", "/signin",
                           "/%2e%2e/x", "/oauth/me"}) {
    EXPECT_EQ(server_.ask("GET", path, own).status / 100, 4) << path;
  }
  EXPECT_EQ(server_.ask("GET", "/", {{"Host", "other.localhost:8181"}}).status, 404);
}

TEST_F(Dashboard, a_title_that_is_no_text_is_shown_with_marks) {
  sign_in();
  install("latin", {file("index.html", "<title>Caf\xe9</title>")});
  EXPECT_NE(call("GET", "/api/state").body.find("\"title\":\"Caf\xef\xbf\xbd\""),
            std::string::npos);
  // As earlier versions stored it.
  AppManifest old{.name = "old", .title = "\xff", .added = {}, .generation = {}, .files = {}};
  const auto read = decode_manifest(app_record_key("old"), encode_manifest(old));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->title, "\xef\xbf\xbd");
}

TEST_F(Dashboard, an_app_on_our_own_origin_is_redirected_or_sandboxed) {
  install("notes", {file("index.html", "<p>")});
  const auto browser = server_.ask("GET", "/apps/notes/?a=b", {{"Sec-Fetch-Mode", "navigate"}});
  EXPECT_EQ(browser.status, 302);
  EXPECT_EQ(browser.header("Location"), "http://notes.localhost:8181/?a=b");
  const auto program = server_.ask("GET", "/apps/notes/");
  EXPECT_EQ(program.status, 200);
  EXPECT_TRUE(program.header("Content-Security-Policy").starts_with("sandbox"));
  EXPECT_EQ(program.header("Content-Security-Policy").find("allow-same-origin"), std::string::npos);
  EXPECT_EQ(server_.ask("GET", "/apps/notes/index.html", {{"Service-Worker", "script"}}).status,
            403);
  EXPECT_EQ(server_.ask("GET", "/apps/none/").status, 404);
  EXPECT_EQ(server_.ask("GET", "/apps/notes").header("Location"), "/apps/notes/");
}

TEST_F(Dashboard, apps_start_connecting_by_themselves_and_can_be_removed) {
  install("notes", {file("index.html", "<p>")});
  sign_in();
  EXPECT_NE(call("GET", "/api/state")
                .body.find("http://notes.localhost:8181/#remotestorage=me@localhost:8181"),
            std::string::npos);
  EXPECT_EQ(call("DELETE", "/api/apps/notes").status, 200);
  EXPECT_EQ(server_.ask("GET", "/", {{"Host", "notes.localhost:8181"}}).status, 404);
  const auto left =
      server_.execute({1, storage::ListRecords{base::to_bytes(base::as_bytes("http/app"))}});
  EXPECT_TRUE(std::get<storage::RecordList>(*left.outcome).records.empty());
}

TEST(Apps, bad_bundles_are_refused) {
  const auto bundle = [](const char* name, const char* path) {
    return bundle_app(name, {{path, {}}, {"index.html", {}}}, Now{}, {});
  };
  EXPECT_TRUE(bundle("notes", "a/b.js"));
  for (const char* name : {"", "-a", "a-", "A", "a.b", "www", "a_b"})
    EXPECT_FALSE(bundle(name, "x")) << name;
  for (const char* path : {"", "/x", "../x", "a//b", "a/", "a/../b"})
    EXPECT_FALSE(bundle("notes", path)) << path;
  EXPECT_FALSE(bundle_app("notes", {{"main.html", {}}}, Now{}, {}));
}

}  // namespace
}  // namespace meshstow::http
