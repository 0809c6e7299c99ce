// Documents, conditions, name clashes and tags, over every engine.
#include <gmock/gmock.h>
#include <set>

#include "base/limits.hpp"
#include "storage/engines_for_test.hpp"

namespace meshstow::storage {
namespace {

using ::testing::ElementsAre;

class Documents : public OverEveryEngine {};
// Whether the current state's second is that of no earlier state.
bool is_dated(Store& store, std::string_view path) {
  const auto opened = store.open(path);
  EXPECT_TRUE(opened) << path;
  return opened && opened->info.dated;
}

constexpr auto kSecond = std::chrono::seconds{1};
constexpr auto kHour = std::chrono::minutes{60};

TEST_P(Documents, know_whether_their_second_is_theirs_alone) {
  for (const HistoryPolicy& policy : {HistoryPolicy::all(), HistoryPolicy::none()}) {
    StorageOptions options;
    options.history = policy;
    Store store(make_test_disk(GetParam()), options);
    for (const char* path : {"/public/m/a", "/private/m/a"}) {
      store.pass(kSecond);
      ASSERT_TRUE(store.put(path, "1"));
      EXPECT_TRUE(is_dated(store, path));
      ASSERT_TRUE(store.put(path, "2"));
      EXPECT_FALSE(is_dated(store, path)) << "of the same second";
      store.pass(kSecond);
      ASSERT_TRUE(store.put(path, "3"));
      EXPECT_TRUE(is_dated(store, path));

      store.now().wall -= kHour;
      ASSERT_TRUE(store.put(path, "4"));
      EXPECT_FALSE(is_dated(store, path)) << "the clock was set back";
      store.reopen();
      store.pass(kHour / 2);
      ASSERT_TRUE(store.put(path, "5"));
      EXPECT_FALSE(is_dated(store, path)) << "not yet as late as it was";
      store.pass(kHour / 2 + kSecond);
      ASSERT_TRUE(store.put(path, "6"));
      EXPECT_TRUE(is_dated(store, path));
      store.reopen();
      EXPECT_TRUE(is_dated(store, path));
    }
  }
}

TEST_P(Documents, do_not_take_the_second_of_one_that_was_deleted_for_good) {
  for (const HistoryPolicy& policy : {HistoryPolicy{}, HistoryPolicy::none()}) {
    StorageOptions options;
    options.history = policy;
    Store store(make_test_disk(GetParam()), options);
    const char* path = "/private/m/a";
    store.pass(kSecond);
    ASSERT_TRUE(store.put(path, "1"));
    ASSERT_TRUE(store.remove(path));
    ASSERT_TRUE(store.write(SetHistory{std::nullopt, HistoryPolicy::none()}));
    store.reclaim_all();
    ASSERT_TRUE(store.versions(path).empty()) << "nothing of it is left";
    store.reopen();
    ASSERT_TRUE(store.put(path, "2"));
    EXPECT_FALSE(is_dated(store, path));
    store.pass(kSecond);
    ASSERT_TRUE(store.put("/private/m/b", "1"));
    EXPECT_TRUE(is_dated(store, "/private/m/b"));
  }
}

MESHSTOW_OVER_EVERY_ENGINE(Documents);

TEST_P(Documents, come_back_as_they_were_put) {
  Store store = make_store();
  for (std::string_view at : {"/public/a.txt", "/public/notes/a", "/private/notes/b/c/d",
                              "/shared/maps/zürich", "/private/x", "/private/m/%2F \"'\\\n"}) {
    const auto put = store.put(at, "hello", {}, "text/plain; charset=binary");
    ASSERT_TRUE(put) << at << ": " << put.error().detail;
    EXPECT_TRUE(put->created);
    const auto opened = store.open(at);
    ASSERT_TRUE(opened) << at;
    EXPECT_EQ(base::to_string(opened->first), "hello");
    EXPECT_EQ(opened->handle, 0u);
    EXPECT_EQ(opened->info.content_type, "text/plain; charset=binary");
    EXPECT_EQ(opened->info.size, 5u);
    EXPECT_EQ(opened->info.etag, put->etag);
    EXPECT_EQ(opened->info.version, put->version);
    EXPECT_EQ(opened->info.modified, store.now().wall);
  }
  store.reopen();
  EXPECT_EQ(store.get("/private/notes/b/c/d"), "hello");
}

// What was read is remembered; whatever is written to it or elsewhere must show at once.
TEST_P(Documents, that_were_read_before_are_read_as_they_are_now) {
  Store store = make_store();
  const auto first = store.put("/private/m/a", "first");
  ASSERT_TRUE(first);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(store.get("/private/m/a"), "first");
  const auto second = store.put("/private/m/a", "second", {}, "text/other");
  ASSERT_TRUE(second);
  for (int i = 0; i < 3; ++i) {
    const auto opened = store.open("/private/m/a");
    ASSERT_TRUE(opened);
    EXPECT_EQ(base::to_string(opened->first), "second");
    EXPECT_EQ(opened->info.etag, second->etag);
    EXPECT_EQ(opened->info.content_type, "text/other");
  }
  ASSERT_TRUE(store.put("/private/m/b", "b"));
  EXPECT_EQ(store.get("/private/m/a"), "second");
  ASSERT_TRUE(store.remove("/private/m/a"));
  EXPECT_FALSE(store.open("/private/m/a"));
  ASSERT_TRUE(store.put("/private/m/a/now/a/folder", "x"));
  EXPECT_FALSE(store.open("/private/m/a"));
}

TEST_P(Documents, that_were_read_before_are_given_in_parts_and_under_conditions) {
  Store store = make_store();
  const auto put = store.put("/public/m/a", "0123456789");
  ASSERT_TRUE(put);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(store.get("/public/m/a"), "0123456789");
    EXPECT_EQ(base::to_string(store.open("/public/m/a", 7)->first), "789");
    EXPECT_EQ(store.open("/public/m/a", 10)->first.size(), 0U);
    EXPECT_EQ(store.open("/public/m/a", UINT64_MAX)->first.size(), 0U);
    EXPECT_EQ(base::to_string(store.open("/public/m/a", 2, 3)->first), "234");
    EXPECT_EQ(store.open("/public/m/a", 0, 0)->info.size, 10U);
    const auto again =
        store.read(OpenDocument{Store::path("/public/m/a"), {}, if_none_match(put->etag.quoted())});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().refusal, Refusal::not_modified);
  }
}

