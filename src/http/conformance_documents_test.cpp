// The checklist of the draft (facts file, 1.3 to 1.9) item by item: names, documents, folders,
// conditions.
#include "base/limits.hpp"
#include "http/server_for_test.hpp"

namespace meshstow::http {
namespace {

class Documents : public ::testing::Test {
 protected:
  Headers bearer(Headers more = {}) const {
    more.insert(more.begin(), {"Authorization", "Bearer " + all_});
    return more;
  }
  TestResponse put(const std::string& path, const std::string& body = "x", Headers more = {}) {
    if (more.empty() || more[0].first != "Content-Type")
      more.insert(more.begin(), {"Content-Type", "text/plain"});
    return server_.ask("PUT", "/storage/me" + path, bearer(std::move(more)), body);
  }
  TestResponse get(const std::string& path, Headers more = {}) {
    return server_.ask("GET", "/storage/me" + path, bearer(std::move(more)));
  }
  TestResponse head(const std::string& path, Headers more = {}) {
    return server_.ask("HEAD", "/storage/me" + path, bearer(std::move(more)));
  }
  TestResponse remove(const std::string& path, Headers more = {}) {
    return server_.ask("DELETE", "/storage/me" + path, bearer(std::move(more)));
  }

  TestServer server_;
  std::string all_ = server_.token("*:rw");
};

TEST_F(Documents, N1_every_name_that_the_draft_allows_is_stored_and_listed_decoded) {
  const std::pair<const char*, const char*> names[] = {{"with%20space", "with space"},
                                                       {"%22quotes%22", R"(\"quotes\")"},
                                                       {"back%5Cslash", R"(back\\slash)"},
                                                       {"...", "..."},
                                                       {".hidden", ".hidden"},
                                                       {"__proto__", "__proto__"},
                                                       {"%252F", "%2F"},
                                                       {"%01", "\\u0001"},
                                                       {"%F0%9F%98%80", "\xF0\x9F\x98\x80"}};
  for (const auto& [url, listed] : names) {
    EXPECT_EQ(put(std::string("/notes/n1/") + url, url).status, 201) << url;
    EXPECT_EQ(get(std::string("/notes/n1/") + url).body, url);
    EXPECT_NE(get("/notes/n1/").body.find("\"" + std::string(listed) + "\":{"), std::string::npos)
        << listed << " in " << get("/notes/n1/").body;
  }
}

TEST_F(Documents, N2_raw_and_escaped_spellings_are_one_item) {
  ASSERT_EQ(put("/notes/it%27s%20%28a%29!%2B%41", "x").status, 201);
  EXPECT_EQ(get("/notes/it's%20(a)%21+A").status, 200);
  EXPECT_EQ(put("/notes/it's%20(a)!+A", "y").status, 200);
}

TEST_F(Documents, N3_listings_hold_decoded_names) {
  for (const char* name :
       {"a%26b", "a%2Bb", "a%3Bb", "a%3Ab", "a%40b", "a%3Fb", "a%23b", "a%2Cb", "a%24b", "a%3Db"}) {
    ASSERT_EQ(put(std::string("/notes/n3/") + name + "/doc").status, 201);
  }
  const std::string json = get("/notes/n3/").body;
  for (const char* name :
       {"a&b/", "a+b/", "a;b/", "a:b/", "a@b/", "a?b/", "a#b/", "a,b/", "a$b/", "a=b/"}) {
    EXPECT_NE(json.find("\"" + std::string(name) + "\":"), std::string::npos) << name;
  }
}

TEST_F(Documents, N4_case_and_unicode_form_are_kept_apart) {
  ASSERT_EQ(put("/notes/gr%C3%BC%C3%9Fe", "nfc").status, 201);
  EXPECT_EQ(put("/notes/gru%CC%88%C3%9Fe", "nfd").status, 201);
  ASSERT_EQ(put("/notes/Case", "upper").status, 201);
  EXPECT_EQ(put("/notes/case", "lower").status, 201);
  EXPECT_EQ(get("/notes/gr%C3%BC%C3%9Fe").body, "nfc");
  EXPECT_EQ(get("/notes/Case").body, "upper");
}

TEST_F(Documents, N5_malformed_paths_are_400_and_long_ones_414) {
  for (const char* path : {"/a//b", "/a/./b", "/a/../b", "/a/%2E%2e/b", "/a/%2e", "/a%00b",
                           "/a%2Fb", "/a%2", "/a%zz", "/a%C3", "/a%FF", "//a", "/a#b"}) {
    EXPECT_EQ(get(path).status, 400) << path;
    EXPECT_EQ(put(path).status, 400) << path;
  }
  EXPECT_EQ(get("/notes/" + std::string(200'000, 'a')).status, 414);
  EXPECT_EQ(get("/notes/" + std::string(5000, 'a')).status, 414);
}

TEST_F(Documents, N5_long_names_and_deep_paths_within_the_limits_work) {
  const std::string name(600, 'n');
  EXPECT_EQ(put("/notes/" + name).status, 201);
  EXPECT_TRUE(put("/notes/" + name).has("ETag"));
  EXPECT_NE(get("/notes/").body.find(name), std::string::npos);
  std::string deep = "/deep";
  for (int i = 0; i < 1000; ++i) deep += "/" + std::to_string(i);
  EXPECT_EQ(put(deep).status, 201);
  EXPECT_EQ(get(deep).body, "x");
}

TEST_F(Documents, N6_a_document_and_a_folder_of_one_name_clash_at_every_depth) {
  ASSERT_EQ(put("/a/x").status, 201);
  EXPECT_EQ(put("/a/x/x").status, 409);
  EXPECT_EQ(put("/a/x/y/z").status, 409);
  ASSERT_EQ(put("/b/f/doc").status, 201);
  EXPECT_EQ(put("/b/f").status, 409);
  EXPECT_EQ(put("/b").status, 409);
  EXPECT_EQ(get("/a/x").body, "x");
}

TEST_F(Documents, N6_categories_are_taken_names_in_the_root) {
  EXPECT_EQ(put("/public").status, 409);
  EXPECT_EQ(put("/shared").status, 409);
  EXPECT_EQ(get("/public").status, 404);
  EXPECT_EQ(remove("/shared").status, 404);
}

TEST_F(Documents, N7_the_root_holds_documents_and_lists_all_categories_under_one_tag) {
  ASSERT_EQ(put("/name").status, 201);
  std::set<std::string> tags;
  for (const char* path : {"/notes/a", "/public/notes/b", "/shared/maps/c"}) {
    tags.insert(get("/").etag());
    ASSERT_EQ(put(path).status, 201);
  }
  tags.insert(get("/").etag());
  EXPECT_EQ(tags.size(), 4U);
  const std::string json = get("/").body;
  for (const char* item : {"\"name\":", "\"notes/\":", "\"public/\":", "\"shared/\":"}) {
    EXPECT_NE(json.find(item), std::string::npos) << item << json;
  }
  EXPECT_EQ(get("/", {{"If-None-Match", get("/").etag()}}).status, 304);
}

TEST_F(Documents, mapping_HTTP_paths_are_the_paths_of_the_space) {
  ASSERT_EQ(put("/notes/x", "private").status, 201);
  ASSERT_EQ(put("/public/notes/x", "public").status, 201);
  ASSERT_EQ(put("/shared/notes/x", "shared").status, 201);
  for (const char* path : {"private", "public", "shared"}) {
    const auto reply = server_.execute(
        {1, storage::OpenDocument{
                StoragePath::parse("/" + std::string(path) + "/notes/x").value(), {}, {}}});
    ASSERT_TRUE(reply.outcome) << path;
    EXPECT_EQ(base::to_string(std::get<storage::OpenedDocument>(*reply.outcome).first), path);
  }
}

TEST_F(Documents, D1_get_gives_body_type_length_and_strong_tag) {
  ASSERT_EQ(
      put("/notes/d1", "h\xC3\xA9llo", {{"Content-Type", "text/plain; charset=UTF-8; odd=\"a b\""}})
          .status,
      201);
  const auto got = get("/notes/d1");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "h\xC3\xA9llo");
  EXPECT_EQ(got.header("Content-Type"), "text/plain; charset=UTF-8; odd=\"a b\"");
  EXPECT_EQ(got.content_length, 6U);
  EXPECT_EQ(got.framing, Framing::length);
  EXPECT_TRUE(got.etag().starts_with("\"") && got.etag().size() > 3) << got.etag();
}

TEST_F(Documents, D2_no_content_coding_whatever_is_accepted) {
  ASSERT_EQ(put("/notes/d2", std::string(5000, 'a')).status, 201);
  const auto got = get("/notes/d2", {{"Accept-Encoding", "gzip, br"}});
  EXPECT_FALSE(got.has("Content-Encoding"));
  EXPECT_EQ(got.body.size(), 5000U);
  EXPECT_EQ(
      put("/notes/d2b", "x", {{"Content-Type", "text/plain"}, {"Content-Encoding", "gzip"}}).status,
      415);
}

TEST_F(Documents, D3_head_is_get_without_the_body) {
  ASSERT_EQ(put("/notes/d3", "hello").status, 201);
  for (const char* path : {"/notes/d3", "/notes/", "/"}) {
    const auto got = get(path);
    const auto headed = head(path);
    EXPECT_EQ(headed.headers.text(), got.headers.text());
    EXPECT_EQ(headed.content_length, got.content_length);
    EXPECT_EQ(headed.body, "");
    EXPECT_EQ(headed.status, 200);
  }
}

TEST_F(Documents, D4_put_makes_ancestors_and_gives_all_of_them_new_tags) {
  ASSERT_EQ(put("/notes/d4/a/b/doc").status, 201);
  const char* folders[] = {"/notes/d4/a/b/", "/notes/d4/a/", "/notes/d4/", "/notes/", "/"};
  std::map<std::string, std::string> before;
  for (const char* folder : folders) before[folder] = get(folder).etag();
  const auto first = get("/notes/d4/a/b/doc").etag();
  const auto again = put("/notes/d4/a/b/doc");
  EXPECT_EQ(again.status, 200);
  EXPECT_NE(again.etag(), first);
  for (const char* folder : folders) EXPECT_NE(get(folder).etag(), before[folder]) << folder;
}

TEST_F(Documents, D5_chunked_and_empty_bodies_are_documents) {
  const std::string large(300'000, 'c');
  for (const std::string& body : {std::string(), std::string("small"), large}) {
    const auto stored = server_.ask({.method = "PUT",
                                     .target = "/storage/me/notes/d5",
                                     .headers = bearer(),
                                     .body = body,
                                     .chunked = true});
    EXPECT_TRUE(stored.status == 201 || stored.status == 200) << stored.status;
    EXPECT_EQ(get("/notes/d5").body, body);
  }
  EXPECT_EQ(server_.ask("PUT", "/storage/me/notes/none", bearer()).status, 201);
  EXPECT_EQ(get("/notes/none").content_length, 0U);
}

TEST_F(Documents, D6_without_a_type_a_document_is_bytes) {
  ASSERT_EQ(server_.ask("PUT", "/storage/me/notes/d6", bearer(), "x").status, 201);
  EXPECT_EQ(get("/notes/d6").header("Content-Type"), "application/octet-stream");
}

TEST_F(Documents, D7_content_range_on_put_is_400) {
  EXPECT_EQ(
      put("/notes/d7", "x", {{"Content-Type", "text/plain"}, {"Content-Range", "bytes 0-0/9"}})
          .status,
      400);
  EXPECT_EQ(get("/notes/d7").status, 404);
}

TEST_F(Documents, D8_delete_tells_the_deleted_tag_and_changes_every_ancestor) {
  ASSERT_EQ(put("/notes/d8/a/gone").status, 201);
  ASSERT_EQ(put("/notes/d8/a/stays").status, 201);
  const auto tag = get("/notes/d8/a/gone").etag();
  const auto root = get("/").etag();
  const auto above = get("/notes/d8/").etag();
  const auto removed = remove("/notes/d8/a/gone");
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(removed.etag(), tag);
  EXPECT_NE(get("/").etag(), root);
  EXPECT_NE(get("/notes/d8/").etag(), above);
  EXPECT_EQ(remove("/notes/d8/a/gone").status, 404);
  ASSERT_EQ(remove("/notes/d8/a/stays").status, 200);
  EXPECT_EQ(get("/notes/").body.find("d8/"), std::string::npos);
  EXPECT_EQ(put("/notes/d8").status, 201) << "an emptied folder's name is free";
  ASSERT_EQ(remove("/notes/d8").status, 200);
  EXPECT_EQ(put("/notes/d8/a").status, 201);
}

TEST_F(Documents, D9_folders_are_not_written) {
  EXPECT_EQ(put("/notes/folder/").status, 400);
  EXPECT_EQ(remove("/notes/").status, 400);
  EXPECT_EQ(put("/").status, 400);
}

TEST_F(Documents, D10_ranges) {
  std::string body;
  for (int i = 0; i < 200'000; ++i) body += static_cast<char>('a' + i % 26);
  ASSERT_EQ(put("/notes/d10", body).status, 201);
  struct Case {
    const char* range;
    std::size_t first, last;
  };
  for (const Case& c :
       {Case{"bytes=0-0", 0, 0}, Case{"bytes=5-9", 5, 9}, Case{"bytes=199990-", 199'990, 199'999},
        Case{"bytes=-7", 199'993, 199'999}, Case{"bytes=100000-900000", 100'000, 199'999},
        Case{"bytes=70000-170000", 70'000, 170'000}, Case{"BYTES = 1-2", 1, 2}}) {
    const auto got = get("/notes/d10", {{"Range", c.range}});
    EXPECT_EQ(got.status, 206) << c.range;
    EXPECT_EQ(got.body, body.substr(c.first, c.last - c.first + 1)) << c.range;
    EXPECT_EQ(got.header("Content-Range"),
              "bytes " + std::to_string(c.first) + "-" + std::to_string(c.last) + "/200000");
    EXPECT_EQ(got.content_length, got.body.size());
  }
  for (const char* range : {"bytes=200000-", "bytes=-0"}) {
    const auto got = get("/notes/d10", {{"Range", range}});
    EXPECT_EQ(got.status, 416) << range;
    EXPECT_EQ(got.header("Content-Range"), "bytes */200000");
  }
  for (const char* range :
       {"bytes=0-1,5-6", "lines=1-2", "bytes=5-1", "bytes=x-", "bytes=-", "junk"}) {
    EXPECT_EQ(get("/notes/d10", {{"Range", range}}).status, 200) << range;
  }
  const auto tag = get("/notes/d10").etag();
  EXPECT_EQ(get("/notes/d10", {{"Range", "bytes=9-10"}, {"If-Range", tag}}).body,
            body.substr(9, 2));
  EXPECT_EQ(get("/notes/d10", {{"Range", "bytes=9-10"}, {"If-Range", "\"other\""}}).body, body);
  EXPECT_EQ(get("/notes/d10", {{"Range", "bytes=9-10"}, {"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(get("/notes/d10").header("Accept-Ranges"), "bytes");
  EXPECT_EQ(head("/notes/d10", {{"Range", "bytes=0-1"}}).status, 200);
}

TEST_F(Documents, F1_F2_a_listing_describes_documents_and_folders) {
  ASSERT_EQ(put("/notes/f/doc", "12345", {{"Content-Type", "text/plain"}}).status, 201);
  ASSERT_EQ(put("/notes/f/sub/doc").status, 201);
  const auto listing = get("/notes/f/");
  EXPECT_EQ(listing.header("Content-Type"), "application/ld+json");
  const std::string tag = get("/notes/f/doc").etag();
  const std::string sub = get("/notes/f/sub/").etag();
  const std::string plain = tag.substr(1, tag.size() - 2);
  EXPECT_NE(listing.body.find("\"@context\":\"http://remotestorage.io/spec/folder-description\""),
            std::string::npos);
  EXPECT_NE(listing.body.find("\"doc\":{\"ETag\":\"" + plain +
                              "\",\"Content-Type\":\"text/plain\",\"Content-Length\":5,"
                              "\"Last-Modified\":\"Mon, 21 Sep 2026 14:13:20 GMT\"}"),
            std::string::npos)
      << listing.body;
  EXPECT_NE(listing.body.find("\"sub/\":{\"ETag\":" + sub + "}"), std::string::npos)
      << listing.body;
}

TEST_F(Documents, F3_an_empty_folder_is_200_with_a_tag_and_never_listed) {
  const auto empty = get("/notes/nothing/");
  EXPECT_EQ(empty.status, 200);
  EXPECT_NE(empty.body.find("\"items\":{}"), std::string::npos);
  EXPECT_TRUE(empty.has("ETag"));
  EXPECT_NE(get("/").body.find("\"items\":{}"), std::string::npos);
}

TEST_F(Documents, F4_a_folder_has_the_tag_that_its_parent_lists_and_no_tag_comes_back) {
  std::set<std::string> tags;
  for (int i = 0; i < 20; ++i) {
    ASSERT_LT(put("/notes/f4/doc", std::to_string(i % 2)).status, 300);
    EXPECT_TRUE(tags.insert(get("/notes/").etag()).second) << i;
  }
  EXPECT_NE(get("/notes/").body.find("\"f4/\":{\"ETag\":" + get("/notes/f4/").etag() + "}"),
            std::string::npos);
}

TEST_F(Documents, F5_folders_answer_304) {
  ASSERT_EQ(put("/notes/f5/doc").status, 201);
  const auto tag = get("/notes/f5/").etag();
  for (const auto& got : {get("/notes/f5/", {{"If-None-Match", tag}}),
                          head("/notes/f5/", {{"If-None-Match", tag}})}) {
    EXPECT_EQ(got.status, 304);
    EXPECT_EQ(got.body, "");
    EXPECT_EQ(got.etag(), tag);
  }
  ASSERT_EQ(put("/notes/f5/doc").status, 200);
  EXPECT_EQ(get("/notes/f5/", {{"If-None-Match", tag}}).status, 200);
}

TEST_F(Documents, a_folder_larger_than_a_page_is_listed_whole) {
  std::vector<storage::StoreRequest> writes;
  for (int i = 0; i < 12'000; ++i) {
    const std::string name = "/private/many/" + std::string(40, 'n') + std::to_string(i);
    ASSERT_TRUE(server_
                    .execute({1,
                              storage::PutDocument{
                                  StoragePath::parse(name).value(), "text/plain", {}, Bytes{1}}})
                    .outcome);
  }
  const auto listing = get("/many/");
  EXPECT_EQ(listing.status, 200);
  EXPECT_EQ(listing.framing, Framing::chunked);
  std::size_t count = 0;
  for (std::size_t at = listing.body.find("\"ETag\""); at != std::string::npos;
       at = listing.body.find("\"ETag\"", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 12'000U);
  EXPECT_TRUE(listing.body.ends_with("}}"));
  EXPECT_EQ(head("/many/").framing, Framing::none);
}

TEST_F(Documents, C1_tags_on_success_304_and_412) {
  const auto stored = put("/notes/c1");
  const auto tag = stored.etag();
  EXPECT_EQ(get("/notes/c1").etag(), tag);
  EXPECT_EQ(get("/notes/c1", {{"If-None-Match", tag}}).etag(), tag);
  EXPECT_EQ(put("/notes/c1", "y", {{"Content-Type", "text/plain"}, {"If-Match", "\"old\""}}).etag(),
            tag);
  EXPECT_EQ(remove("/notes/c1", {{"If-Match", "\"old\""}}).etag(), tag);
  EXPECT_EQ(remove("/notes/c1").etag(), tag);
}

TEST_F(Documents, C2_if_match_with_lists_and_star) {
  const auto tag = put("/notes/c2").etag();
  const Headers type{{"Content-Type", "text/plain"}};
  const auto with = [&](const std::string& value) {
    return Headers{{"Content-Type", "text/plain"}, {"If-Match", value}};
  };
  EXPECT_EQ(put("/notes/c2", "y", with("\"a\", \"b\"")).status, 412);
  EXPECT_EQ(put("/notes/c2", "y", with("W/" + tag)).status, 412) << "strong comparison";
  const auto second = put("/notes/c2", "y", with("\"a\", " + tag));
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(put("/notes/c2", "z", with("*")).status, 200);
  EXPECT_EQ(put("/notes/missing", "x", with("*")).status, 412);
  EXPECT_EQ(put("/notes/missing", "x", with(tag)).status, 412);
  EXPECT_EQ(remove("/notes/missing", {{"If-Match", tag}}).status, 412);
  EXPECT_EQ(remove("/notes/c2", {{"If-Match", "*"}}).status, 200);
}

TEST_F(Documents, C2_an_if_match_that_is_no_tag_of_ours_is_412_wherever_it_stands) {
  const auto tag = put("/notes/odd", "kept").etag();
  for (const std::string value : {"\"match me\"", "", "no tag at all \"", "\"open", "*, \"a\"",
                                  "\"a\" \"b\"", "\xff", "0", "W/\"a"}) {
    const Headers headers{{"Content-Type", "text/plain"}, {"If-Match", value}};
    for (const char* path : {"/notes/odd", "/notes/nothing"}) {
      EXPECT_EQ(put(path, "x", headers).status, 412) << path << value;
      EXPECT_EQ(put(path, std::string(200'000, 'x'), headers).status, 412) << path << value;
      EXPECT_EQ(remove(path, headers).status, 412) << path << value;
    }
    EXPECT_EQ(get("/notes/odd", headers).status, 412) << value;
    EXPECT_EQ(get("/notes/", headers).status, 412) << value;
    EXPECT_EQ(get("/notes/nothing", headers).status, 404) << value;
  }
  EXPECT_EQ(get("/notes/odd").body, "kept");
  EXPECT_EQ(remove("/notes/odd", {{"If-Match", "\"*\""}}).status, 200);
  EXPECT_EQ(remove("/notes/odd", {{"If-Match", "\"*\""}}).status, 412);
}

TEST_F(Documents, C3_an_if_none_match_that_cannot_be_read_is_400_on_a_write_only) {
  const auto tag = put("/notes/odd", "kept").etag();
  for (const std::string value : {"\"match me\"", "", "no tag \"", "*, \"a\"", "\"a\" \"b\""}) {
    const Headers headers{{"Content-Type", "text/plain"}, {"If-None-Match", value}};
    for (const char* path : {"/notes/odd", "/notes/nothing"}) {
      EXPECT_EQ(put(path, "x", headers).status, 400) << path << value;
      EXPECT_EQ(remove(path, headers).status, 400) << path << value;
    }
    EXPECT_EQ(get("/notes/odd", headers).status, 200) << value;
    EXPECT_EQ(head("/notes/odd", headers).status, 200) << value;
    EXPECT_EQ(get("/notes/", headers).status, 200) << value;
  }
  const Headers star{{"Content-Type", "text/plain"}, {"If-None-Match", "\"*\""}};
  EXPECT_EQ(put("/notes/odd", "x", star).status, 412);
  EXPECT_EQ(get("/notes/odd", star).status, 304);
  EXPECT_EQ(put("/notes/odd-new", "x", star).status, 201);
}

TEST_F(Documents, C3_if_none_match_on_put_means_unless) {
  const auto with = [&](const std::string& value) {
    return Headers{{"Content-Type", "text/plain"}, {"If-None-Match", value}};
  };
  const auto made = put("/notes/c3", "x", with("*"));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(put("/notes/c3", "y", with("*")).status, 412);
  EXPECT_EQ(put("/notes/c3", "y", with(made.etag())).status, 412);
  EXPECT_EQ(put("/notes/c3", "y", with("\"other\"")).status, 200);
  const std::string large(200'000, 'l');
  const auto refused = put("/notes/c3", large, with("*"));
  EXPECT_EQ(refused.status, 412);
  EXPECT_EQ(refused.body_taken, 0U) << "told before the body is sent";
  EXPECT_EQ(
      put("/notes/c3", large, {{"Content-Type", "text/plain"}, {"If-Match", "\"x\""}}).body_taken,
      0U);
  EXPECT_EQ(put("/notes/c3-new", large, with("*")).status, 201);
}

TEST_F(Documents, C4_if_none_match_on_get_compares_weakly_over_lists) {
  const auto tag = put("/notes/c4").etag();
  EXPECT_EQ(get("/notes/c4", {{"If-None-Match", "\"a\", W/" + tag}}).status, 304);
  EXPECT_EQ(get("/notes/c4", {{"If-None-Match", "\"a\""}, {"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(get("/notes/c4", {{"If-None-Match", "*"}}).status, 304);
  EXPECT_EQ(get("/notes/c4", {{"If-None-Match", "\"a\", \"b\""}}).status, 200);
  EXPECT_EQ(head("/notes/c4", {{"If-None-Match", tag}}).status, 304);
}

TEST_F(Documents, C5_of_two_writers_on_one_tag_exactly_one_wins) {
  const auto tag = put("/notes/c5").etag();
  int won = 0;
  for (int i = 0; i < 10; ++i) {
    won += put("/notes/c5", "y", {{"Content-Type", "text/plain"}, {"If-Match", tag}}).status == 200;
  }
  EXPECT_EQ(won, 1);
}

TEST_F(Documents, C6_cache_control) {
  ASSERT_EQ(put("/notes/c6").status, 201);
  ASSERT_EQ(put("/public/notes/c6").status, 201);
  EXPECT_EQ(get("/notes/c6").header("Cache-Control"), "no-cache");
  EXPECT_EQ(get("/notes/").header("Cache-Control"), "no-cache");
  EXPECT_EQ(get("/public/notes/c6").header("Cache-Control"), "no-cache, public");
}

TEST_F(Documents, status_413_before_the_body_and_in_the_middle_of_a_chunked_one) {
  TestRequest request{
      .method = "PUT", .target = "/storage/me/notes/huge", .headers = bearer(), .body = ""};
  TestServer::RunningExchange running(server_, request);
  // A Content-Length beyond the limit of a document.
  std::vector<HeaderField> fields{{"Host", "localhost:8181"}};
  const std::string authorization = "Bearer " + all_;
  fields.push_back({"Authorization", authorization});
  Request absurd;
  absurd.method = "PUT";
  absurd.target = "/storage/me/notes/huge";
  absurd.headers = fields;
  absurd.has_body = true;
  absurd.content_length = 1ULL << 50;
  auto exchange = server_.service().begin(server_.now(), absurd);
  const auto output = exchange->poll();
  ASSERT_TRUE(output && std::holds_alternative<Send>(*output));
  EXPECT_EQ(std::get<Send>(*output).head->status, 413);
  EXPECT_FALSE(exchange->wants_body());
}

TEST_F(Documents, status_507_when_announced_and_in_mid_stream) {
  storage::StorageOptions options;
  options.quota = 300'000;
  TestServer small(options);
  const Headers auth{{"Authorization", "Bearer " + small.token("*:rw")},
                     {"Content-Type", "text/plain"}};
  const std::string body(2'000'000, 'q');
  const auto announced = small.ask("PUT", "/storage/me/notes/q", auth, body);
  EXPECT_EQ(announced.status, 507);
  EXPECT_EQ(announced.body_taken, 0U);
  const auto streamed = small.ask({.method = "PUT",
                                   .target = "/storage/me/notes/q",
                                   .headers = auth,
                                   .body = body,
                                   .chunked = true});
  EXPECT_EQ(streamed.status, 507);
  EXPECT_LT(streamed.body_taken, body.size());
  EXPECT_EQ(small.ask("GET", "/storage/me/notes/q", auth).status, 404);
  const auto quota = small.ask("GET", "/quota/me", auth);
  EXPECT_EQ(quota.body, "{\"used\":0,\"available\":300000,\"quota\":300000}");
}

TEST_F(Documents, a_full_or_failing_disk_is_never_told_as_success) {
  ASSERT_EQ(put("/notes/kept", "before").status, 201);
  const std::pair<storage::Refusal, int> refusals[] = {{storage::Refusal::full, 507},
                                                       {storage::Refusal::unavailable, 503}};
  for (const auto& [refusal, status] : refusals) {
    server_.fail_writes_with = refusal;
    EXPECT_EQ(put("/notes/kept", "after").status, status);
    EXPECT_EQ(put("/notes/kept", std::string(500'000, 'x')).status, status);
    EXPECT_EQ(remove("/notes/kept").status, status);
    server_.fail_writes_with.reset();
    EXPECT_EQ(get("/notes/kept").body, "before");
  }
}

TEST_F(Documents, large_bodies_stream_both_ways_in_bounded_pieces) {
  std::string body(5'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761U >> 13);
  ASSERT_EQ(put("/notes/large", body).status, 201);
  const auto got = get("/notes/large");
  EXPECT_TRUE(got.body == body);
  EXPECT_LE(got.most_buffered, limits::kHttpReadPiece);
}

TEST_F(Documents, a_content_type_that_is_no_text_is_400) {
  for (const std::size_t size : {1, 100'000}) {
    EXPECT_EQ(
        put("/notes/latin", std::string(size, 'x'), {{"Content-Type", "text/\xe9\xff"}}).status,
        400);
  }
  EXPECT_EQ(put("/notes/utf8", "x", {{"Content-Type", "text/\xc3\xa9"}}).status, 201);
}

TEST_F(Documents, a_client_that_vanishes_leaves_nothing) {
  {
    TestRequest request{.method = "PUT",
                        .target = "/storage/me/notes/half",
                        .headers = bearer(),
                        .body = std::string(1'000'000, 'h')};
    TestServer::RunningExchange running(server_, request);
    running.drain();
    running.feed(300'000);
    running.drain();
  }
  EXPECT_EQ(get("/notes/half").status, 404);
  EXPECT_EQ(put("/notes/half").status, 201);
}

TEST_F(Documents, stored_pages_are_sandboxed_and_not_sniffed) {
  for (const char* type :
       {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "text/plain"}) {
    ASSERT_LT(put("/public/evil", "<script>", {{"Content-Type", type}}).status, 300);
    const auto got = server_.ask("GET", "/storage/me/public/evil");
    EXPECT_EQ(got.header("Content-Security-Policy"), "sandbox") << type;
    EXPECT_EQ(got.header("X-Content-Type-Options"), "nosniff");
  }
}

TEST_F(Documents, section_4_a_refused_write_holds_no_lock) {
  ASSERT_EQ(put("/x").status, 201);
  EXPECT_EQ(put("/x/x").status, 409);
  EXPECT_EQ(put("/y").status, 201) << "armadietto hangs for a minute here";
}

TEST_F(Documents, section_4_post_and_others_are_405_with_allow) {
  for (const char* method : {"POST", "PATCH", "TRACE", "PROPFIND"}) {
    const auto document = server_.ask(method, "/storage/me/notes/x", bearer(), "body");
    EXPECT_EQ(document.status, 405) << method;
    EXPECT_EQ(document.header("Allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
    EXPECT_EQ(server_.ask(method, "/storage/me/notes/", bearer()).header("Allow"),
              "GET, HEAD, OPTIONS");
  }
}

}  // namespace
}  // namespace meshstow::http
