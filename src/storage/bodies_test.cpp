// Bodies large and small: chunks, ranges, uploads in pieces, and what damage does, over every
// engine.
#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "storage/chunker.hpp"
#include "storage/engines_for_test.hpp"

namespace meshstow::storage {
namespace {

class Bodies : public OverEveryEngine {};
MESHSTOW_OVER_EVERY_ENGINE(Bodies);

TEST_P(Bodies, of_every_size_come_back_whole) {
  Store store = make_store();
  for (std::size_t size :
       {limits::kInlineDocument - 1, limits::kInlineDocument, limits::kInlineDocument + 1,
        std::size_t{300'000}, std::size_t{3'000'001}}) {
    for (const std::string at : {"/private/m/a", "/public/m/a"}) {
      const std::string body = some_bytes(size, size);
      const auto put = store.put(at, body);
      ASSERT_TRUE(put) << size << put.error().detail;
      EXPECT_EQ(store.get(at), body) << size;
      EXPECT_EQ(store.open(at, 0, 0)->info.size, size);
    }
  }
}

TEST_P(Bodies, are_read_by_ranges) {
  Store store = make_store();
  const std::string body = some_bytes(1'000'000, 3);
  ASSERT_TRUE(store.put("/private/m/a", body));
  for (std::uint64_t offset : {0u, 1u, 65'535u, 500'000u, 999'999u, 1'000'000u, 2'000'000u}) {
    for (std::size_t size : {1u, 100u, 70'000u, 400'000u}) {
      auto opened = store.open("/private/m/a", offset, size);
      ASSERT_TRUE(opened);
      const std::string expected = offset < body.size() ? body.substr(offset, size) : "";
      EXPECT_EQ(base::to_string(opened->first), expected) << offset << "+" << size;
      EXPECT_EQ(opened->handle == 0, offset + size >= body.size());
      ASSERT_TRUE(store.read(CloseDocument{opened->handle}));
    }
  }
}

TEST_P(Bodies, a_handle_reads_the_version_it_opened_whatever_happens_to_the_document) {
  Store store = make_store({.history = HistoryPolicy::none()});
  for (std::size_t size : {std::size_t{50'000}, std::size_t{1'000'000}}) {
    const std::string body = some_bytes(size, 4);
    ASSERT_TRUE(store.put("/private/m/a", body));
    const auto opened = store.open("/private/m/a", 0, 10);
    ASSERT_TRUE(opened);
    ASSERT_NE(opened->handle, 0u);
    ASSERT_TRUE(store.put("/private/m/a", "new"));
    ASSERT_TRUE(store.remove("/private/m/a"));
    store.reclaim_all();
    std::string read;
    while (read.size() < body.size()) {
      auto piece =
          Store::as<ReadPiece>(store.read(ReadDocument{opened->handle, read.size(), 100'000}));
      ASSERT_TRUE(piece) << piece.error().detail;
      ASSERT_FALSE(piece->bytes.empty());
      read += base::to_string(piece->bytes);
    }
    EXPECT_EQ(read, body);
    ASSERT_TRUE(store.read(CloseDocument{opened->handle}));
    store.reclaim_all();
    EXPECT_FALSE(store.read(ReadDocument{opened->handle, 0, 10}));
  }
}

TEST_P(Bodies, arrive_in_pieces_of_any_size) {
  Store store = make_store();
  UploadId id = 0;
  for (std::size_t total : {0u, 10u, 65'536u, 65'537u, 1'500'000u}) {
    for (std::size_t step : {1'000u, 65'536u, 1'000'000u}) {
      const std::string body = some_bytes(total, total + step);
      ASSERT_TRUE(store.write(BeginUpload{++id, Store::path("/private/m/a"), std::nullopt}));
      for (std::size_t at = 0; at < total; at += step) {
        ASSERT_TRUE(
            store.write(AppendUpload{id, base::to_bytes(base::as_bytes(body.substr(at, step)))}));
      }
      ASSERT_TRUE(store.write(PutDocument{Store::path("/private/m/a"), "t/t", {}, id}));
      EXPECT_EQ(store.get("/private/m/a"), body) << total << " by " << step;
      EXPECT_FALSE(store.write(AppendUpload{id, {1}}));
    }
  }
}

TEST_P(Bodies, an_upload_is_invisible_until_it_is_named_and_leaves_nothing_if_it_is_not) {
  Store store = make_store({.history = HistoryPolicy::none()});
  const std::string body = some_bytes(600'000, 5);
  ASSERT_TRUE(store.write(BeginUpload{1, Store::path("/private/m/a"), 600'000}));
  ASSERT_TRUE(store.write(AppendUpload{1, base::to_bytes(base::as_bytes(body))}));
  store.reclaim_all();  // does not touch what is under way
  EXPECT_EQ(store.open("/private/m/a").error().refusal, Refusal::not_found);
  EXPECT_TRUE(store.list("/").items.empty());
  ASSERT_TRUE(store.write(BeginUpload{2, Store::path("/private/m/b"), std::nullopt}));
  ASSERT_TRUE(store.write(AppendUpload{2, base::to_bytes(base::as_bytes(body))}));
  ASSERT_TRUE(store.write(AbortUpload{2}));
  ASSERT_TRUE(store.write(PutDocument{Store::path("/private/m/a"), "t/t", {}, UploadId{1}}));
  store.reclaim_all();
  EXPECT_EQ(store.get("/private/m/a"), body);

  ASSERT_TRUE(store.write(BeginUpload{3, Store::path("/private/m/c"), std::nullopt}));
  ASSERT_TRUE(store.write(AppendUpload{3, base::to_bytes(base::as_bytes(some_bytes(600'000, 6)))}));
  store.reopen();
  EXPECT_EQ(store.write(AppendUpload{3, {1}}).error().refusal, Refusal::not_found);
  ASSERT_TRUE(store.remove("/private/m/a"));
  store.reclaim_all();
  store.close();
  auto engine = store.disk().open();
  EXPECT_TRUE((*engine)->view().chunks(0, 10).empty());
  EXPECT_TRUE((*engine)->view().contents(0, 10).empty());
  EXPECT_TRUE((*engine)->view().loose(0, 10).empty());
}

TEST_P(Bodies, an_upload_belongs_to_the_kind_of_category_it_was_begun_for) {
  Store store = make_store();
  ASSERT_TRUE(store.write(BeginUpload{1, Store::path("/private/m/a"), std::nullopt}));
  EXPECT_FALSE(store.write(BeginUpload{1, Store::path("/private/m/b"), std::nullopt}));
  ASSERT_TRUE(store.write(AppendUpload{1, {1, 2, 3}}));
  EXPECT_EQ(
      store.write(PutDocument{Store::path("/public/m/a"), "t/t", {}, UploadId{1}}).error().refusal,
      Refusal::malformed);
  EXPECT_TRUE(store.write(PutDocument{Store::path("/shared/m/a"), "t/t", {}, UploadId{1}}));
}

std::size_t count_chunks(Store& store) {
  store.close();
  auto engine = store.disk().open();
  const std::size_t count = (*engine)->view().chunks(0, 1'000'000).size();
  engine->reset();
  store.reopen();
  return count;
}

TEST_P(Bodies, equal_chunks_are_stored_once_and_a_small_edit_stores_little) {
  Store store = make_store();
  std::string body = some_bytes(6'000'000, 8);
  ASSERT_TRUE(store.put("/private/m/a", body));
  const std::size_t one = count_chunks(store);
  EXPECT_GT(one, 40u);
  EXPECT_LT(one, 200u);
  ASSERT_TRUE(store.put("/private/m/b", body));
  ASSERT_TRUE(store.put("/shared/n/c", body));
  EXPECT_EQ(count_chunks(store), one);
  body.insert(3'000'000, "an edit in the middle that moves everything behind it");
  ASSERT_TRUE(store.put("/private/m/b", body));
  EXPECT_LE(count_chunks(store), one + 4);
  EXPECT_EQ(store.get("/private/m/b"), body);
}

TEST_P(Bodies, chunks_go_with_their_last_reference) {
  Store store = make_store({.history = HistoryPolicy::none()});
  const std::string body = some_bytes(2'000'000, 9);
  ASSERT_TRUE(store.put("/private/m/a", body));
  ASSERT_TRUE(store.put("/private/m/b", body));
  ASSERT_TRUE(store.remove("/private/m/a"));
  store.reclaim_all();
  EXPECT_EQ(store.get("/private/m/b"), body);
  ASSERT_TRUE(store.remove("/private/m/b"));
  store.reclaim_all();
  EXPECT_EQ(count_chunks(store), 0u);
}

// Does something to the engine behind the store's back.
void damage(Store& store, const std::function<void(LocalStore&)>& change) {
  store.expect_damage();
  store.close();
  auto engine = store.disk().open();
  ASSERT_TRUE((*engine)->begin(true));
  change(**engine);
  ASSERT_TRUE((*engine)->commit());
  engine->reset();
  store.reopen();
}

ContentId only_content(LocalStore& engine) { return engine.view().contents(0, 2).at(0).first; }

TEST_P(Bodies, damage_to_chunks_is_found_and_never_served) {
  const auto reorder = [](LocalStore& engine) {
    const ContentId content = only_content(engine);
    auto pieces = engine.view().pieces(content, 0, 100);
    for (const PieceRow& piece : pieces) engine.remove_piece(content, piece.offset);
    std::swap(pieces[0].chunk, pieces[1].chunk);
    for (const PieceRow& piece : pieces) engine.insert_piece(content, piece);
  };
  const auto cut_short = [](LocalStore& engine) {
    const ContentId content = only_content(engine);
    engine.remove_piece(content, engine.view().pieces(content, 0, 100).back().offset);
  };
  const auto gap = [](LocalStore& engine) {
    const ContentId content = only_content(engine);
    engine.remove_piece(content, engine.view().pieces(content, 0, 100).at(2).offset);
  };
  const auto substitute = [](LocalStore& engine) {
    const auto chunks = engine.view().chunks(0, 2);
    const Bytes other = *engine.view().chunk_data(chunks[1].id);
    engine.remove_chunk(chunks[0].id);
    engine.insert_chunk(chunks[0], other);
  };
  const auto rot = [](LocalStore& engine) {
    const auto chunks = engine.view().chunks(0, 2);
    Bytes data = *engine.view().chunk_data(chunks[0].id);
    data[data.size() / 2] ^= 1;
    engine.remove_chunk(chunks[0].id);
    engine.insert_chunk(chunks[0], data);
  };
  const auto lose = [](LocalStore& engine) {
    engine.remove_chunk(engine.view().chunks(0, 1).at(0).id);
  };
  const std::vector<std::function<void(LocalStore&)>> damages = {reorder,    cut_short, gap,
                                                                 substitute, rot,       lose};
  for (std::size_t i = 0; i < damages.size(); ++i) {
    for (const std::string at : {"/private/m/a", "/public/m/a"}) {
      Store store = make_store();
      const std::string body = some_bytes(1'000'000, 10);
      ASSERT_TRUE(store.put(at, body));
      damage(store, damages[i]);
      const auto opened = store.open(at);
      ASSERT_FALSE(opened) << i << " " << at;
      EXPECT_EQ(opened.error().refusal, Refusal::corrupt) << i << " " << at;
      EXPECT_THAT(store.damages(), ::testing::HasSubstr(at + ": "));
      ASSERT_TRUE(store.put("/private/m/other", "still usable"));
    }
  }
}

TEST_P(Bodies, damage_to_small_documents_and_entries_is_found_and_never_served) {
  for (const std::string at : {"/private/m/a", "/public/m/a"}) {
    Store store = make_store();
    ASSERT_TRUE(store.put(at, "some text"));
    damage(store, [](LocalStore& engine) {
      const ContentId content = only_content(engine);
      ContentRow row = *engine.view().content(content);
      row.body.at(3) ^= 1;
      engine.remove_content(content);
      engine.insert_content(content, row);
    });
    EXPECT_EQ(store.open(at).error().refusal, Refusal::corrupt);
    EXPECT_EQ(store.damages(), at + ": the body is damaged\n");
    damage(store, [](LocalStore& engine) {
      NodeRow node = engine.view().nodes(0, 100).back();
      node.entry.at(20) ^= 1;
      engine.update_node(node);
    });
    EXPECT_EQ(store.open(at).error().refusal, Refusal::corrupt);
    EXPECT_EQ(store.put(at, "x").error().refusal, Refusal::corrupt);
  }
}

TEST_P(Bodies, writing_a_rotten_chunk_again_heals_it) {
  Store store = make_store();
  const std::string body = some_bytes(500'000, 11);
  ASSERT_TRUE(store.put("/private/m/a", body));
  damage(store, [](LocalStore& engine) {
    const ChunkRow chunk = engine.view().chunks(0, 1).at(0);
    engine.remove_chunk(chunk.id);
    engine.insert_chunk(chunk, Bytes{1, 2, 3});
  });
  EXPECT_EQ(store.open("/private/m/a").error().refusal, Refusal::corrupt);
  ASSERT_TRUE(store.put("/private/m/b", body));
  EXPECT_EQ(store.get("/private/m/a"), body);
  EXPECT_EQ(store.get("/private/m/b"), body);
}

TEST(Chunker, cuts_alike_however_the_bytes_arrive) {
  const GearTable gear = make_gear_table(Hash32{});
  const std::string body = some_bytes(3'000'000, 12);
  std::vector<std::size_t> expected;
  for (std::size_t step : {3'000'000u, 100'000u, 4'097u, 333u}) {
    Chunker chunker(gear);
    std::vector<std::size_t> sizes;
    std::string joined;
    const auto take = [&](const Bytes& chunk) {
      sizes.push_back(chunk.size());
      joined += base::to_string(chunk);
    };
    for (std::size_t at = 0; at < body.size(); at += step) {
      chunker.feed(base::as_bytes(std::string_view(body).substr(at, step)));
      while (auto chunk = chunker.next()) take(*chunk);
    }
    if (const Bytes last = chunker.finish(); !last.empty()) take(last);
    EXPECT_EQ(joined, body);
    if (expected.empty()) expected = sizes;
    EXPECT_EQ(sizes, expected);
  }
  const std::size_t mean = body.size() / expected.size();
  EXPECT_GT(mean, kMeanChunk / 2);
  EXPECT_LT(mean, kMeanChunk * 2);
  for (std::size_t i = 0; i + 1 < expected.size(); ++i) {
    EXPECT_GE(expected[i], kMinChunk);
    EXPECT_LE(expected[i], kMaxChunk);
  }
}

TEST(Chunker, cuts_differently_under_another_key) {
  const std::string body = some_bytes(2'000'000, 13);
  const auto first_cut = [&](Byte key_byte) {
    Hash32 key;
    key.bytes[0] = key_byte;
    const GearTable gear = make_gear_table(key);
    Chunker chunker(gear);
    chunker.feed(base::as_bytes(body));
    return chunker.next()->size();
  };
  EXPECT_NE(first_cut(1), first_cut(2));
}

}  // namespace
}  // namespace meshstow::storage