TEST_P(Documents, may_be_empty) {
  Store store = make_store();
  ASSERT_TRUE(store.put("/private/m/empty", ""));
  const auto opened = store.open("/private/m/empty");
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->first.empty());
  EXPECT_EQ(opened->info.size, 0u);
}

TEST_P(Documents, are_replaced_under_a_new_tag) {
  Store store = make_store();
  const auto first = store.put("/private/m/a", "1");
  const auto second = store.put("/private/m/a", "1");
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(second->created);
  EXPECT_NE(first->etag, second->etag);
  EXPECT_EQ(second->etag.text().size(), 16u);
}

TEST_P(Documents, deletion_answers_the_tag_of_what_was_deleted) {
  Store store = make_store();
  const auto put = store.put("/public/m/a", "1");
  const auto removed = store.remove("/public/m/a");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->etag, put->etag);
  EXPECT_NE(removed->version, put->version);
  EXPECT_EQ(store.open("/public/m/a").error().refusal, Refusal::not_found);
  EXPECT_EQ(store.remove("/public/m/a").error().refusal, Refusal::not_found);
}

TEST_P(Documents, conditions_hold_or_nothing_changes) {
  Store store = make_store();
  const auto missing = store.put("/private/m/a", "x", if_match("*"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().refusal, Refusal::precondition_failed);
  EXPECT_FALSE(missing.error().current);
  const auto created = store.put("/private/m/a", "1", if_none_match("*"));
  ASSERT_TRUE(created);
  const auto again = store.put("/private/m/a", "2", if_none_match("*"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().refusal, Refusal::precondition_failed);
  EXPECT_EQ(again.error().current, created->etag);
  EXPECT_EQ(store.put("/private/m/a", "2", if_match("\"nope\"")).error().current, created->etag);
  EXPECT_FALSE(store.put("/private/m/a", "2", if_match("W/" + created->etag.quoted())));
  EXPECT_FALSE(store.put("/private/m/a", "2", if_none_match("\"x\", " + created->etag.quoted())));
  EXPECT_EQ(store.get("/private/m/a"), "1");
  const auto updated = store.put("/private/m/a", "2", if_match("\"x\", " + created->etag.quoted()));
  ASSERT_TRUE(updated);
  EXPECT_TRUE(store.put("/private/m/a", "3", if_none_match(created->etag.quoted())));
  EXPECT_EQ(store.remove("/private/m/a", if_match(updated->etag.quoted())).error().refusal,
            Refusal::precondition_failed);
  EXPECT_TRUE(store.remove("/private/m/a", if_match("*")));
  EXPECT_EQ(store.remove("/private/m/a", if_match("*")).error().refusal,
            Refusal::precondition_failed);
}

TEST_P(Documents, reads_take_conditions_too) {
  Store store = make_store();
  const auto put = store.put("/private/m/a", "1");
  const auto read = [&](Conditions conditions) {
    return store.read(OpenDocument{Store::path("/private/m/a"), {}, std::move(conditions)});
  };
  const auto same = read(if_none_match("\"x\", W/" + put->etag.quoted()));
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().refusal, Refusal::not_modified);
  EXPECT_EQ(same.error().current, put->etag);
  EXPECT_TRUE(read(if_none_match("\"x\"")));
  EXPECT_TRUE(read(if_match(put->etag.quoted())));
  EXPECT_EQ(read(if_match("\"x\"")).error().refusal, Refusal::precondition_failed);
}

TEST_P(Documents, refuse_to_share_a_name_with_a_folder_at_every_depth) {
  Store store = make_store();
  ASSERT_TRUE(store.put("/private/m/a", "1"));
  for (std::string_view at : {"/private/m/a/x", "/private/m/a/a", "/private/m/a/x/y/z"}) {
    EXPECT_EQ(store.put(at, "2").error().refusal, Refusal::name_clash) << at;
  }
  ASSERT_TRUE(store.put("/private/m/b/c/d", "1"));
  for (std::string_view at : {"/private/m", "/private/m/b", "/private/m/b/c"}) {
    EXPECT_EQ(store.put(at, "2").error().refusal, Refusal::name_clash) << at;
  }
  EXPECT_THAT(store.names("/private/m/"), ElementsAre("a", "b/"));
  ASSERT_TRUE(store.put("/public/m/a/x", "1"));  // another category, another tree
}

TEST_P(Documents, a_freed_name_is_free_for_either_kind_at_once) {
  Store store = make_store();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(store.put("/private/m/a", "1"));
    ASSERT_TRUE(store.remove("/private/m/a"));
    ASSERT_TRUE(store.put("/private/m/a/b/c", "2"));
    EXPECT_EQ(store.get("/private/m/a/b/c"), "2");
    ASSERT_TRUE(store.remove("/private/m/a/b/c"));
    EXPECT_TRUE(store.names("/private/").empty());
  }
  const auto replies =
      store.write_all({PutDocument{Store::path("/private/m/a"), "t/t", {}, Bytes{1}},
                       RemoveDocument{Store::path("/private/m/a"), {}},
                       PutDocument{Store::path("/private/m/a/b"), "t/t", {}, Bytes{2}},
                       PutDocument{Store::path("/private/m/a"), "t/t", {}, Bytes{3}}});
  EXPECT_TRUE(replies[2].outcome);
  EXPECT_EQ(replies[3].outcome.error().refusal, Refusal::name_clash);
}

