// Installed apps as browsers and programs ask for them.
#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "http/app_title.hpp"
#include "http/server_for_test.hpp"

namespace meshstow::http {
namespace {

const Headers kNavigation{{"Sec-Fetch-Mode", "navigate"}, {"Accept", "text/html,*/*;q=0.8"}};

class InstalledApp : public ::testing::Test {
 protected:
  void install(std::vector<std::pair<std::string, std::string>> files) {
    std::vector<AppSourceFile> sources;
    for (auto& [path, text] : files) {
      sources.push_back({path, base::to_bytes(base::as_bytes(text))});
    }
    auto bundle = bundle_app("notes", std::move(sources), server_.now(), server_.rng().bytes<8>());
    ASSERT_TRUE(bundle) << bundle.error().detail;
    title_ = bundle->manifest.title;
    for (auto& record : bundle->records) {
      ASSERT_TRUE(server_.execute({1, storage::PutRecord{record.key, record.value}}).outcome);
    }
    const auto& manifest = bundle->records.back();
    server_.service().load_record(server_.now(), manifest.key, manifest.value);
  }
  TestResponse ask(const std::string& target, Headers headers = {}, const char* method = "GET") {
    headers.emplace_back("Host", "notes.localhost:8181");
    return server_.ask(method, target, std::move(headers));
  }

  TestServer server_;
  std::string title_;
};

TEST_F(InstalledApp, shows_its_page_for_navigations_to_its_own_routes_only) {
  install({{"index.html", "<p>app"}, {"js/main.js", "run()"}, {"docs/index.html", "<p>docs"}});
  for (const char* route : {"/note/7", "/settings", "/note/", "/a.b/c.png"}) {
    const auto page = ask(route, kNavigation);
    EXPECT_EQ(page.status, 200) << route;
    EXPECT_EQ(page.body, "<p>app") << route;
    EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(ask(route, {{"Accept", "text/html"}}).body, "<p>app")
        << "a browser without fetch modes";
    EXPECT_EQ(ask(route, {{"Sec-Fetch-Mode", "no-cors"}, {"Accept", "text/html"}}).status, 404);
    EXPECT_EQ(ask(route, {{"Accept", "*/*"}}).status, 404) << route;
    EXPECT_EQ(ask(route).status, 404) << route;
  }
  EXPECT_EQ(ask("/js/main.js", kNavigation).body, "run()");
  EXPECT_EQ(ask("/docs/", kNavigation).body, "<p>docs");
  EXPECT_EQ(ask("/%2e%2e/x", kNavigation).body, "<p>app") << "no way out of the app";
}

TEST_F(InstalledApp, sends_whoever_asks_for_a_folder_without_its_slash_there) {
  install({{"index.html", "<p>"},
           {"docs/index.html", "<p>docs"},
           {"docs/a b/index.html", "x"},
           {"js/main.js", "run()"}});
  const auto sent = ask("/docs?q=1&r", kNavigation);
  EXPECT_EQ(sent.status, 302);
  EXPECT_EQ(sent.header("Location"), "/docs/?q=1&r");
  EXPECT_EQ(ask("/docs/a%20b").header("Location"), "/docs/a%20b/");
  EXPECT_EQ(ask("/js").status, 404) << "nothing to show there";
  const auto program = server_.ask("GET", "/apps/notes/docs");
  EXPECT_EQ(program.status, 302);
  EXPECT_EQ(program.header("Location"), "/apps/notes/docs/");
  for (const char* elsewhere : {"//docs", "/%2fdocs", "//example.org/docs"}) {
    EXPECT_EQ(ask(elsewhere).status / 100, 4) << elsewhere;
  }
}

TEST_F(InstalledApp, gives_ranges_of_its_files) {
  std::string large(3 * limits::kAppPiece + 100, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i * 7 % 26);
  install({{"index.html", "0123456789"}, {"film.mp4", large}, {"empty", ""}});
  const auto part = ask("/index.html", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.content_length, 3U);
  EXPECT_EQ(part.header("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(ask("/", {{"Range", "bytes=-3"}}).body, "789");
  EXPECT_EQ(ask("/index.html").header("Accept-Ranges"), "bytes");
  const std::size_t piece = limits::kAppPiece;
  for (const auto& [first, last] :
       std::vector<std::pair<std::size_t, std::size_t>>{{0, 0},
                                                        {piece - 1, piece},
                                                        {piece, 2 * piece - 1},
                                                        {piece + 5, 3 * piece + 50},
                                                        {large.size() - 1, large.size() - 1},
                                                        {5, large.size() - 1}}) {
    const auto got = ask(
        "/film.mp4", {{"Range", "bytes=" + std::to_string(first) + "-" + std::to_string(last)}});
    EXPECT_EQ(got.status, 206);
    EXPECT_TRUE(got.body == large.substr(first, last - first + 1)) << first << "-" << last;
  }
  const auto behind = ask("/index.html", {{"Range", "bytes=10-"}});
  EXPECT_EQ(behind.status, 416);
  EXPECT_EQ(behind.header("Content-Range"), "bytes */10");
  EXPECT_EQ(ask("/empty", {{"Range", "bytes=0-"}}).status, 416);
  const std::string tag = ask("/index.html").etag();
  EXPECT_EQ(ask("/index.html", {{"Range", "bytes=2-4"}, {"If-Range", tag}}).status, 206);
  EXPECT_EQ(ask("/index.html", {{"Range", "bytes=2-4"}, {"If-Range", "\"old\""}}).body,
            "0123456789");
  EXPECT_EQ(ask("/index.html", {{"Range", "bytes=2-4"}}, "HEAD").content_length, 10U);
  EXPECT_EQ(ask("/index.html", {{"If-None-Match", "\"a\", W/" + tag}}).status, 304);
}

TEST_F(InstalledApp, made_on_systems_that_write_capitals_works) {
  install({{"INDEX.HTM", "<TITLE>Loud</TITLE>"}, {"IMG/LOGO.PNG", "p"}, {"MAIN.JS", "run()"}});
  EXPECT_EQ(title_, "Loud");
  EXPECT_EQ(ask("/").header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(ask("/IMG/LOGO.PNG").header("Content-Type"), "image/png");
  EXPECT_EQ(ask("/MAIN.JS").header("Content-Type"), "text/javascript; charset=utf-8");
}

TEST(AppTitle, is_the_text_that_a_browser_shows) {
  for (const auto& [html, title] : std::vector<std::pair<std::string, std::string>>{
           {"<title>Tom &amp; Jerry</title>", "Tom & Jerry"},
           {"<title>&lt;b&gt; &quot;x&quot; &#39;y&#39; &#x2014; &#8212;</title>",
            "<b> \"x\" 'y' \u2014 \u2014"},
           {"<title>Caf&eacute; &Uuml;ber&nbsp;&euro;</title>", "Caf\u00e9 \u00dcber\u00a0\u20ac"},
           {"<TITLE lang=en>\n  My\n\tnotes </TITLE>", "My notes"},
           {"<titles>no</titles><title>yes</title>", "yes"},
           {"<title>a < b & c &unheard; &#; &</title>", "a < b & c &unheard; &#; &"},
           {"<title>&amp;lt;</title>", "&lt;"},
           {"<title>&#0;&#xd800;&#x110000;&#9999999;</title>", "\ufffd\ufffd\ufffd"},
           {"<title>bad \xff</title>", "bad \ufffd"},
           {"<title>open", ""},
           {"<title", ""},
           {"<p>none", ""}}) {
    EXPECT_EQ(title_of_page(html), title) << html;
  }
}

}  // namespace
}  // namespace meshstow::http
