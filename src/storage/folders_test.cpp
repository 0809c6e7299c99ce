// Folders: listings, their pages, and the tags of every ancestor, over every engine.
#include <gmock/gmock.h>
#include <map>
#include <set>

#include "storage/engines_for_test.hpp"

namespace meshstow::storage {
namespace {

using ::testing::ElementsAre;

class Folders : public OverEveryEngine {};
MESHSTOW_OVER_EVERY_ENGINE(Folders);

const std::vector<std::string> kAncestors = {"/", "/private/", "/private/m/", "/private/m/a/",
                                             "/private/m/a/b/"};

TEST_P(Folders, that_hold_nothing_list_as_empty_with_a_tag) {
  Store store = make_store();
  for (std::string_view at : {"/", "/public/", "/private/nothing/", "/shared/a/b/c/"}) {
    const FolderPage page = store.list(at);
    EXPECT_TRUE(page.items.empty()) << at;
    EXPECT_EQ(page.etag.text().size(), 16u) << at;
    EXPECT_TRUE(page.next.empty());
  }
  EXPECT_EQ(store.read(ListFolder{Store::path("/private/a"), {}, 10}).error().refusal,
            Refusal::malformed);
}

TEST_P(Folders, list_documents_with_all_there_is_to_know_and_folders_with_their_tag) {
  Store store = make_store();
  const auto put = store.put("/private/m/doc", "12345", {}, "a/b");
  ASSERT_TRUE(store.put("/private/m/sub/x", "1"));
  const FolderPage page = store.list("/private/m/");
  ASSERT_EQ(page.items.size(), 2u);
  for (const FolderItem& item : page.items) {
    if (item.is_folder) {
      EXPECT_EQ(item.name, "sub");
      EXPECT_EQ(item.etag, store.list("/private/m/sub/").etag);
    } else {
      EXPECT_EQ(item.name, "doc");
      EXPECT_EQ(item.etag, put->etag);
      EXPECT_EQ(item.content_type, "a/b");
      EXPECT_EQ(item.size, 5u);
      EXPECT_GT(item.modified.time_since_epoch().count(), 0);
    }
  }
  EXPECT_THAT(store.names("/"), ElementsAre("private/"));
}

TEST_P(Folders, every_ancestor_gets_a_new_tag_with_every_change_below) {
  Store store = make_store();
  std::map<std::string, std::set<std::string>> seen;
  const auto all_are_new = [&](const std::string& what) {
    for (const std::string& folder : kAncestors) {
      EXPECT_TRUE(seen[folder].insert(store.tag(folder)).second) << folder << " after " << what;
    }
  };
  all_are_new("nothing");
  ASSERT_TRUE(store.put("/private/m/a/b/1", "1"));
  all_are_new("creation");
  ASSERT_TRUE(store.put("/private/m/a/b/2", "1"));
  all_are_new("a second document");
  ASSERT_TRUE(store.put("/private/m/a/b/1", "1"));
  all_are_new("the same bytes again");
  ASSERT_TRUE(store.remove("/private/m/a/b/2"));
  all_are_new("a deletion that leaves a sibling");
  ASSERT_TRUE(store.put("/private/m/a/b/2", "1"));
  all_are_new("creation of a deleted name");
  ASSERT_TRUE(store.put("/private/m/a/b/c/d", "1"));
  all_are_new("a new folder below");
}

TEST_P(Folders, tags_depend_on_content_alone) {
  Store store = make_store();
  ASSERT_TRUE(store.put("/private/m/a/b/1", "1"));
  std::map<std::string, std::string> before;
  for (const std::string& folder : kAncestors) before[folder] = store.tag(folder);
  ASSERT_TRUE(store.put("/private/m/a/x", "1"));
  ASSERT_TRUE(store.remove("/private/m/a/x"));
  for (const std::string& folder : kAncestors) EXPECT_EQ(store.tag(folder), before[folder]);
  store.reopen();
  for (const std::string& folder : kAncestors) EXPECT_EQ(store.tag(folder), before[folder]);
}

TEST_P(Folders, siblings_do_not_change_each_other) {
  Store store = make_store();
  ASSERT_TRUE(store.put("/private/m/a/1", "1"));
  ASSERT_TRUE(store.put("/private/m/b/1", "1"));
  const std::string a = store.tag("/private/m/a/");
  ASSERT_TRUE(store.put("/private/m/b/1", "2"));
  ASSERT_TRUE(store.put("/public/m/a/1", "2"));
  EXPECT_EQ(store.tag("/private/m/a/"), a);
}

TEST_P(Folders, the_listed_tag_of_a_folder_is_its_own) {
  Store store = make_store();
  ASSERT_TRUE(store.put("/private/m/a/b/1", "1"));
  for (std::size_t i = 0; i + 1 < kAncestors.size(); ++i) {
    EXPECT_EQ(store.list(kAncestors[i]).items.at(0).etag, store.list(kAncestors[i + 1]).etag);
  }
}

TEST_P(Folders, exist_only_while_they_hold_something) {
  Store store = make_store();
  const std::string empty = store.tag("/");
  ASSERT_TRUE(store.put("/private/m/a/b/1", "1"));
  ASSERT_TRUE(store.put("/private/m/c", "1"));
  ASSERT_TRUE(store.remove("/private/m/a/b/1"));
  EXPECT_THAT(store.names("/private/m/"), ElementsAre("c"));
  ASSERT_TRUE(store.remove("/private/m/c"));
  EXPECT_TRUE(store.list("/").items.empty());
  EXPECT_EQ(store.tag("/"), empty);
}

TEST_P(Folders, list_in_pages_without_gap_or_repetition) {
  Store store = make_store();
  std::set<std::string> expected;
  for (const std::string folder : {"/private/m/", "/public/m/"}) {
    std::vector<Operation> puts;
    expected.clear();
    for (int i = 0; i < 100; ++i) {
      const std::string name = "n" + std::to_string(i) + (i % 7 == 0 ? "/x" : "");
      puts.push_back(PutDocument{Store::path(folder + name), "t/t", {}, Bytes{1}});
      expected.insert("n" + std::to_string(i));
    }
    store.write_all(std::move(puts));
    for (std::size_t size : {1u, 7u, 50u, 100u, 1000u}) {
      std::set<std::string> found;
      Bytes after;
      std::size_t pages = 0;
      do {
        auto page = Store::as<FolderPage>(store.read(ListFolder{Store::path(folder), after, size}));
        ASSERT_TRUE(page);
        EXPECT_LE(page->items.size(), size);
        for (const FolderItem& item : page->items) EXPECT_TRUE(found.insert(item.name).second);
        after = page->next;
        ++pages;
      } while (!after.empty());
      EXPECT_EQ(found, expected);
      EXPECT_EQ(pages, (100 + size - 1) / size);
    }
  }
}

TEST_P(Folders, one_batch_of_many_writes_gives_the_tags_of_single_ones) {
  Store together = make_store();
  Store alone = make_store();
  std::vector<Operation> puts;
  for (int i = 0; i < 50; ++i) {
    const auto at = Store::path("/private/m/" + std::to_string(i % 5) + "/" + std::to_string(i));
    puts.push_back(PutDocument{at, "t/t", {}, Bytes{1}});
    alone.write(puts.back());
  }
  together.write_all(puts);
  EXPECT_EQ(together.tag("/"), alone.tag("/"));  // equal seeds: equal logs
  EXPECT_EQ(together.tag("/private/m/3/"), alone.tag("/private/m/3/"));
}

}  // namespace
}  // namespace meshstow::storage