TEST_P(Documents, folders_take_no_bytes_and_bad_types_are_refused) {
  Store store = make_store();
  EXPECT_EQ(store.put("/private/m/", "x").error().refusal, Refusal::malformed);
  EXPECT_EQ(store.remove("/private/m/").error().refusal, Refusal::malformed);
  EXPECT_EQ(store.open("/private/m/").error().refusal, Refusal::malformed);
  for (const std::string& type :
       {std::string(), std::string("a\r\nb"), std::string("a\0", 2), std::string("a\x0b/b"),
        std::string("t\xe9/html"), std::string(limits::kContentType + 1, 'a')}) {
    EXPECT_EQ(store.put("/private/m/a", "x", {}, type).error().refusal, Refusal::malformed);
  }
  for (const char* odd : {"application/pdf\u00a0", "\u202etext/html", "no type", "a\tb", ",;"}) {
    ASSERT_TRUE(store.put("/private/m/a", "x", {}, odd)) << odd;
    EXPECT_EQ(store.open("/private/m/a")->info.content_type, odd);
  }
}

TEST_P(Documents, keep_unicode_forms_and_case_apart) {
  Store store = make_store();
  const std::vector<std::string> names = {"Zo\xC3\xAB", "Zoe\xCC\x88", "zo\xC3\xAB", "...", " "};
  for (const std::string& name : names) {
    ASSERT_TRUE(store.put("/private/m/" + name, name));
    ASSERT_TRUE(store.put("/public/m/" + name, name));
  }
  for (const std::string& name : names) {
    EXPECT_EQ(store.get("/private/m/" + name), name);
    EXPECT_EQ(store.get("/public/m/" + name), name);
  }
  EXPECT_EQ(store.names("/private/m/").size(), names.size());
}

