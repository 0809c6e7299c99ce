// Signing in, the dashboard's API, installed apps.
#include "base/limits.hpp"
#include "http/browser_for_test.hpp"
#include "http/download_tickets.hpp"

namespace meshstow::http {
namespace {

class Dashboard : public ::testing::Test {
 protected:
  void sign_in() { ASSERT_EQ(browser_.sign_in().status, 200); }
  TestResponse call(const std::string& method, const std::string& path,
                    std::optional<std::string> body = {}) {
    return browser_.call(method, path, std::move(body));
  }
  std::string new_link() { return link_secret(server_.service().sign_in_link(server_.now())); }
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
  BrowserForTest browser_{server_};
};

TEST_F(Dashboard, a_sign_in_link_is_good_once_and_for_an_hour) {
  const std::string link = server_.service().sign_in_link(server_.now());
  EXPECT_TRUE(link.starts_with("http://127.0.0.1:8181/signin?")) << link;
  EXPECT_EQ(browser_.sign_in_with({{"link", link_secret(link)}}).status, 200);
  EXPECT_EQ(call("GET", "/api/state").status, 200);
  BrowserForTest other(server_);
  EXPECT_EQ(other.sign_in_with({{"link", link_secret(link)}}).status, 403);
  EXPECT_EQ(other.call("GET", "/api/state").status, 403);
  const std::string late = new_link();
  server_.pass(kLinkLifetime);
  EXPECT_EQ(other.sign_in_with({{"link", late}}).status, 403);
  EXPECT_EQ(other.sign_in_with({{"link", "guess"}}).status, 403);
  EXPECT_EQ(other.sign_in_with({}).status, 403);
}

TEST_F(Dashboard, signing_in_hands_over_a_key_or_a_secret_that_is_one) {
  BrowserForTest other(server_);
  const Headers host{{"Host", "127.0.0.1:8181"}};
  const std::string link = new_link();
  for (const std::string& wrong : {std::string("&key="), "&key=" + std::string(87, 'A'),
                                   std::string("&secret=AAAA"), std::string()}) {
    EXPECT_EQ(server_.ask("POST", "/signin", host, "link=" + link + wrong).status, 400) << wrong;
  }
  const std::string secret = codec::to_base64url(server_.rng().bytes<32>().view());
  EXPECT_EQ(server_.ask("POST", "/signin", host, "link=" + link + "&secret=" + secret).status, 200)
      << "what was refused for its key has not spent the link";
  const auto state = [&](const std::string& proof) {
    return server_.ask("GET", "/api/state", {{"Host", "127.0.0.1:8181"}, {"Meshstow-Proof", proof}})
        .status;
  };
  EXPECT_EQ(state("secret " + secret), 200);
  EXPECT_EQ(state("secret " + codec::to_base64url(server_.rng().bytes<32>().view())), 403);
  sign_in();
  EXPECT_EQ(state("secret " + browser_.public_key()), 403) << "a key is no secret";
}

TEST_F(Dashboard, a_session_outlives_the_server_and_ends_after_a_month) {
  sign_in();
  const auto stored = server_.execute(
      {1, storage::ListRecords{base::to_bytes(base::as_bytes(kSessionRecordPrefix))}});
  const auto& records = std::get<storage::RecordList>(*stored.outcome).records;
  ASSERT_EQ(records.size(), 1U);
  TestServer other;
  const auto state = [&](const std::string& nonce) {
    browser_.nonce_ = nonce;
    return other
        .ask("GET", "/api/state",
             {{"Host", "127.0.0.1:8181"}, {"Meshstow-Proof", browser_.prove("GET", "/api/state")}})
        .status;
  };
  const auto nonce = [&] {
    const auto session = other.ask("GET", "/api/session", {{"Host", "127.0.0.1:8181"}});
    return member_of(session.body, "nonce");
  };
  EXPECT_EQ(state(nonce()), 403);
  other.service().load_record(other.now(), records[0].first, records[0].second);
  EXPECT_EQ(state(nonce()), 200);
  other.pass(kSessionLifetime);
  EXPECT_EQ(state(nonce()), 403);
}

TEST_F(Dashboard, broken_session_records_are_ignored_and_so_are_those_of_cookies) {
  const std::string cookie(43, 'A');
  const std::string id = codec::to_hex(crypto::sha256(codec::from_base64url(cookie).value()));
  const Bytes key = base::to_bytes(base::as_bytes(std::string(kSessionRecordPrefix) + id));
  Bytes soon;
  base::append_big_endian(soon, base::unix_seconds(server_.now().wall) + 3600);
  Bytes short_key = soon;
  short_key.insert(short_key.begin(), 2);
  short_key.push_back(4);
  for (const Bytes& value :
       {Bytes{}, Bytes(8, 0xff), Bytes(8, 0x7f), Bytes(9, 0), Bytes(9, 2), soon, short_key}) {
    server_.service().load_record(server_.now(), key, value);
  }
  server_.service().load_record(server_.now(), base::to_bytes(base::as_bytes("http/session/zz")),
                                Bytes(8, 1));
  server_.service().load_record(server_.now(), base::to_bytes(base::as_bytes("http/app/x")),
                                Bytes{0x95, 1});
  EXPECT_EQ(browser_.ask("GET", "/api/state", {{"Meshstow-Proof", "secret " + cookie}}).status,
            403);
  // The next sign-in clears them away.
  ASSERT_TRUE(server_.execute({1, storage::PutRecord{key, soon}}).outcome);
  sign_in();
  const auto left = server_.execute({1, storage::GetRecord{key}});
  EXPECT_TRUE(!left.outcome || std::get<storage::RecordList>(*left.outcome).records.empty());
}

TEST_F(Dashboard, a_passphrase_signs_in_and_wrong_ones_run_into_a_limit) {
  EXPECT_EQ(browser_.sign_in_with({{"passphrase", "x"}}).status, 400);
  server_.service().set_passphrase(
      PassphraseVerifier{Bytes(16, 1), TestServer::hash_for_test("open sesame")});
  EXPECT_NE(browser_.ask("GET", "/api/session").body.find("\"passphrase\":true"),
            std::string::npos);
  EXPECT_EQ(browser_.sign_in_with({{"passphrase", "open sesame"}}).status, 200);
  EXPECT_EQ(call("GET", "/api/state").status, 200);
  const std::string form = "passphrase=open+sesame&key=" + browser_.public_key();
  for (const Headers& foreign : {Headers{{"Origin", "https://evil.example"}},
                                 {{"Origin", "null"}},
                                 {{"Origin", "http://localhost:8181"}},
                                 {{"Sec-Fetch-Site", "same-site"}}}) {
    EXPECT_EQ(browser_.ask("POST", "/signin", foreign, form).status, 403);
  }
  BrowserForTest guessing(server_);
  int last = 0;
  for (std::uint32_t i = 0; i <= limits::kFailureBurst; ++i)
    last = guessing.sign_in_with({{"passphrase", "wrong"}}).status;
  EXPECT_EQ(last, 429);
  EXPECT_EQ(guessing.sign_in().status, 200) << "links go on";
}

TEST_F(Dashboard, pages_are_the_same_for_everybody_and_hold_nothing) {
  const std::string before = browser_.ask("GET", "/dashboard/").body;
  sign_in();
  EXPECT_EQ(browser_.ask("GET", "/dashboard/").body, before);
  const auto page = browser_.ask("GET", "/signin");
  EXPECT_EQ(page.body, before);
  EXPECT_EQ(page.header("Clear-Site-Data"), "\"cache\"");
  EXPECT_EQ(before.find("{{"), std::string::npos);
  const std::string policy = page.header("Content-Security-Policy");
  EXPECT_NE(policy.find("script-src http://127.0.0.1:8181/dashboard/;"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_FALSE(page.has("Set-Cookie"));
}

TEST_F(Dashboard, no_call_is_answered_without_the_proof_of_the_session) {
  const std::string bearer = "Bearer " + server_.token("*:rw");
  sign_in();
  for (const char* path : {"/api/state", "/api/events", "/api/files/", "/api/files/x"}) {
    const std::string proof = browser_.prove("GET", path);
    for (const Headers& headers : {Headers{},
                                   {{"Cookie", "meshstow_8181=guess"}},
                                   {{"Authorization", bearer}},
                                   {{"Meshstow-Proof", ""}},
                                   {{"Meshstow-Proof", "key"}},
                                   {{"Meshstow-Proof", "key a b c d"}},
                                   {{"Meshstow-Proof", "secret"}},
                                   {{"Meshstow-Proof", "secret AAAA"}},
                                   {{"Meshstow-Proof", proof + " x"}},
                                   {{"Meshstow-Proof", proof}, {"Origin", "http://localhost:8181"}},
                                   {{"Meshstow-Proof", proof}, {"Sec-Fetch-Site", "cross-site"}}}) {
      EXPECT_EQ(browser_.ask("GET", path, headers).status, 403) << path;
    }
  }
  EXPECT_EQ(call("PUT", "/api/files/notes/x", "x").status, 201);
  EXPECT_EQ(browser_.call("PUT", "/storage/me/notes/x", "y").status, 401) << "no token";
}

TEST_F(Dashboard, a_proof_is_good_for_one_call_of_one_method_and_address) {
  sign_in();
  const std::string proof = browser_.prove("GET", "/api/state");
  const auto shown = [&](const std::string& method, const std::string& path,
                         const std::string& text) {
    return browser_.ask(method, path, {{"Meshstow-Proof", text}}).status;
  };
  EXPECT_EQ(shown("POST", "/api/state", proof), 403);
  EXPECT_EQ(shown("GET", "/api/files/", proof), 403);
  EXPECT_EQ(shown("GET", "/api/state?x", proof), 403);
  EXPECT_EQ(shown("GET", "/api/state", proof), 200);
  EXPECT_EQ(shown("GET", "/api/state", proof), 403) << "replayed";
  std::string other = browser_.prove("GET", "/api/state");
  other.replace(4, 64, std::string(64, 'a'));
  EXPECT_EQ(shown("GET", "/api/state", other), 403) << "of another session";
  BrowserForTest elsewhere(server_, "127.0.0.1:8282");
  elsewhere.nonce_ = browser_.nonce_;
  EXPECT_EQ(shown("GET", "/api/state", elsewhere.prove("GET", "/api/state")), 403);
}

TEST_F(Dashboard, a_proof_is_good_for_one_body) {
  sign_in();
  const auto shown = [&](const std::string& method, const std::string& target, std::string proof,
                         std::optional<std::string> body = {}) {
    Headers headers{{"Meshstow-Proof", std::move(proof)}};
    return browser_.ask(method, target, std::move(headers), std::move(body)).status;
  };
  const std::string mine = R"({"scopes":["notes:r"]})";
  const std::string other = R"({"scopes":["*:rw"]})";
  const auto prove = [&] { return browser_.prove("POST", "/api/tokens", mine); };
  EXPECT_EQ(shown("POST", "/api/tokens", prove(), other), 403);
  EXPECT_EQ(shown("POST", "/api/tokens", prove(), mine + " "), 403);
  EXPECT_EQ(shown("POST", "/api/tokens", prove(), ""), 403);
  EXPECT_EQ(shown("POST", "/api/tokens", prove()), 403);
  // The hash in the header is the one that was signed.
  std::string changed = prove();
  const std::string hash = BrowserForTest::hash_of(mine);
  changed.replace(changed.find(hash), hash.size(), BrowserForTest::hash_of(other));
  EXPECT_EQ(shown("POST", "/api/tokens", changed, other), 403);
  for (const std::string covered : {std::string(kBodyNotCovered), std::string(), hash + "A"}) {
    EXPECT_EQ(
        shown("POST", "/api/tokens", browser_.prove_covering("POST", "/api/tokens", covered), mine),
        403)
        << covered;
  }
  EXPECT_EQ(call("GET", "/api/state").body.find("*:rw"), std::string::npos);
  EXPECT_EQ(shown("POST", "/api/tokens", prove(), mine), 201);
  // Where nothing is taken, nothing may come.
  EXPECT_EQ(call("POST", "/api/signout", "x").status, 403);
  EXPECT_EQ(shown("POST", "/api/signout", browser_.prove("POST", "/api/signout"), "x"), 403);
  EXPECT_EQ(shown("POST", "/api/signout", browser_.prove("POST", "/api/signout"), ""), 200);
}

TEST_F(Dashboard, a_proof_of_an_upload_covers_no_body_and_is_good_for_nothing_else) {
  sign_in();
  const std::string target = "/api/files/private/a";
  const auto shown = [&](const std::string& method, const std::string& covered) {
    return browser_
        .ask(method, target, {{"Meshstow-Proof", browser_.prove_covering(method, target, covered)}},
             method == "PUT" ? std::optional<std::string>("text") : std::nullopt)
        .status;
  };
  EXPECT_EQ(shown("PUT", BrowserForTest::hash_of("text")), 403) << "would not be looked at";
  const std::string none(kBodyNotCovered);
  EXPECT_EQ(shown("PUT", none), 201);
  for (const char* method : {"GET", "HEAD", "DELETE"}) EXPECT_EQ(shown(method, none), 403);
  EXPECT_EQ(shown("DELETE", BrowserForTest::hash_of("")), 200);
}

TEST_F(Dashboard, nonces_end_and_say_so_and_none_outlives_the_process) {
  sign_in();
  const std::string early = browser_.prove("GET", "/api/state");
  const std::string seen = browser_.prove("GET", "/api/state");
  const auto shown = [&](const std::string& proof) {
    return browser_.ask("GET", "/api/state", {{"Meshstow-Proof", proof}});
  };
  EXPECT_EQ(shown(seen).status, 200);
  server_.pass(kNonceLifetime);
  EXPECT_EQ(shown(seen).status, 403) << "still remembered";
  EXPECT_EQ(shown(early).status, 200) << "of the nonce before";
  const std::string late = browser_.prove("GET", "/api/state");
  server_.pass(kNonceLifetime);
  const auto stale = shown(late);
  EXPECT_EQ(stale.status, 401);
  EXPECT_EQ(shown(seen).status, 401);
  browser_.nonce_ = stale.header("Meshstow-Nonce");
  EXPECT_EQ(call("GET", "/api/state").status, 200);
  browser_.nonce_ = std::string(22, 'A');  // whatever somebody handed out who held the port before
  EXPECT_EQ(call("GET", "/api/state").status, 401);
}

TEST_F(Dashboard, calls_beyond_what_is_remembered_begin_a_new_nonce) {
  sign_in();
  const std::string first = browser_.prove("GET", "/api/session");
  const auto shown = [&] {
    return browser_.ask("GET", "/api/session", {{"Meshstow-Proof", first}}).status;
  };
  EXPECT_EQ(shown(), 200);
  const std::string nonce = browser_.nonce_;
  for (std::size_t i = 0; i < limits::kSignedCalls; ++i) {
    ASSERT_EQ(call("GET", "/api/session").status, 200) << i;
  }
  EXPECT_EQ(shown(), 403);
  browser_.read_nonce();
  EXPECT_NE(browser_.nonce_, nonce);
}

TEST_F(Dashboard, lives_at_one_name_and_storage_at_another) {
  const Headers storage{{"Host", "localhost:8181"}};
  for (const std::string path :
       {"/", "/dashboard/", "/oauth/me?scope=a&state=b", "/signin", "/api/state"}) {
    const auto moved = server_.ask("GET", path, storage);
    EXPECT_EQ(moved.status, 307) << path;
    EXPECT_EQ(moved.header("Location"), "http://127.0.0.1:8181" + path);
    EXPECT_FALSE(moved.has("Access-Control-Allow-Origin"));
    EXPECT_EQ(server_.ask("POST", path, storage, "x").status, 421) << path;
  }
  sign_in();
  const std::string bearer = "Bearer " + server_.token("*:rw");
  ASSERT_EQ(server_
                .ask("PUT", "/storage/me/public/x/y",
                     {{"Authorization", bearer}, {"Content-Type", "application/pdf"}}, "x")
                .status,
            201);
  const auto shown = browser_.ask("GET", "/storage/me/public/x/y");
  EXPECT_EQ(shown.status, 307) << "no document is shown where the dashboard is";
  EXPECT_EQ(shown.header("Location"), "http://localhost:8181/storage/me/public/x/y");
  EXPECT_EQ(browser_.ask("GET", "/storage/me/public/x/y", {{"Authorization", "Basic eDp5"}}).status,
            307);
  const auto program = browser_.ask("GET", "/storage/me/public/x/y", {{"Authorization", bearer}});
  EXPECT_EQ(program.status, 200) << "a script or program, which shows a token";
  EXPECT_EQ(program.header("Content-Security-Policy"), "sandbox");
  EXPECT_EQ(browser_.ask("PUT", "/storage/me/x/y", {}, "x").status, 401);
  EXPECT_EQ(browser_.ask("OPTIONS", "/storage/me/x/y").status, 204);
  EXPECT_EQ(browser_.ask("GET", "/.well-known/webfinger?resource=acct:me@127.0.0.1:8181").status,
            200);
}

TEST_F(Dashboard, workers_that_others_left_are_replaced_by_one_that_goes) {
  for (const char* host : {"127.0.0.1:8181", "localhost:8181"}) {
    for (const char* path : {"/sw.js", "/", "/storage/me/public/x/sw.js", "/deep/er/worker"}) {
      const auto worker = server_.ask("GET", path, {{"Host", host}, {"Service-Worker", "script"}});
      EXPECT_EQ(worker.status, 200) << path;
      EXPECT_TRUE(worker.header("Content-Type").starts_with("text/javascript"));
      EXPECT_NE(worker.body.find("unregister()"), std::string::npos);
      EXPECT_EQ(worker.header("Service-Worker-Allowed"), "/");
    }
  }
}

TEST_F(Dashboard, a_download_is_given_once_to_whom_the_session_gave_its_address) {
  sign_in();
  ASSERT_EQ(call("PUT", "/api/files/private/a%20b%22.html", "<script>").status, 201);
  const auto made = call("POST", "/api/download/private/a%20b%22.html");
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string url = member_of(made.body, "url");
  const std::string origin = "http://localhost:8181";
  ASSERT_TRUE(url.starts_with(origin + "/download/")) << url;
  const std::string path = url.substr(origin.size());
  EXPECT_EQ(server_.ask("HEAD", path).status, 405);
  const auto got = server_.ask("GET", path);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "<script>");
  EXPECT_EQ(got.header("Content-Disposition"), "attachment; filename*=UTF-8''a%20b%22.html");
  EXPECT_EQ(got.header("Content-Security-Policy"), "sandbox");
  EXPECT_FALSE(got.has("Access-Control-Allow-Origin"));
  EXPECT_EQ(server_.ask("GET", path).status, 403);
  const auto again = [&] {
    const std::string next =
        member_of(call("POST", "/api/download/private/a%20b%22.html").body, "url");
    return next.substr(origin.size());
  };
  const std::string late = again();
  server_.pass(kTicketLifetime);
  EXPECT_EQ(server_.ask("GET", late).status, 403);
  const std::string ended = again();
  EXPECT_EQ(call("POST", "/api/signout").status, 200);
  EXPECT_EQ(server_.ask("GET", ended).status, 403);
  EXPECT_EQ(server_.ask("GET", "/download/guess").status, 403);
  EXPECT_EQ(browser_.ask("POST", "/api/download/x").status, 403);
}

TEST_F(Dashboard, files_are_uploaded_listed_downloaded_and_deleted) {
  sign_in();
  ASSERT_EQ(call("PUT", "/api/files/public/pages/a.html", "<script>").status, 201);
  EXPECT_NE(call("GET", "/api/files/public/pages/").body.find("\"a.html\""), std::string::npos);
  const auto got = call("GET", "/api/files/public/pages/a.html");
  EXPECT_TRUE(got.header("Content-Disposition").starts_with("attachment;"));
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

TEST_F(Dashboard, a_token_that_is_not_stored_is_not_listed) {
  sign_in();
  const std::string order = R"({"scopes":["notes:rw"],"label":"script"})";
  server_.fail_writes_with = storage::Refusal::full;
  EXPECT_EQ(call("POST", "/api/tokens", order).status, 507);
  server_.fail_writes_with.reset();
  EXPECT_EQ(call("GET", "/api/state").body.find("\"script\""), std::string::npos);
  EXPECT_EQ(call("POST", "/api/tokens", order).status, 201);
  EXPECT_NE(call("GET", "/api/state").body.find("\"script\""), std::string::npos);
}

TEST_F(Dashboard, an_app_stays_until_the_store_has_removed_it) {
  sign_in();
  install("todo", {file("index.html", "<p>")});
  server_.fail_writes_with = storage::Refusal::unavailable;
  EXPECT_EQ(call("DELETE", "/api/apps/todo").status, 503);
  EXPECT_EQ(server_.service().apps().size(), 1U);
  server_.fail_writes_with.reset();
  EXPECT_EQ(call("DELETE", "/api/apps/todo").status, 200);
  EXPECT_TRUE(server_.service().apps().empty());
}

TEST_F(Dashboard, a_passphrase_that_nobody_has_time_to_look_at_is_not_called_wrong) {
  server_.service().set_passphrase(
      PassphraseVerifier{Bytes(16, 1), TestServer::hash_for_test("open sesame")});
  server_.hashers_are_full = true;
  const auto busy = browser_.sign_in_with({{"passphrase", "open sesame"}});
  EXPECT_EQ(busy.status, 503);
  EXPECT_TRUE(busy.has("Retry-After"));
  server_.hashers_are_full = false;
  EXPECT_EQ(browser_.sign_in_with({{"passphrase", "open sesame"}}).status, 200);
}

TEST_F(Dashboard, signing_out_ends_the_session) {
  sign_in();
  server_.fail_writes_with = storage::Refusal::unavailable;
  EXPECT_EQ(call("POST", "/api/signout").status, 503);
  EXPECT_EQ(call("GET", "/api/state").status, 200) << "the next start would bring it back";
  server_.fail_writes_with.reset();
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
  EXPECT_EQ(
      server_.ask("GET", "/apps/notes/index.html", {{"Service-Worker", "script"}}).body.find("<p>"),
      std::string::npos);
  EXPECT_EQ(browser_.ask("GET", "/apps/notes/").header("Location"),
            "http://localhost:8181/apps/notes/");
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
  for (const char* name : {"", "-a", "a-", "A", "a.b", "www", "a_b", "store"})
    EXPECT_FALSE(bundle(name, "x")) << name;
  for (const char* path : {"", "/x", "../x", "a//b", "a/", "a/../b"})
    EXPECT_FALSE(bundle("notes", path)) << path;
  EXPECT_FALSE(bundle_app("notes", {{"main.html", {}}}, Now{}, {}));
  EXPECT_EQ(bundle("store", "a.js").error().detail,
            std::string("the names www and store are taken by this node itself"));
}

}  // namespace
}  // namespace meshstow::http
