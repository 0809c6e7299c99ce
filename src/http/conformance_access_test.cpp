// The checklist of the draft (facts file, 1.1 to 1.3, 1.8) item by item: discovery, consent,
// tokens, CORS.
#include <set>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "crypto/hash.hpp"
#include "http/browser_for_test.hpp"
#include "http/target.hpp"

namespace meshstow::http {
namespace {

class Access : public ::testing::Test {
 protected:
  Headers with(const std::string& token, Headers more = {}) const {
    more.push_back({"Authorization", "Bearer " + token});
    return more;
  }
  int status(const std::string& method, const std::string& path, const std::string& token) {
    std::optional<std::string> body;
    if (method == "PUT") body = "x";
    return server_.ask(method, "/storage/me" + path, token.empty() ? Headers{} : with(token), body)
        .status;
  }
  static std::string dialog(const std::string& scope, const std::string& more = "") {
    return "/oauth/"
           "me?client_id=x&redirect_uri=https%3A%2F%2Fapp.example%2F&response_type=token&scope=" +
           codec::percent_encode(scope) + more;
  }
  // Answers as the page's script does. Where it leads to: location_of().
  TestResponse allow(const Form& form) {
    browser_.sign_in();
    return browser_.call("POST", "/oauth/me", encode_form(form));
  }
  static std::string location_of(const TestResponse& answer) {
    return member_of(answer.body, "location");
  }
  TestResponse consent(const std::string& target) { return browser_.ask("GET", target); }
  Form granted(const std::string& scope) const {
    return {{"redirect_uri", "https://app.example/"},
            {"scope", scope},
            {"response_type", "token"},
            {"grant", scope},
            {"decision", "allow"}};
  }
  static std::string parameter(const std::string& location, const std::string& name) {
    const std::size_t mark = location.find_first_of("#?");
    const auto form = parse_form(location.substr(mark + 1));
    return form_value(*form, name).value_or("");
  }

