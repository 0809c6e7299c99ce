// The space as a whole: history, quota, usage, fingerprint, records, incarnations, over every
// engine.
#include <gmock/gmock.h>
#include <numeric>

#include "storage/engines_for_test.hpp"
#include "storage/space_record.hpp"

namespace meshstow::storage {
namespace {

class Space : public OverEveryEngine {};
MESHSTOW_OVER_EVERY_ENGINE(Space);

ModuleUsage module_of(const Usage& usage, Category category, std::string_view name) {
  for (const ModuleUsage& module : usage.modules) {
    if (module.category == category && module.module == name) return module;
  }
  return {};
}

TEST_P(Space, keeps_earlier_versions_and_gives_them_back) {
  Store store = make_store();
  for (const std::string& body :
       {std::string("one"), some_bytes(200'000, 1), std::string("three")}) {
    ASSERT_TRUE(store.put("/private/m/a", body, {}, "type/" + std::to_string(body.size())));
  }
  ASSERT_TRUE(store.remove("/private/m/a"));
  const auto versions = store.versions("/private/m/a");
  ASSERT_EQ(versions.size(), 4u);
  EXPECT_TRUE(versions[0].deleted);
  EXPECT_EQ(versions[1].size, 5u);
  EXPECT_EQ(versions[2].size, 200'000u);
  EXPECT_EQ(versions[3].content_type, "type/3");

  const auto read_version = [&](const VersionId& version) {
    auto opened = Store::as<OpenedDocument>(
        store.read(OpenDocument{Store::path("/private/m/a"), version, {}, 0, 1 << 20}));
    return opened ? base::to_string(opened->first) : std::string(opened.error().detail);
  };
  EXPECT_EQ(read_version(versions[3].version), "one");
  EXPECT_EQ(read_version(versions[2].version), some_bytes(200'000, 1));
  EXPECT_EQ(store.open("/private/m/a").error().refusal, Refusal::not_found);

  const auto restored = Store::as<WriteResult>(
      store.write(RestoreVersion{Store::path("/private/m/a"), versions[2].version}));
  ASSERT_TRUE(restored);
  EXPECT_TRUE(restored->created);
  EXPECT_NE(restored->etag, versions[2].etag);
  EXPECT_EQ(store.get("/private/m/a"), some_bytes(200'000, 1));
  EXPECT_EQ(store.versions("/private/m/a").size(), 5u);
  store.reopen();
  EXPECT_EQ(store.get("/private/m/a"), some_bytes(200'000, 1));
  EXPECT_EQ(read_version(versions[3].version), "one");
}

TEST_P(Space, restoring_checks_what_it_is_asked) {
  Store store = make_store();
  const auto put = store.put("/private/m/a", "1");
  const auto removed = store.remove("/private/m/a");
  const auto restore = [&](std::string_view at, const VersionId& version) {
    return store.write(RestoreVersion{Store::path(at), version});
  };
  EXPECT_EQ(restore("/private/m/b", put->version).error().refusal, Refusal::not_found);
  EXPECT_EQ(restore("/private/m/a", {put->version.log, 99}).error().refusal, Refusal::not_found);
  EXPECT_EQ(restore("/private/m/a", removed->version).error().refusal, Refusal::malformed);
  ASSERT_TRUE(store.put("/private/m/a/b", "folder now"));
  EXPECT_EQ(restore("/private/m/a", put->version).error().refusal, Refusal::name_clash);
  EXPECT_EQ(store.versions("/private/m/a").size(), 2u);
}

TEST_P(Space, finds_a_version_by_a_unique_beginning) {
  Store store = make_store();
  std::vector<VersionId> versions;
  for (int i = 0; i < 11; ++i) versions.push_back(store.put("/private/m/a", "x")->version);
  const auto find = [&](std::string text) {
    return Store::as<VersionId>(
        store.read(FindVersion{Store::path("/private/m/a"), std::move(text)}));
  };
  EXPECT_EQ(*find(to_text(versions[5])), versions[5]);
  EXPECT_EQ(*find(to_text(versions[0])), versions[0]);  // also the beginning of ...-10 and ...-11
  EXPECT_EQ(find(to_text(versions[0]).substr(0, 12)).error().refusal, Refusal::malformed);
  EXPECT_EQ(find("zz").error().refusal, Refusal::not_found);
  EXPECT_EQ(find("").error().refusal, Refusal::not_found);
}

TEST_P(Space, history_is_bounded_in_number_and_age) {
  Store store = make_store({.history = {std::chrono::days{30}, 3}});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(store.put("/private/m/a", std::to_string(i)));
  EXPECT_EQ(store.versions("/private/m/a").size(), 4u);
  ASSERT_TRUE(store.put("/private/m/gone", "x"));
  ASSERT_TRUE(store.remove("/private/m/gone"));
  store.pass(std::chrono::days{29});
  store.reclaim_all();
  EXPECT_EQ(store.versions("/private/m/a").size(), 4u);
  ASSERT_TRUE(store.put("/private/m/a", "new"));
  store.pass(std::chrono::days{2});
  store.reclaim_all();
  EXPECT_EQ(store.versions("/private/m/a").size(), 2u);
  EXPECT_EQ(store.get("/private/m/a"), "new");
  EXPECT_TRUE(store.versions("/private/m/gone").empty());
  store.pass(std::chrono::days{31});
  store.reclaim_all();
  EXPECT_EQ(store.usage().history_bytes, 0u);
  EXPECT_EQ(store.versions("/private/m/a").size(), 1u);
}

TEST_P(Space, a_clock_set_back_ten_years_loses_no_history) {
  Store store = make_store();
  ASSERT_TRUE(store.put("/private/m/a", "1"));
  ASSERT_TRUE(store.put("/private/m/a", "2"));
  store.now().wall -= std::chrono::days{3650};
  ASSERT_TRUE(store.put("/private/m/a", "3"));
  store.now().mono += std::chrono::hours{2};
  store.reclaim_all();
  EXPECT_EQ(store.versions("/private/m/a").size(), 3u);
  store.reopen();
  ASSERT_TRUE(store.put("/private/m/a", "4"));
  ASSERT_TRUE(store.put("/private/m/new", "1"));
  ASSERT_TRUE(store.put("/private/m/new", "2"));
  store.now().wall += std::chrono::days{3651};  // right again
  store.now().mono += std::chrono::hours{2};
  store.reclaim_all();
  EXPECT_EQ(store.versions("/private/m/a").size(), 4u);
  EXPECT_EQ(store.versions("/private/m/new").size(), 2u);
  store.pass(std::chrono::days{30});
  store.reclaim_all();
  EXPECT_EQ(store.versions("/private/m/a").size(), 1u);
}

// What the store keeps of a document and of a deletion while `mishap` happens to the clock.
void expect_nothing_is_swept(Store store, const std::function<void(Store&)>& mishap) {
  ASSERT_TRUE(store.put("/private/m/a", "1"));
  ASSERT_TRUE(store.put("/private/m/a", "2"));
  ASSERT_TRUE(store.put("/private/m/gone", "x"));
  ASSERT_TRUE(store.remove("/private/m/gone"));
  mishap(store);
  store.now().mono += std::chrono::hours{2};
  store.now().wall += std::chrono::hours{2};
  store.reclaim_all();
  EXPECT_EQ(store.versions("/private/m/a").size(), 2U);
  EXPECT_EQ(store.versions("/private/m/gone").size(), 2U);
}

TEST_P(Space, a_clock_decades_wrong_for_a_minute_sweeps_nothing_whenever_it_comes) {
  for (const auto error : {-std::chrono::days{56 * 365}, std::chrono::days{14 * 365}}) {
    expect_nothing_is_swept(make_store(), [&](Store& store) {  // while it is open
      store.now().wall += error;
      store.pass(std::chrono::minutes{1});
      store.reclaim_all();
      store.now().wall -= error;
    });
    expect_nothing_is_swept(make_store(), [&](Store& store) {  // from one opening to the next
      store.now().wall += error;
      store.reopen();
      store.reclaim_all();
      store.pass(std::chrono::minutes{1});
      ASSERT_TRUE(store.put("/private/m/other", "written by the wrong clock"));
      store.now().wall -= error;
      store.reopen();
      store.reclaim_all();
    });
    expect_nothing_is_swept(make_store(), [&](Store& store) {  // only when it is closed
      store.close();
      store.now().wall += error;
      store.pass(std::chrono::minutes{1});
      store.reopen();
      store.now().wall -= error;
    });
  }
}

TEST_P(Space, history_ages_a_day_at_most_while_the_store_is_closed) {
  Store store = make_store({.history = {std::chrono::days{3}, 10}});
  ASSERT_TRUE(store.put("/private/m/a", "1"));
  ASSERT_TRUE(store.put("/private/m/a", "2"));
  const auto sleep = [&](Duration time) {
    store.close();
    store.now().wall += time;  // the machine is off: its monotonic clock begins anew
    store.now().mono = TimePoint{};
    store.reopen();
    store.reclaim_all();
    ASSERT_TRUE(store.put("/private/other/a", "x"));
  };
  sleep(std::chrono::days{1000});
  sleep(std::chrono::days{1});
  sleep(std::chrono::hours{23});
  EXPECT_EQ(store.versions("/private/m/a").size(), 2U);
  sleep(std::chrono::hours{2});
  EXPECT_EQ(store.versions("/private/m/a").size(), 1U);
}

TEST_P(Space, history_ages_while_nobody_writes_and_a_crash_forgets_hours_of_it) {
  Store store = make_store({.history = {std::chrono::days{30}, 10}});
  ASSERT_TRUE(store.put("/private/m/a", "1"));
  ASSERT_TRUE(store.put("/private/m/a", "2"));
  for (int hour = 0; hour < 29 * 24; ++hour) {
    store.pass(std::chrono::hours{1});
    store.reclaim_all();
  }
  store.now().wall -= std::chrono::days{10'000};  // between two runs nothing is counted
  store.reopen();
  store.reclaim_all();
  EXPECT_EQ(store.versions("/private/m/a").size(), 2U);
  for (int hour = 0; hour < 30; ++hour) {
    store.pass(std::chrono::hours{1});
    store.reclaim_all();
  }
  EXPECT_EQ(store.versions("/private/m/a").size(), 1U);
}

TEST_P(Space, a_jump_of_the_clock_holds_the_sweep_back_and_is_told) {
  Store store = make_store({.history = {std::chrono::days{30}, 10}});
  ASSERT_TRUE(store.put("/private/m/a", "1"));
  ASSERT_TRUE(store.put("/private/m/a", "2"));
  EXPECT_EQ(store.storage().take_clock_jump(), std::nullopt);
  store.now().wall += std::chrono::days{5000};
  store.now().mono += std::chrono::days{31};
  store.reclaim_all();
  const auto jump = store.storage().take_clock_jump();
  ASSERT_TRUE(jump);
  EXPECT_EQ(jump->by, std::chrono::days{5000 - 31});
  EXPECT_FALSE(jump->between_openings);
  EXPECT_EQ(store.storage().take_clock_jump(), std::nullopt);  // once
  EXPECT_EQ(store.usage().clock_jump, std::chrono::days{5000 - 31});
  EXPECT_TRUE(store.usage().sweep_is_held);
  EXPECT_EQ(store.versions("/private/m/a").size(), 2U);
  store.pass(LivedTime::kHold + std::chrono::hours{1});
  store.reclaim_all();
  EXPECT_FALSE(store.usage().sweep_is_held);
  EXPECT_EQ(store.versions("/private/m/a").size(), 1U);
  EXPECT_EQ(store.usage().clock_jump, std::chrono::days{5000 - 31});
}

TEST_P(Space, history_policy_can_differ_per_module_and_persists) {
  Store store = make_store({.history = {std::chrono::days{30}, 2}});
  ASSERT_TRUE(store.write(SetHistory{"all", HistoryPolicy::all()}));
  ASSERT_TRUE(store.write(SetHistory{"none", HistoryPolicy::none()}));
  store.reopen();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(store.put("/private/all/a", "x"));
    ASSERT_TRUE(store.put("/public/none/a", "x"));
    ASSERT_TRUE(store.put("/private/other/a", "x"));
  }
  store.pass(std::chrono::days{3000});
  store.reclaim_all();
  EXPECT_EQ(store.versions("/private/all/a").size(), 20u);
  EXPECT_EQ(store.versions("/public/none/a").size(), 1u);
  EXPECT_EQ(store.versions("/private/other/a").size(), 1u);
  ASSERT_TRUE(store.write(SetHistory{"all", HistoryPolicy{std::chrono::days{30000}, 5}}));
  store.reclaim_all();
  EXPECT_EQ(store.versions("/private/all/a").size(), 6u);
  ASSERT_TRUE(store.remove("/public/none/a"));
  EXPECT_TRUE(store.versions("/public/none/a").empty());
}

TEST_P(Space, counts_documents_and_bytes_per_module) {
  Store store = make_store();
  ASSERT_TRUE(store.put("/private/notes/a", "12345"));
  ASSERT_TRUE(store.put("/private/notes/deep/er/b", "123"));
  ASSERT_TRUE(store.put("/public/notes/a", "1"));
  ASSERT_TRUE(store.put("/private/direct", "12"));
  ASSERT_TRUE(store.put("/private/notes/a", "1234"));
  Usage usage = store.usage();
  EXPECT_EQ(usage.documents, 4u);
  EXPECT_EQ(usage.bytes, 10u);
  EXPECT_EQ(usage.history_bytes, 5u);
  EXPECT_FALSE(usage.quota);
  EXPECT_EQ(usage.space_left, UINT64_MAX);
  EXPECT_EQ(module_of(usage, Category::private_, "notes").documents, 2u);
  EXPECT_EQ(module_of(usage, Category::private_, "notes").bytes, 7u);
  EXPECT_EQ(module_of(usage, Category::public_, "notes").bytes, 1u);
  EXPECT_EQ(module_of(usage, Category::private_, "").bytes, 2u);
  ASSERT_TRUE(store.remove("/private/notes/a"));
  store.reopen();
  usage = store.usage();
  EXPECT_EQ(usage.documents, 3u);
  EXPECT_EQ(module_of(usage, Category::private_, "notes").bytes, 3u);
  EXPECT_EQ(module_of(usage, Category::private_, "notes").history_bytes, 9u);
}

TEST_P(Space, quota_of_the_space_is_kept_before_anything_is_written) {
  Store store = make_store({.quota = 1000});
  ASSERT_TRUE(store.put("/private/m/a", some_bytes(600, 1)));
  EXPECT_EQ(store.put("/private/m/b", some_bytes(401, 1)).error().refusal, Refusal::full);
  EXPECT_EQ(store.usage().space_left, 400u);
  ASSERT_TRUE(store.put("/private/m/b", some_bytes(400, 1)));
  ASSERT_TRUE(store.put("/private/m/a", some_bytes(600, 2)));
  EXPECT_FALSE(store.put("/private/m/a", some_bytes(601, 2)));
  EXPECT_EQ(store.write(BeginUpload{1, Store::path("/private/m/c"), 1}).error().refusal,
            Refusal::full);
  ASSERT_TRUE(store.write(SetQuota{std::nullopt, 500}));
  ASSERT_TRUE(store.put("/private/m/a", some_bytes(300, 2)));  // smaller is always possible
  EXPECT_FALSE(store.put("/private/m/c", "x"));
  store.reopen();
  EXPECT_EQ(store.usage().quota, 500u);
  EXPECT_EQ(store.usage().space_left, 0u);
  ASSERT_TRUE(store.write(SetQuota{std::nullopt, std::nullopt}));
  EXPECT_TRUE(store.put("/private/m/c", some_bytes(5000, 1)));
}

TEST_P(Space, quota_stops_an_upload_of_unknown_size_in_the_middle) {
  Store store = make_store({.quota = 1'000'000});
  ASSERT_TRUE(store.write(BeginUpload{1, Store::path("/private/m/a"), std::nullopt}));
  EXPECT_EQ(store.write(BeginUpload{2, Store::path("/private/m/a"), 1'000'001}).error().refusal,
            Refusal::full);
  const Bytes piece(400'000, 7);
  ASSERT_TRUE(store.write(AppendUpload{1, piece}));
  ASSERT_TRUE(store.write(AppendUpload{1, piece}));
  EXPECT_EQ(store.write(AppendUpload{1, piece}).error().refusal, Refusal::full);
  EXPECT_EQ(store.write(AppendUpload{1, {1}}).error().refusal, Refusal::full);
  EXPECT_EQ(
      store.write(PutDocument{Store::path("/private/m/a"), "t/t", {}, UploadId{1}}).error().refusal,
      Refusal::full);
  ASSERT_TRUE(store.write(AbortUpload{1}));
  EXPECT_EQ(store.usage().documents, 0u);
  EXPECT_TRUE(store.put("/private/m/a", some_bytes(900'000, 1)));
}

TEST_P(Space, quota_of_a_module_counts_its_categories_together) {
  Store store = make_store();
  ASSERT_TRUE(store.write(SetQuota{"m", 100}));
  store.reopen();
  ASSERT_TRUE(store.put("/private/m/a", some_bytes(60, 1)));
  EXPECT_EQ(store.put("/public/m/a", some_bytes(41, 1)).error().refusal, Refusal::full);
  ASSERT_TRUE(store.put("/public/m/a", some_bytes(40, 1)));
  ASSERT_TRUE(store.put("/private/n/a", some_bytes(4000, 1)));
  EXPECT_EQ(module_of(store.usage(), Category::public_, "m").quota, 100u);
}

TEST_P(Space, history_gives_way_to_the_quota) {
  Store store = make_store({.quota = 1000});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(store.put("/private/m/a", some_bytes(400, 1)));
  store.reclaim_all();
  const Usage usage = store.usage();
  EXPECT_EQ(usage.bytes, 400u);
  EXPECT_LE(usage.bytes + usage.history_bytes, 1000u);
  EXPECT_EQ(store.versions("/private/m/a").size(), 2u);
}

TEST_P(Space, fingerprint_tells_states_apart_and_survives_a_restart) {
  Store store = make_store();
  const auto empty = store.usage().fingerprint;
  ASSERT_TRUE(store.put("/private/m/a", "1"));
  const auto one = store.usage().fingerprint;
  EXPECT_NE(one, empty);
  store.reopen();
  EXPECT_EQ(store.usage().fingerprint, one);
  ASSERT_TRUE(store.remove("/private/m/a"));
  EXPECT_NE(store.usage().fingerprint, one);
  EXPECT_NE(store.usage().fingerprint, empty);  // the deletion is known of
  const auto deleted = store.usage().fingerprint;
  store.pass(std::chrono::days{100});
  store.reclaim_all();
  EXPECT_EQ(store.usage().fingerprint, deleted);  // forgetting history is no change
}

TEST_P(Space, a_damaged_record_hides_no_other) {
  Store store = make_store();
  ASSERT_TRUE(store.write(PutRecord{{'a', '1'}, {1}}));
  ASSERT_TRUE(store.write(PutRecord{{'a', '2'}, {2}}));
  store.expect_damage();
  store.close();
  {
    auto engine = *store.disk().open();
    const auto page = engine->view().records(record_key(RecordKind::user), {}, 10);
    ASSERT_EQ(page.size(), 2U);
    ASSERT_TRUE(engine->begin(true));
    Bytes value = page[0].second;
    value.back() ^= 1;
    engine->put_record(page[0].first, value);
    ASSERT_TRUE(engine->commit());
  }
  store.reopen();
  const auto list = Store::as<RecordList>(store.read(ListRecords{{'a'}}));
  ASSERT_TRUE(list);
  ASSERT_EQ(list->records.size(), 1U);
  EXPECT_EQ(list->records[0].first, (Bytes{'a', '2'}));
  ASSERT_EQ(list->damaged.size(), 1U);
  EXPECT_EQ(list->damaged[0], (Bytes{'a', '1'}));
}

TEST_P(Space, keeps_records_of_the_layers_above) {
  Store store = make_store();
  const auto put = [&](std::string_view key, std::string_view value) {
    return store.write(
        PutRecord{base::to_bytes(base::as_bytes(key)), base::to_bytes(base::as_bytes(value))});
  };
  const auto get = [&](std::string_view key) -> std::string {
    auto list = Store::as<RecordList>(store.read(GetRecord{base::to_bytes(base::as_bytes(key))}));
    return list ? base::to_string(list->records.at(0).second) : "none";
  };
  ASSERT_TRUE(put("token/1", "one"));
  ASSERT_TRUE(put("token/2", ""));
  ASSERT_TRUE(put("other", "x"));
  ASSERT_TRUE(put("token/1", "uno"));
  store.reopen();
  EXPECT_EQ(get("token/1"), "uno");
  EXPECT_EQ(get("token/2"), "");
  EXPECT_EQ(get("token/3"), "none");
  auto list =
      Store::as<RecordList>(store.read(ListRecords{base::to_bytes(base::as_bytes("token/"))}));
  ASSERT_EQ(list->records.size(), 2u);
  EXPECT_EQ(base::to_string(list->records[0].first), "token/1");
  ASSERT_TRUE(store.write(RemoveRecord{base::to_bytes(base::as_bytes("token/1"))}));
  EXPECT_EQ(get("token/1"), "none");
  std::vector<Operation> many;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    Bytes key{'n'};
    base::append_big_endian(key, i);
    many.push_back(PutRecord{key, key});
  }
  store.write_all(std::move(many));
  EXPECT_EQ(Store::as<RecordList>(store.read(ListRecords{{'n'}}))->records.size(), 1000u);
  EXPECT_EQ(Store::as<RecordList>(store.read(ListRecords{{}}))->records.size(), 1002u);
}

TEST_P(Space, a_store_that_its_keeper_does_not_know_starts_a_new_log) {
  Store store = make_store();
  const auto first = store.put("/private/m/a", "1");
  StorageOptions options;
  options.expected_token = store.storage().incarnation_token();
  store.reopen(options);
  EXPECT_EQ(store.storage().log(), first->version.log);
  EXPECT_EQ(store.storage().incarnation_token(), *options.expected_token);
  ASSERT_TRUE(store.put("/private/m/b", "1"));
  EXPECT_NE(store.storage().incarnation_token(), *options.expected_token);
  store.reopen(options);  // the token of an opening ago: the store is another than the keeper's
  EXPECT_NE(store.storage().log(), first->version.log);
  const auto second = store.put("/private/m/a", "2");
  EXPECT_EQ(second->version.sequence, 1u);
  EXPECT_NE(second->etag, first->etag);
  const auto fingerprint = store.usage().fingerprint;
  store.reopen(StorageOptions{});
  EXPECT_EQ(store.storage().log(), second->version.log);
  EXPECT_EQ(store.usage().fingerprint, fingerprint);
  store.reopen(StorageOptions{.force_new_log = true});
  EXPECT_NE(store.storage().log(), second->version.log);
  ASSERT_TRUE(store.storage().start_new_log());
  ASSERT_TRUE(store.put("/private/m/a", "3"));
  EXPECT_EQ(store.versions("/private/m/a").size(), 3u);
}

TEST_P(Space, foreign_keys_do_not_open_it) {
  auto disk = make_test_disk(GetParam());
  { Store store(disk); }
  base::SeededRng rng(1);
  auto opened = RemoteStorage::open(*disk->open(), make_plain_sealer(99), rng, {}, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace meshstow::storage