TEST_P(Documents, a_refused_operation_does_not_disturb_the_rest_of_its_batch) {
  Store store = make_store();
  const auto replies =
      store.write_all({PutDocument{Store::path("/private/m/a"), "t/t", {}, Bytes{'1'}},
                       PutDocument{Store::path("/private/m/a/b"), "t/t", {}, Bytes{'2'}},
                       RemoveDocument{Store::path("/private/m/none"), {}}, ReadUsage{},
                       PutDocument{Store::path("/private/m/c"), "t/t", if_match("*"), Bytes{'3'}},
                       PutDocument{Store::path("/private/m/d"), "t/t", {}, Bytes{'4'}}});
  ASSERT_EQ(replies.size(), 6u);
  EXPECT_TRUE(replies[0].outcome);
  EXPECT_FALSE(replies[1].outcome);
  EXPECT_FALSE(replies[2].outcome);
  EXPECT_EQ(replies[3].outcome.error().refusal, Refusal::malformed);
  EXPECT_FALSE(replies[4].outcome);
  EXPECT_TRUE(replies[5].outcome);
  EXPECT_THAT(store.names("/private/m/"), ElementsAre("a", "d"));
}

TEST_P(Documents, the_deepest_path_works) {
  Store store = make_store();
  std::string deep = "/private";
  for (std::size_t depth = 1; depth < limits::kPathDepth; ++depth) deep += "/d";
  ASSERT_TRUE(store.put(deep, "deep"));
  EXPECT_EQ(store.get(deep), "deep");
  const std::string root = store.tag("/");
  ASSERT_TRUE(store.put(deep, "deeper"));
  EXPECT_NE(store.tag("/"), root);
  store.reopen();
  EXPECT_EQ(store.get(deep), "deeper");
  ASSERT_TRUE(store.remove(deep));
  EXPECT_TRUE(store.list("/").items.empty());
}

TEST_P(Documents, versions_count_up_in_one_log_and_know_what_came_before) {
  Store store = make_store();
  const auto first = store.put("/private/m/a", "1");
  const auto second = store.put("/private/m/b", "1");
  const auto third = store.remove("/private/m/a");
  EXPECT_EQ(first->version.log, store.storage().log());
  EXPECT_EQ(second->version.sequence, first->version.sequence + 1);
  EXPECT_EQ(third->version.sequence, second->version.sequence + 1);
  store.reopen();
  const auto fourth = store.put("/private/m/a", "2");
  EXPECT_EQ(fourth->version.log, first->version.log);
  EXPECT_EQ(fourth->version.sequence, third->version.sequence + 1);
}

}  // namespace
}  // namespace meshstow::storage
