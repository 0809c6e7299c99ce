#include "http/content_type.hpp"

#include "http/server_for_test.hpp"

namespace meshstow::http {
namespace {

TEST(ContentType, takes_types_with_parameters_as_the_standard_spells_them) {
  for (const char* type :
       {"text/html", "TEXT/HTML", "text/html; charset=utf-8", "text/html;charset=\"utf-8\"",
        "text/plain ; format=flowed;\tdelsp=yes", "application/vnd.api+json", "text/html;",
        "text/html; ; a=b", "x/y;q=\"a, b; c=\\\"d\\\"\"", "application/pdf", "multipart/mixed"}) {
    EXPECT_TRUE(is_safe_content_type(type)) << type;
    EXPECT_EQ(sent_content_type(type), type);
  }
}

TEST(ContentType, sends_what_a_browser_could_read_otherwise_as_bytes) {
  for (const char* type : {"",
                           "text",
                           "text/",
                           "/html",
                           "application/pdf;, text/html",
                           "application/pdf, text/html",
                           "application/pdf text/html",
                           "text/html;charset",
                           "text/html;charset=",
                           "text /html",
                           "text/ html",
                           " text/html",
                           "text/html; a=\"b",
                           "text/html; a=b c",
                           "text/html; =b",
                           "text/html; a=\"b\"c",
                           "text/html; a=\"\x01\"",
                           "text/html\x7f",
                           "t\xc3\xa9xt/html",
                           "text/html/x",
                           "*",
                           "text/html; a=b,c=d",
                           "multipart/x-mixed-replace; boundary=a",
                           "Multipart/X-Mixed-Replace"}) {
    EXPECT_FALSE(is_safe_content_type(type)) << type;
    EXPECT_EQ(sent_content_type(type), "application/octet-stream");
  }
}

TEST(ContentType, leaves_only_the_whole_type_of_pdf_without_a_sandbox) {
  EXPECT_FALSE(needs_sandbox("application/pdf"));
  EXPECT_FALSE(needs_sandbox("Application/PDF"));
  for (const char* type : {"application/pdf;", "application/pdf; a=b", "application/pdf ",
                           "application/pdf;, text/html", "application/pdfx", "text/html", ""}) {
    EXPECT_TRUE(needs_sandbox(type)) << type;
  }
}

TEST(ContentType, of_a_document_is_one_thing_for_get_head_and_ranges_and_is_listed_as_given) {
  TestServer server;
  const Headers bearer{{"Authorization", "Bearer " + server.token("*:rw")}};
  const std::string odd = "application/pdf;, text/html";
  Headers put = bearer;
  put.push_back({"Content-Type", odd});
  ASSERT_EQ(server.ask("PUT", "/storage/me/public/evil/x", put, "<script>").status, 201);
  for (const auto& [method, range] :
       std::vector<std::pair<std::string, bool>>{{"GET", false}, {"HEAD", false}, {"GET", true}}) {
    const auto answer = server.ask(method, "/storage/me/public/evil/x",
                                   range ? Headers{{"Range", "bytes=0-2"}} : Headers{});
    EXPECT_EQ(answer.status, range ? 206 : 200);
    EXPECT_EQ(answer.header("Content-Type"), "application/octet-stream") << method << range;
    EXPECT_EQ(answer.header("Content-Security-Policy"), "sandbox") << method << range;
    EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  }
  const auto listing = server.ask("GET", "/storage/me/public/evil/", bearer);
  EXPECT_NE(listing.body.find(odd), std::string::npos) << listing.body;
}

TEST(ContentType, is_stored_whatever_it_means_if_it_is_text) {
  TestServer server;
  const Headers bearer{{"Authorization", "Bearer " + server.token("*:rw")}};
  const auto put = [&](const std::string& type) {
    Headers headers = bearer;
    headers.push_back({"Content-Type", type});
    return server.ask("PUT", "/storage/me/x/y", headers, "x").status;
  };
  const auto listed = [&] { return server.ask("GET", "/storage/me/x/", bearer).body; };
  EXPECT_EQ(put(""), 201);
  EXPECT_NE(listed().find("\"application/octet-stream\""), std::string::npos) << listed();
  for (const std::string& odd : {"application/pdf\u00a0", "\u202etext/html", "no type"}) {
    EXPECT_EQ(put(odd), 200) << odd;
    EXPECT_NE(listed().find('"' + odd + '"'), std::string::npos) << listed();
    EXPECT_EQ(server.ask("GET", "/storage/me/x/y", bearer).header("Content-Type"),
              "application/octet-stream");
  }
  for (const char* none : {"t\xe9/html", "application/pdf\xa0", "text\x0b/html"}) {
    EXPECT_EQ(put(none), 400) << none;
  }
}

TEST(ContentType, every_answer_of_the_storage_is_sandboxed) {
  TestServer server;
  const Headers bearer{{"Authorization", "Bearer " + server.token("*:rw")}};
  ASSERT_EQ(server.ask("PUT", "/storage/me/public/x/y", bearer, "x").status, 201);
  Headers pdf = bearer;
  pdf.push_back({"Content-Type", "application/pdf"});
  ASSERT_EQ(server.ask("PUT", "/storage/me/public/x/paper", pdf, "%PDF-").status, 201);
  for (const char* target :
       {"/storage/me/public/x/y", "/storage/me/public/x/", "/storage/me/public/x/none",
        "/storage/me/a//b", "/storage/you/x", "/quota/me", "/nothing",
        "/.well-known/webfinger?resource=acct:me@localhost:8181",
        "/.well-known/webfinger?resource=acct:you@localhost:8181"}) {
    EXPECT_EQ(server.ask("GET", target, bearer).header("Content-Security-Policy"), "sandbox")
        << target;
  }
  EXPECT_FALSE(server.ask("GET", "/storage/me/public/x/paper").has("Content-Security-Policy"));
}

}  // namespace
}  // namespace meshstow::http
