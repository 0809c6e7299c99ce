// The check finds each kind of damage, and says where, over every engine.
#include <gmock/gmock.h>

#include "storage/engines_for_test.hpp"

namespace meshstow::storage {
namespace {

using ::testing::HasSubstr;

class Check : public OverEveryEngine {};
MESHSTOW_OVER_EVERY_ENGINE(Check);

void fill(Store& store) {
  ASSERT_TRUE(store.put("/private/m/deep/a", "1"));
  ASSERT_TRUE(store.put("/private/m/deep/a", "2"));
  ASSERT_TRUE(store.put("/public/m/b", some_bytes(200'000, 1)));
  ASSERT_TRUE(store.put("/private/m/gone", "3"));
  ASSERT_TRUE(store.remove("/private/m/gone"));
  ASSERT_TRUE(store.write(PutRecord{{1}, {2}}));
}

NodeRow row_named(LocalStore& engine, std::string_view key) {
  for (const NodeRow& row : engine.view().nodes(0, 100)) {
    if (base::as_text(row.key) == key) return row;
  }
  return {};
}

TEST_P(Check, finds_nothing_in_a_whole_store_and_counts_it) {
  Store store = make_store();
  fill(store);
  const CheckReport report = store.reader().check({});
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.documents, 2u);
  EXPECT_EQ(report.versions, 2u);
  EXPECT_EQ(report.bytes, 200'000u + 3u);
  EXPECT_GT(report.chunks, 1u);
}

struct Case {
  const char* finding;
  std::function<void(LocalStore&)> change;
};

// Each damage is done to a store of its own, behind its back.
void find_each(Engine kind, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    Store store(make_test_disk(kind));
    fill(store);
    store.expect_damage();
    store.close();
    auto engine = *store.disk().open();
    ASSERT_TRUE(engine->begin(true));
    one.change(*engine);
    ASSERT_TRUE(engine->commit());
    engine.reset();
    store.reopen();
    EXPECT_THAT(store.damages(), HasSubstr(one.finding));
    EXPECT_FALSE(store.reader().check({}).whole());
  }
}

// Bodies in the loose list are reclaimed; one that a document has must not be, whatever the list
// says.
TEST_P(Check, a_damaged_list_of_loose_bodies_costs_no_document) {
  Store store = make_store();
  fill(store);
  store.expect_damage();
  store.close();
  {
    auto engine = *store.disk().open();
    const auto contents = engine->view().contents(0, 100);
    ASSERT_TRUE(engine->begin(true));
    for (const auto& [id, row] : contents) engine->add_loose(id);
    ASSERT_TRUE(engine->commit());
  }
  store.reopen();
  store.reclaim_all();
  EXPECT_EQ(store.get("/private/m/deep/a"), "2");
  EXPECT_EQ(store.get("/public/m/b"), some_bytes(200'000, 1));
  EXPECT_THAT(store.damages(), HasSubstr("a body is lost"));
}

TEST_P(Check, a_document_whose_body_is_missing_is_damaged) {
  Store store = make_store();
  fill(store);
  store.expect_damage();
  store.close();
  {
    auto engine = *store.disk().open();
    ASSERT_TRUE(engine->begin(true));
    engine->remove_content(row_named(*engine, "b").content);
    ASSERT_TRUE(engine->commit());
  }
  store.reopen();
  const auto opened = store.open("/public/m/b");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().refusal, Refusal::corrupt);
}

TEST_P(Check, finds_what_is_wrong_with_folders) {
  find_each(GetParam(),
            {
                {"/public/m/: the folder's tag is wrong",
                 [](LocalStore& engine) {
                   const NodeRow row = engine.view().node(row_named(engine, "b").parent).value();
                   Hash32 digest = row.digest;
                   digest.bytes[31] ^= 1;
                   engine.set_folder(row.id, digest, row.live_children, row.children);
                 }},
                {"/public/m/: the number of things in the folder is wrong",
                 [](LocalStore& engine) {
                   const NodeRow row = engine.view().node(row_named(engine, "b").parent).value();
                   engine.set_folder(row.id, row.digest, row.live_children, row.children + 1);
                 }},
                {"/public/m/: the folder is empty and listed, or full and not listed",
                 [](LocalStore& engine) { engine.set_live(row_named(engine, "b").parent, false); }},
                {"/public/m/b: is both there and deleted",
                 [](LocalStore& engine) { engine.set_live(row_named(engine, "b").id, false); }},
            });
}

TEST_P(Check, finds_what_is_wrong_with_bodies_versions_and_counts) {
  find_each(
      GetParam(),
      {
          {"/public/m/b: the body is missing",
           [](LocalStore& engine) { engine.remove_content(row_named(engine, "b").content); }},
          {"a body has a wrong number of references",
           [](LocalStore& engine) { engine.set_references(row_named(engine, "b").content, 2); }},
          {"a chunk has a wrong number of references",
           [](LocalStore& engine) {
             engine.set_chunk_references(engine.view().chunks(0, 1).at(0).id, 7);
           }},
          {"/private/m/deep/a: the number of earlier versions is wrong",
           [](LocalStore& engine) { engine.remove_history(engine.view().history(0, 1).at(0).id); }},
          {"/private/m/deep/a: an earlier version is damaged",
           [](LocalStore& engine) {
             HistoryRow row = engine.view().history(0, 1).at(0);
             engine.remove_history(row.id);
             row.entry[30] ^= 1;
             engine.insert_history(row);
           }},
          {"the usage of the space is wrong",
           [](LocalStore& engine) { engine.remove_node(row_named(engine, "b").id); }},
          {"something is in a folder that is missing",
           [](LocalStore& engine) { engine.remove_node(row_named(engine, "b").parent); }},
          {"a record is damaged",
           [](LocalStore& engine) {
             const auto [key, value] = engine.view().records(Bytes{'R'}, {}, 1).at(0);
             engine.put_record(key, ByteView(value).first(value.size() - 1));
           }},
          {"the usage of the module is wrong",
           [](LocalStore& engine) {
             engine.remove_record(engine.view().records(Bytes{'U'}, {}, 1).at(0).first);
           }},
      });
}

}  // namespace
}  // namespace meshstow::storage