  TestServer server_;
  BrowserForTest browser_{server_};
};

TEST_F(Access, W1_webfinger_takes_the_resource_escaped_or_not) {
  for (const char* resource :
       {"acct:me@localhost:8181", "acct%3Ame%40localhost%3A8181", "acct:me@127.0.0.1:8181",
        "acct:me@localhost", "http://localhost:8181/", "http://localhost:8181"}) {
    const auto found =
        server_.ask("GET", std::string("/.well-known/webfinger?resource=") + resource);
    EXPECT_EQ(found.status, 200) << resource;
    EXPECT_EQ(found.header("Content-Type"), "application/jrd+json");
    EXPECT_TRUE(found.has("Access-Control-Allow-Origin"));
  }
  for (const char* resource :
       {"acct:you@localhost:8181", "acct:me@evil.example", "mailto:me@localhost", "x"}) {
    EXPECT_EQ(server_.ask("GET", std::string("/.well-known/webfinger?resource=") + resource).status,
              404)
        << resource;
  }
  EXPECT_EQ(server_.ask("GET", "/.well-known/webfinger").status, 400);
  EXPECT_EQ(server_.ask("GET", "/.well-known/webfinger?resource=%zz").status, 400);
}

TEST_F(Access, W2_W3_one_link_with_all_properties) {
  const std::string json =
      server_.ask("GET", "/.well-known/webfinger?resource=acct:me@localhost:8181").body;
  EXPECT_EQ(json.find("\"rel\""), json.rfind("\"rel\""));
  for (const char* part :
       {"\"rel\":\"http://tools.ietf.org/id/draft-dejong-remotestorage\"",
        "\"href\":\"http://localhost:8181/storage/me\"",
        "\"http://remotestorage.io/spec/version\":\"draft-dejong-remotestorage-26\"",
        "\"http://tools.ietf.org/html/rfc6749#section-4.2\":\"http://127.0.0.1:8181/oauth/me\"",
        "\"http://tools.ietf.org/html/rfc6749#section-3.1\":\"http://127.0.0.1:8181/oauth/me\"",
        "\"http://tools.ietf.org/html/rfc6749#section-3.2\":\"http://localhost:8181/oauth/me/"
        "token\"",
        "\"http://tools.ietf.org/html/rfc7636\":\"S256\"",
        "\"http://tools.ietf.org/html/rfc6750#section-2.3\":null",
        "\"http://tools.ietf.org/html/rfc7233\":\"GET\"",
        "\"http://remotestorage.io/spec/web-authoring\":null",
        "\"urn:meshstow:event-stream\":\"http://localhost:8181/events/me/\""}) {
    EXPECT_NE(json.find(part), std::string::npos) << part;
  }
}

TEST_F(Access, A1_one_click_grants_what_was_asked_and_the_state_comes_back) {
  const auto page = consent(dialog("notes:rw other:r", "&state=a%20b%26c"));
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("id=\"allow\""), std::string::npos);
  EXPECT_NE(page.body.find("https://app.example"), std::string::npos);
  Form form = granted("notes:rw");
  form[1].second = "notes:rw other:r";
  form.push_back({"grant", "other:r"});
  form.push_back({"state", "a b&c"});
  const auto answer = allow(form);
  EXPECT_EQ(answer.status, 200) << answer.body;
  const std::string location = location_of(answer);
  EXPECT_TRUE(location.starts_with("https://app.example/#access_token="));
  EXPECT_EQ(parameter(location, "token_type"), "bearer");
  EXPECT_EQ(parameter(location, "state"), "a b&c");
  const std::string token = parameter(location, "access_token");
  EXPECT_EQ(status("PUT", "/notes/x", token), 201);
  EXPECT_EQ(status("GET", "/other/", token), 200);
  EXPECT_EQ(status("PUT", "/other/x", token), 403);
}

TEST_F(Access, A1_refusal_goes_back_with_access_denied) {
  Form form = granted("notes:rw");
  form.back().second = "deny";
  form.push_back({"state", "s"});
  const std::string location = location_of(allow(form));
  EXPECT_EQ(location, "https://app.example/#error=access_denied&state=s");
}

TEST_F(Access, A2_client_id_is_ignored) {
  const auto page = consent(
      "/oauth/me?client_id=https%3A%2F%2Fliar.example&redirect_uri=https%3A%2F%2Fapp.example%2F"
      "&response_type=token&scope=notes:rw");
  EXPECT_EQ(page.body.find("liar"), std::string::npos);
}

TEST_F(Access, A3_scopes_without_a_level_are_rw_and_nonsense_is_explained) {
  EXPECT_NE(consent(dialog("notes")).body.find("notes:rw"), std::string::npos);
  for (const char* scope :
       {"", "notes:x", "a/b:rw", "public:rw", "notes:rwx", "storage:read:/private/"}) {
    const auto page = consent(dialog(scope));
    EXPECT_EQ(page.status, 400) << scope;
    EXPECT_FALSE(page.has("Location"));
  }
  for (const char* address : {"javascript:alert(1)", "/here", "data:text/html,x", "https://",
                              "https://a@b.example/", "https://a.example/#x", "ftp://a.example/"}) {
    const auto page = consent("/oauth/me?response_type=token&scope=notes:rw&redirect_uri=" +
                              codec::percent_encode(address));
    EXPECT_EQ(page.status, 400) << address;
  }
}

TEST_F(Access, A3_consent_says_that_shared_means_what_every_app_shares) {
  const auto page = consent(dialog("shared:rw"));
  EXPECT_NE(page.body.find("all documents that you share with others"), std::string::npos);
  EXPECT_EQ(page.body.find("/public/shared/"), std::string::npos);
}

TEST_F(Access, A2_the_consent_page_shows_the_whole_origin_that_the_token_goes_to) {
  const std::pair<const char*, const char*> origins[] = {
      {"http://127.0.0.1.evil.com/cb", "http://127.0.0.1.evil.com"},
      {"http://10.0.0.1-evil.com/x", "http://10.0.0.1-evil.com"},
      {"http://127.0.0.1:8080/x?y=1", "http://127.0.0.1:8080"},
      {"HTTPS://App.Example:0443/X", "https://app.example"},
      {"http://app.example:/", "http://app.example"},
      {"https://app_1.example.", "https://app_1.example."},
      {"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example"},
      {"http://[0:0:0:0:0:0:0:1]:3000/", "http://[::1]:3000"},
      {"http://[2001:DB8:0:0:1:0:0:0]/", "http://[2001:db8:0:0:1::]"},
      {"http://[::ffff:1.2.3.4]/", "http://[::ffff:102:304]"},
  };
  for (const auto& [address, origin] : origins) {
    const auto page = consent("/oauth/me?response_type=token&scope=notes:rw&redirect_uri=" +
                              codec::percent_encode(address));
    EXPECT_EQ(page.status, 200) << address;
    EXPECT_NE(page.body.find(">" + std::string(origin) + "<"), std::string::npos) << address;
    Form form = granted("notes:rw");
    form[0].second = address;
    const std::string location = location_of(allow(form));
    ASSERT_TRUE(location.starts_with(origin)) << location;
    EXPECT_NE(std::string("/?#").find(location[std::string(origin).size()]), std::string::npos)
        << location;
  }
}

TEST_F(Access, A2_hosts_that_a_browser_could_read_otherwise_are_refused) {
  for (const char* address : {"https://1.2.3.4%2eevil.com/",
                              "http://127.0.0.1:8080.evil.com/",
                              "http://[::1].evil.com/",
                              "http://127.1/",
                              "http://0x7f.0.0.1/",
                              "http://2130706433/",
                              "http://127.0.0.1./",
                              "http://127.0.0.01/",
                              "http://1.2.3.256/",
                              "https://a%62.example/",
                              "https://a!b.example/",
                              "https://b\xC3\xBC"
                              "cher.example/",
                              "https://a.example:65536/",
                              "https://a.example:8x/",
                              "https://a@b.example/",
                              "https://a:b@b.example/",
                              "http://[::1/",
                              "http://[fe80::1%25a]/",
                              "http://[v1.a]/",
                              "http:///a.example/",
                              "http:a.example/",
                              "http://.example/",
                              "http://a..example/",
                              "http://a.example\\@b.example/",
                              "http://:80/"}) {
    const auto page = consent("/oauth/me?response_type=token&scope=notes:rw&redirect_uri=" +
                              codec::percent_encode(address));
    EXPECT_EQ(page.status, 400) << address;
    EXPECT_FALSE(page.has("Location")) << address;
    Form form = granted("notes:rw");
    form[0].second = address;
    EXPECT_EQ(allow(form).status, 400) << address;
  }
}

TEST_F(Access, A4_the_user_can_narrow_and_time_limit_but_not_widen) {
  Form form = granted("notes:rw");
  form[3].second = "notes:r";
  form.push_back({"lifetime", "3600"});
  const std::string location = location_of(allow(form));
  EXPECT_EQ(parameter(location, "scope"), "notes:r");
  EXPECT_EQ(parameter(location, "expires_in"), "3600");
  const std::string token = parameter(location, "access_token");
  EXPECT_EQ(status("GET", "/notes/", token), 200);
  EXPECT_EQ(status("PUT", "/notes/x", token), 403);
  server_.pass(std::chrono::hours(2));
  EXPECT_EQ(status("GET", "/notes/", token), 401);
  for (const char* lifetime : {"-1", "0", "abc", "12 days", "99999999999999999999999"}) {
    form.back().second = lifetime;
    EXPECT_EQ(allow(form).status, 400) << lifetime;
  }
  form.back().second = "";
  form[3].second = "*:rw";
  EXPECT_EQ(allow(form).status, 400);
  form[3].second = "";
  EXPECT_NE(location_of(allow(form)).find("access_denied"), std::string::npos);
}

TEST_F(Access, A5_a_code_is_good_once_for_the_holder_of_the_verifier) {
  const std::string verifier(64, 'v');
  const std::string challenge =
      codec::to_base64url(crypto::sha256(base::as_bytes(verifier)).view());
  const auto new_code = [&] {
    Form form = granted("notes:rw");
    form[2].second = "code";
    form.push_back({"code_challenge", challenge});
    form.push_back({"code_challenge_method", "S256"});
    const std::string location = location_of(allow(form));
    EXPECT_TRUE(location.starts_with("https://app.example/?code=")) << location;
    return parameter(location, "code");
  };
  const auto exchange = [&](const std::string& code, const std::string& v,
                            const std::string& origin = "https://app.example") {
    return server_.ask("POST", "/oauth/me/token", {{"Origin", origin}},
                       encode_form({{"grant_type", "authorization_code"},
                                    {"code", code},
                                    {"code_verifier", v},
                                    {"redirect_uri", "https://app.example/"}}));
  };
  EXPECT_EQ(exchange(new_code(), std::string(64, 'w')).status, 400);
  EXPECT_EQ(exchange(new_code(), verifier, "https://evil.example").status, 400);
  EXPECT_EQ(exchange("guess", verifier).status, 400);
  // What any page can do from here: guess until the address is over its limit.
  for (std::uint32_t i = 0; i < 2 * limits::kFailureBurst; ++i) {
    static_cast<void>(status("GET", "/notes/", "wrong" + std::to_string(i)));
  }
  EXPECT_EQ(exchange("guess", verifier).status, 429);
  const std::string code = new_code();
  const auto given = exchange(code, verifier);
  EXPECT_EQ(given.status, 200);
  EXPECT_EQ(given.header("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(given.header("Cache-Control"), "no-store");
  const std::size_t start = given.body.find("\"access_token\":\"") + 16;
  const std::string token = given.body.substr(start, given.body.find('"', start) - start);
  EXPECT_EQ(status("GET", "/notes/", token), 200);
  EXPECT_EQ(exchange(code, verifier).status, 400);
  EXPECT_EQ(status("GET", "/notes/", token), 401) << "shown twice: somebody else has the code";
  const std::string late = new_code();
  server_.pass(std::chrono::minutes(2));
  EXPECT_EQ(exchange(late, verifier).status, 400);
  EXPECT_EQ(consent(dialog("notes:rw", "&response_type=code")).status, 200)
      << "the first response_type counts";
}

TEST_F(Access, A8_consent_needs_the_proof_of_the_session_and_the_page_of_its_own) {
  const auto page = consent(dialog("notes:rw"));
  EXPECT_EQ(page.status, 200);
  browser_.sign_in();
  EXPECT_EQ(consent(dialog("notes:rw")).body, page.body) << "the same for everybody";
  const std::string body = encode_form(granted("notes:rw"));
  const std::string proof = browser_.prove("POST", "/oauth/me", body);
  for (const Headers& headers :
       {Headers{},
        {{"Origin", "http://127.0.0.1:8181"}},
        {{"Cookie", "meshstow_8181=x"}, {"Origin", "http://127.0.0.1:8181"}},
        {{"Authorization", "Bearer " + server_.token("*:rw")}},
        {{"Meshstow-Proof", proof}, {"Origin", "https://evil.example"}},
        {{"Meshstow-Proof", proof}, {"Origin", "null"}},
        {{"Meshstow-Proof", proof}, {"Origin", "http://localhost:3000"}},
        {{"Meshstow-Proof", proof}, {"Origin", "http://localhost:8181"}},
        {{"Meshstow-Proof", proof}, {"Sec-Fetch-Site", "cross-site"}},
        {{"Meshstow-Proof", browser_.prove("GET", "/oauth/me", body)}},
        {{"Meshstow-Proof", browser_.prove("POST", "/oauth/me", encode_form(granted("*:rw")))}}}) {
    EXPECT_EQ(browser_.ask("POST", "/oauth/me", headers, body).status, 403);
  }
  EXPECT_EQ(browser_.ask("POST", "/oauth/me", {{"Meshstow-Proof", proof}}, body).status, 200);
  EXPECT_EQ(browser_.ask("POST", "/oauth/me", {{"Meshstow-Proof", proof}}, body).status, 403)
      << "replayed";
  EXPECT_NE(page.header("Content-Security-Policy").find("frame-ancestors 'none'"),
            std::string::npos);
  EXPECT_EQ(page.header("X-Frame-Options"), "DENY");
}

TEST_F(Access, A8_no_app_is_sent_to_an_origin_of_ours_but_its_own) {
  server_.service().set_app(
      AppManifest{.name = "notes", .title = "Notes", .added = {}, .generation = {}, .files = {}});
  for (const char* address :
       {"http://localhost:8181/apps/evil/", "http://127.0.0.1:8181/", "http://[::1]:8181/x",
        "http://[0:0::1]:8181/x", "https://localhost:8181/", "http://LOCALHOST:8181/",
        "http://localhost.:8181/", "http://store.localhost:8181/", "http://evil.localhost:8181/"}) {
    const auto page = consent("/oauth/me?response_type=token&scope=notes:rw&redirect_uri=" +
                              codec::percent_encode(address));
    EXPECT_EQ(page.status, 400) << address;
    Form form = granted("notes:rw");
    form[0].second = address;
    const auto answer = allow(form);
    EXPECT_EQ(answer.status, 400) << address;
    form.back().second = "deny";
    EXPECT_EQ(allow(form).status, 400) << address;
  }
  for (const char* address : {"http://notes.localhost:8181/", "http://localhost:3000/",
                              "http://localhost/", "http://a.b.localhost:8181/"}) {
    Form form = granted("notes:rw");
    form[0].second = address;
    EXPECT_TRUE(location_of(allow(form)).starts_with(address)) << address;
  }
}

TEST_F(Access, R1_R2_module_scopes_cover_private_and_public_of_the_module_only) {
  const std::string rw = server_.token("notes:rw");
  const std::string r = server_.token("notes:r");
  const std::string all = server_.token("*:r");
  for (const char* path : {"/notes/x", "/public/notes/x"}) {
    EXPECT_EQ(status("PUT", path, rw), 201) << path;
    EXPECT_EQ(status("PUT", path, r), 403);
    EXPECT_EQ(status("GET", path, r), 200);
    EXPECT_EQ(status("DELETE", path, r), 403);
  }
  for (const char* path : {"/notes/", "/public/notes/"}) EXPECT_EQ(status("GET", path, r), 200);
  for (const char* path : {"/", "/public/", "/notes-x/", "/notes-x/y", "/shared/notes/"}) {
    EXPECT_EQ(status("GET", path, rw), 403) << path;
    EXPECT_NE(status("GET", path, all), 403) << path;
  }
  EXPECT_EQ(status("PUT", "/notes", rw), 403);
  EXPECT_EQ(status("PUT", "/any", all), 403);
}

TEST_F(Access, R3_public_documents_need_no_token_and_folders_tell_nothing) {
  const std::string rw = server_.token("notes:rw");
  ASSERT_EQ(status("PUT", "/public/notes/x", rw), 201);
  for (const char* method : {"GET", "HEAD"}) {
    EXPECT_EQ(status(method, "/public/notes/x", ""), 200);
    EXPECT_EQ(status(method, "/public/notes/x", "nonsense"), 200);
    EXPECT_EQ(status(method, "/public/notes/missing", ""), 404);
  }
  const auto full = server_.ask("GET", "/storage/me/public/notes/");
  const auto empty = server_.ask("GET", "/storage/me/public/empty/");
  EXPECT_EQ(full.status, 401);
  EXPECT_EQ(full.headers.text(), empty.headers.text());
  EXPECT_EQ(full.body, empty.body);
  EXPECT_EQ(status("PUT", "/public/notes/x", ""), 401);
}

TEST_F(Access, R4_options_needs_no_token) {
  for (const char* path : {"/storage/me/notes/x", "/storage/me/", "/storage/other/x",
                           "/.well-known/webfinger", "/oauth/me/token", "/events/me/"}) {
    EXPECT_EQ(server_.ask("OPTIONS", path).status, 204) << path;
  }
}

TEST_F(Access, R5_R6_without_a_valid_token_401_and_too_narrow_403_with_a_challenge) {
  const auto none = server_.ask("GET", "/storage/me/notes/x");
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.header("WWW-Authenticate"), "Bearer realm=\"meshstow\"");
  const auto wrong = server_.ask("GET", "/storage/me/notes/x", with("wrong"));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_NE(wrong.header("WWW-Authenticate").find("invalid_token"), std::string::npos);
  const auto narrow = server_.ask("GET", "/storage/me/notes/x", with(server_.token("other:rw")));
  EXPECT_EQ(narrow.status, 403);
  EXPECT_NE(narrow.header("WWW-Authenticate").find("insufficient_scope"), std::string::npos);
  EXPECT_EQ(server_.ask("GET", "/storage/me/notes/x?access_token=" + server_.token("*:rw")).status,
            401);
  EXPECT_EQ(server_.ask("GET", "/storage/other/notes/x", with(server_.token("*:rw"))).status, 401);
  EXPECT_EQ(server_
                .ask("GET", "/storage/me/notes/x",
                     {{"Authorization", "bearer   " + server_.token("*:rw")}})
                .status,
            404);
}

TEST_F(Access, both_spellings_of_a_scope_make_tokens) {
  const std::string path = server_.token("storage:write:/private/notes/");
  EXPECT_EQ(status("PUT", "/notes/x", path), 201);
  EXPECT_EQ(status("PUT", "/public/notes/x", path), 403);
  const std::string one = server_.token("storage:read:/private/notes/x");
  EXPECT_EQ(status("GET", "/notes/x", one), 200);
  EXPECT_EQ(status("GET", "/notes/", one), 403);
}

TEST_F(Access, revocation_takes_effect_at_once_also_on_open_transfers) {
  const std::string rw = server_.token("notes:rw");
  const access::TokenId id = server_.last_token();
  ASSERT_EQ(
      server_.ask("PUT", "/storage/me/notes/big", with(rw), std::string(2'000'000, 'x')).status,
      201);
  TestServer::RunningExchange download(server_,
                                       {.target = "/storage/me/notes/big", .headers = with(rw)});
  download.drain();
  TestServer::RunningExchange upload(server_, {.method = "PUT",
                                               .target = "/storage/me/notes/up",
                                               .headers = with(rw),
                                               .body = std::string(1'000'000, 'y')});
  upload.drain();
  upload.feed(300'000);
  upload.drain();
  TestServer::RunningExchange stream(server_, {.target = "/events/me/notes/", .headers = with(rw)});
  stream.drain();
  server_.revoke(id);
  EXPECT_EQ(status("GET", "/notes/big", rw), 401);
  download.run();
  EXPECT_TRUE(download.response.broken);
  upload.run();
  EXPECT_EQ(upload.response.status, 401);
  server_.service().handle_deadline(server_.now());
  stream.drain();
  EXPECT_TRUE(stream.exchange->finished());
  EXPECT_EQ(status("GET", "/notes/up", server_.token("*:r")), 404);
}

TEST_F(Access, wrong_tokens_get_401_then_429_while_valid_ones_work) {
  const std::string good = server_.token("notes:rw");
  int refused = 0;
  for (std::uint32_t i = 0; i < limits::kFailureBurst; ++i)
    EXPECT_EQ(status("GET", "/notes/", "wrong" + std::to_string(i)), 401);
  const auto limited = server_.ask("GET", "/storage/me/notes/", with("wrong"));
  EXPECT_EQ(limited.status, 429);
  EXPECT_GT(std::stoi(limited.header("Retry-After")), 0);
  EXPECT_TRUE(limited.has("Access-Control-Allow-Origin"));
  EXPECT_EQ(status("GET", "/notes/", good), 200);
  TestRequest elsewhere{.target = "/storage/me/notes/", .headers = with("wrong"), .peer = "\x01"};
  EXPECT_EQ(server_.ask(elsewhere).status, 401);
  server_.pass(limits::kFailureEvery);
  EXPECT_EQ(status("GET", "/notes/", "wrong"), 401);
  EXPECT_EQ(status("GET", "/notes/", "wrong"), 429);
  refused = status("GET", "/notes/", "");
  EXPECT_EQ(refused, 401) << "no token is no guess";
}

TEST_F(Access, a_revoked_token_is_no_guess) {
  const std::string once = server_.token("notes:rw");
  server_.revoke(server_.last_token());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(status("GET", "/notes/", once), 401);
}

TEST_F(Access, a_code_shown_twice_says_so_when_its_token_cannot_be_revoked) {
  const std::string verifier(64, 'v');
  Form form = granted("notes:rw");
  form[2].second = "code";
  form.push_back(
      {"code_challenge", codec::to_base64url(crypto::sha256(base::as_bytes(verifier)).view())});
  form.push_back({"code_challenge_method", "S256"});
  const std::string code = parameter(location_of(allow(form)), "code");
  const auto exchange = [&] {
    return server_.ask("POST", "/oauth/me/token", {},
                       encode_form({{"grant_type", "authorization_code"},
                                    {"code", code},
                                    {"code_verifier", verifier},
                                    {"redirect_uri", "https://app.example/"}}));
  };
  EXPECT_EQ(exchange().status, 200);
  server_.fail_writes_with = storage::Refusal::unavailable;
  EXPECT_EQ(exchange().status, 503);
  server_.fail_writes_with.reset();
  EXPECT_FALSE(server_.tokens().list().back().revoked);
  EXPECT_EQ(exchange().status, 400);
  EXPECT_TRUE(server_.tokens().list().back().revoked);
}

TEST_F(Access, X1_every_answer_to_apps_carries_cors) {
  const Headers origin{{"Origin", "https://app.example"}};
  for (const auto& [method, target] :
       std::initializer_list<std::pair<const char*, const char*>>{{"GET", "/storage/me/notes/x"},
                                                                  {"POST", "/storage/me/notes/x"},
                                                                  {"GET", "/storage/me/a//b"},
                                                                  {"GET", "/.well-known/webfinger"},
                                                                  {"GET", "/.well-known/none"},
                                                                  {"POST", "/oauth/me/token"},
                                                                  {"GET", "/nothing"},
                                                                  {"GET", "/events/me/x/"},
                                                                  {"GET", "/quota/me"},
                                                                  {"OPTIONS", "/storage/me/x"}}) {
    const auto answer = server_.ask(method, target, origin);
    EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "https://app.example")
        << method << " " << target;
    EXPECT_EQ(answer.header("Vary"), "Origin");
    EXPECT_FALSE(answer.has("Access-Control-Allow-Credentials"));
  }
  EXPECT_EQ(server_.ask("GET", "/storage/me/x").header("Access-Control-Allow-Origin"), "*");
  EXPECT_TRUE(Service::refusal(400, "x").head.headers.find("Access-Control-Allow-Origin"));
  for (const char* target : {"/dashboard/", "/api/state", "/signin", "/oauth/me"}) {
    EXPECT_FALSE(server_.ask("GET", target, origin).has("Access-Control-Allow-Origin")) << target;
  }
}

TEST_F(Access, X2_X3_X4_preflights) {
  const auto answer = server_.ask("OPTIONS", "/storage/me/notes/x",
                                  {{"Origin", "https://app.example"},
                                   {"Access-Control-Request-Method", "PUT"},
                                   {"Access-Control-Request-Private-Network", "true"}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE"}) {
    EXPECT_NE(answer.header("Access-Control-Allow-Methods").find(method), std::string::npos);
  }
  for (const char* name : {"Authorization", "Content-Type", "Content-Length", "Origin", "If-Match",
                           "If-None-Match", "X-Requested-With", "Range"}) {
    EXPECT_NE(answer.header("Access-Control-Allow-Headers").find(name), std::string::npos) << name;
  }
  EXPECT_NE(answer.header("Access-Control-Expose-Headers").find("ETag"), std::string::npos);
  EXPECT_EQ(answer.header("Access-Control-Allow-Private-Network"), "true");
  EXPECT_EQ(server_
                .ask("OPTIONS", "/.well-known/webfinger",
                     {{"Access-Control-Request-Private-Network", "true"}})
                .header("Access-Control-Allow-Private-Network"),
            "true");
  EXPECT_FALSE(server_.ask("OPTIONS", "/storage/me/x").has("Access-Control-Allow-Private-Network"));
}

TEST_F(Access, foreign_hosts_are_refused_everywhere) {
  for (const char* host :
       {"evil.example", "evil.example:8181", "localhost", "localhost:80", "127.0.0.2:8181",
        "localhost:8181.evil.example", "", "localhost:8181x", "a.b.localhost:8181"}) {
    for (const char* target :
         {"/", "/dashboard/", "/oauth/me", "/signin", "/api/state", "/storage/me/x"}) {
      EXPECT_EQ(server_.ask("GET", target, {{"Host", host}}).status, 421) << host << target;
    }
  }
  for (const char* host : {"localhost:8181", "LOCALHOST:8181", "127.0.0.1:8181", "[::1]:8181"}) {
    EXPECT_NE(server_.ask("GET", "/signin", {{"Host", host}}).status, 421) << host;
  }
}

TEST_F(Access, live_changes_tell_each_stream_what_it_may_know) {
  const std::string all = server_.token("*:rw");
  TestServer::RunningExchange notes(
      server_, {.target = "/events/me/notes/", .headers = with(server_.token("notes:r"))});
  TestServer::RunningExchange root(
      server_, {.target = "/events/me/", .headers = with(server_.token("other:r"))});
  notes.run();
  root.run();
  ASSERT_EQ(status("PUT", "/notes/one", all), 201);
  ASSERT_EQ(status("PUT", "/other/two", all), 201);
  ASSERT_EQ(status("DELETE", "/notes/one", all), 200);
  notes.run();
  root.run();
  EXPECT_EQ(notes.response.header("Content-Type"), "text/event-stream");
  EXPECT_NE(notes.response.body.find("event: change\ndata: {\"path\":\"/notes/one\",\"etag\":\""),
            std::string::npos);
  EXPECT_NE(notes.response.body.find("\"deleted\":true"), std::string::npos);
  EXPECT_EQ(notes.response.body.find("two"), std::string::npos);
  EXPECT_EQ(root.response.body.find("one"), std::string::npos);
  EXPECT_NE(root.response.body.find("/other/two"), std::string::npos);
  EXPECT_EQ(server_.ask("GET", "/events/me/other/", with(server_.token("notes:r"))).status, 403);
  EXPECT_EQ(server_.ask("GET", "/events/me/").status, 401);
  // One that comes back hears what it missed.
  const std::size_t id = notes.response.body.rfind("id: ") + 4;
  const std::string last = notes.response.body.substr(id, notes.response.body.find('\n', id) - id);
  ASSERT_EQ(status("PUT", "/notes/three", all), 201);
  TestServer::RunningExchange again(
      server_, {.target = "/events/me/notes/",
                .headers = with(server_.token("notes:r"), {{"Last-Event-ID", last}})});
  again.run();
  EXPECT_NE(again.response.body.find("/notes/three"), std::string::npos);
  EXPECT_EQ(again.response.body.find("/notes/one"), std::string::npos);
  TestServer::RunningExchange stranger(
      server_, {.target = "/events/me/notes/",
                .headers = with(server_.token("notes:r"), {{"Last-Event-ID", "else-9"}})});
  stranger.run();
  EXPECT_NE(stranger.response.body.find("event: reset"), std::string::npos);
}

}  // namespace
}  // namespace meshstow::http
