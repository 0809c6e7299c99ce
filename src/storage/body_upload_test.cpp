// One body on its way to the store: pieces, back-pressure, places, ends.
#include "storage/body_upload.hpp"

#include <gtest/gtest.h>
#include <memory>

namespace meshstow::storage {
namespace {

using Step = BodyUpload::Step;

class BodyUploadTest : public testing::Test {
 protected:
  std::unique_ptr<BodyUpload> make(std::optional<std::uint64_t> size = {},
                                   base::Holder who = base::Holder::owner()) {
    return std::make_unique<BodyUpload>(uploads, who, ++last_id,
                                        StoragePath::parse("/public/n/a").value(), size);
  }
  // What it asks now.
  static std::vector<BodyUpload::Asked> drain(BodyUpload& upload) {
    std::vector<BodyUpload::Asked> out;
    while (auto asked = upload.next()) out.push_back(std::move(*asked));
    return out;
  }
  static std::vector<Step> steps(const std::vector<BodyUpload::Asked>& asked) {
    std::vector<Step> out;
    for (const auto& each : asked) out.push_back(each.step);
    return out;
  }
  static Outcome<Answer> done() { return Answer(Done{}); }
  static Outcome<Answer> failed(Refusal why) { return tl::unexpected(Failure{why, "", {}}); }

  Uploads uploads;
  const base::Shares& places = uploads.places;
  UploadId last_id = 0;
};

TEST_F(BodyUploadTest, keeps_a_small_body_for_its_commit) {
  const auto upload = make();
  EXPECT_TRUE(upload->wants_more());
  upload->take(Bytes(limits::kInlineDocument, 'x'));
  EXPECT_TRUE(drain(*upload).empty());
  EXPECT_FALSE(upload->is_whole());
  upload->end();
  EXPECT_TRUE(upload->is_whole());
  upload->commit("text/plain", {});
  auto asked = drain(*upload);
  ASSERT_EQ(steps(asked), std::vector<Step>{Step::put});
  const auto& put = std::get<PutDocument>(asked.front().operation);
  EXPECT_EQ(put.content_type, "text/plain");
  EXPECT_EQ(std::get<Bytes>(put.body).size(), limits::kInlineDocument);
  upload->answered(Step::put, Answer(WriteResult{.created = true}));
  ASSERT_TRUE(upload->written());
  EXPECT_TRUE(upload->written()->created);
  EXPECT_EQ(places.counts().most, 0U);
  EXPECT_EQ(uploads.small.counts().most, limits::kInlineDocument);
  EXPECT_EQ(uploads.small.counts().all(), 0U);
}

TEST_F(BodyUploadTest, takes_an_empty_content_type_for_none) {
  const auto upload = make();
  upload->end();
  upload->commit("", {});
  const auto asked = drain(*upload);
  ASSERT_EQ(steps(asked), std::vector<Step>{Step::put});
  EXPECT_EQ(std::get<PutDocument>(asked.front().operation).content_type,
            "application/octet-stream");
}

TEST_F(BodyUploadTest, stores_a_body_of_no_bytes) {
  const auto upload = make(0);
  upload->end();
  ASSERT_TRUE(upload->is_whole());
  upload->commit("text/plain", {});
  auto asked = drain(*upload);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_TRUE(std::get<Bytes>(std::get<PutDocument>(asked[0].operation).body).empty());
}

TEST_F(BodyUploadTest, gives_a_large_body_on_in_order_and_no_faster_than_it_is_taken) {
  const auto upload = make();
  Bytes sent, stored;
  for (int i = 0; i < 10; ++i) sent.insert(sent.end(), 100'000, static_cast<Byte>(i));
  upload->take(sent);
  EXPECT_FALSE(upload->wants_more());
  auto asked = drain(*upload);
  ASSERT_EQ(steps(asked), (std::vector<Step>{Step::begin, Step::append, Step::append}));
  EXPECT_TRUE(drain(*upload).empty());
  upload->end();
  EXPECT_EQ(places.counts().owner, 1U);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    EXPECT_FALSE(upload->is_whole());
    if (auto* append = std::get_if<AppendUpload>(&asked[i].operation)) {
      EXPECT_LE(append->piece.size(), limits::kBodyPiece);
      base::append(stored, append->piece);
    }
    upload->answered(asked[i].step, done());
    for (auto& more : drain(*upload)) asked.push_back(std::move(more));
  }
  EXPECT_EQ(stored, sent);
  ASSERT_TRUE(upload->is_whole());
  upload->commit("text/plain", {});
  asked = drain(*upload);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(std::get<UploadId>(std::get<PutDocument>(asked[0].operation).body), last_id);
  upload->answered(Step::put, Answer(WriteResult{}));
  EXPECT_EQ(places.counts().all(), 0U);
  EXPECT_TRUE(drain(*upload).empty());
}

TEST_F(BodyUploadTest, asks_for_its_place_before_anything_is_sent) {
  const auto upload = make(10'000'000);
  upload->begin();
  EXPECT_FALSE(upload->wants_more());
  auto asked = drain(*upload);
  ASSERT_EQ(steps(asked), std::vector<Step>{Step::begin});
  EXPECT_EQ(std::get<BeginUpload>(asked[0].operation).announced_size, 10'000'000U);
  upload->answered(Step::begin, done());
  EXPECT_TRUE(upload->wants_more());
}

TEST_F(BodyUploadTest, is_refused_and_leaves_its_place_when_the_store_refuses) {
  for (const Step at : {Step::begin, Step::append, Step::put}) {
    const auto upload = make();
    upload->take(Bytes(limits::kInlineDocument + 1, 'x'));
    upload->end();
    Step step = Step::begin;
    for (auto asked = drain(*upload); !upload->refused();) {
      if (asked.empty()) {
        upload->commit("text/plain", {});
        asked = drain(*upload);
      }
      step = asked.front().step;
      upload->answered(step, step == at ? failed(Refusal::full) : done());
      asked.erase(asked.begin());
      if (step == at) break;
    }
    ASSERT_TRUE(upload->refused());
    EXPECT_EQ(upload->refused()->refusal, Refusal::full);
    EXPECT_EQ(steps(drain(*upload)), std::vector<Step>{Step::abort});
    EXPECT_EQ(places.counts().all(), 0U);
    upload->take(Bytes(1'000'000, 'x'));
    EXPECT_TRUE(drain(*upload).empty());
  }
}

TEST_F(BodyUploadTest, is_over_when_it_is_aborted_unless_its_commit_is_under_way) {
  const auto unsent = make(1'000'000);
  unsent->begin();
  unsent->abort();  // the store has not heard of it
  EXPECT_TRUE(drain(*unsent).empty());
  EXPECT_EQ(places.counts().all(), 0U);

  const auto upload = make(limits::kInlineDocument + 1);
  upload->take(Bytes(limits::kInlineDocument + 1, 'x'));
  upload->end();
  for (auto& asked : drain(*upload)) upload->answered(asked.step, done());
  for (auto& asked : drain(*upload)) upload->answered(asked.step, done());
  upload->commit("text/plain", {});
  ASSERT_EQ(steps(drain(*upload)), std::vector<Step>{Step::put});
  upload->abort();
  EXPECT_TRUE(drain(*upload).empty());
  upload->answered(Step::put, failed(Refusal::precondition_failed));
  EXPECT_EQ(steps(drain(*upload)), std::vector<Step>{Step::abort});
  EXPECT_EQ(places.counts().all(), 0U);
}

TEST_F(BodyUploadTest, takes_no_place_from_the_owner_or_from_the_next_guest) {
  std::vector<std::unique_ptr<BodyUpload>> held;
  const auto begin = [&](const base::Holder& who) {
    held.push_back(make({}, who));
    held.back()->take(Bytes(limits::kInlineDocument + 1, 'x'));
    drain(*held.back());
    return !held.back()->refused();
  };
  const auto fill = [&](Byte guest) {
    std::size_t count = 0;
    while (begin(base::Holder::guest(Bytes{guest}))) ++count;
    return count;
  };
  const std::size_t common = limits::kUploads - limits::kUploadsOfOwner;
  EXPECT_EQ(fill(1), common / 2);
  EXPECT_EQ(held.back()->refused()->refusal, Refusal::unavailable);
  EXPECT_TRUE(begin(base::Holder::guest(Bytes{2})));
  for (Byte guest = 3; guest < 200; ++guest) fill(guest);
  EXPECT_EQ(places.counts().guests, common);
  for (std::size_t i = 0; i < limits::kUploadsOfOwner; ++i) {
    EXPECT_TRUE(begin(base::Holder::owner()));
  }
  EXPECT_FALSE(begin(base::Holder::owner()));
  EXPECT_EQ(places.counts().all(), limits::kUploads);
}

TEST_F(BodyUploadTest, small_bodies_of_one_guest_leave_room_for_others_and_for_the_owner) {
  std::vector<std::unique_ptr<BodyUpload>> held;
  const auto send = [&](const base::Holder& who) {
    held.push_back(make({}, who));
    held.back()->take(Bytes(limits::kInlineDocument, 'x'));
    return !held.back()->refused();
  };
  const auto fill = [&](Byte guest) {
    while (send(base::Holder::guest(Bytes{guest}))) {
    }
    return held.back()->refused()->refusal;
  };
  const std::size_t common = limits::kSmallBodies - limits::kSmallBodiesOfOwner;
  EXPECT_EQ(fill(1), Refusal::unavailable);
  EXPECT_EQ(uploads.small.counts().guests, common / 2);
  EXPECT_TRUE(send(base::Holder::guest(Bytes{2})));
  for (Byte guest = 3; guest < 100; ++guest) fill(guest);
  EXPECT_EQ(uploads.small.counts().guests, common);
  EXPECT_TRUE(send(base::Holder::owner()));
  held.clear();
  EXPECT_EQ(uploads.small.counts().all(), 0U);
}

TEST(UploadPace, is_too_slow_below_the_least_and_forgives) {
  const TimePoint start{std::chrono::seconds(100)};
  const auto patience = limits::kUploadPatience;
  UploadPace pace;
  EXPECT_FALSE(pace.is_too_slow(start, 0));
  EXPECT_FALSE(pace.is_too_slow(start + patience / 2, 0));
  EXPECT_FALSE(pace.is_too_slow(start + patience, limits::kUploadLeast));
  EXPECT_FALSE(pace.is_too_slow(start + patience * 3 / 2, limits::kUploadLeast));
  pace.forgive(start + patience * 19 / 10, limits::kUploadLeast);
  EXPECT_FALSE(pace.is_too_slow(start + 2 * patience, limits::kUploadLeast));
  EXPECT_TRUE(pace.is_too_slow(start + 3 * patience, 2 * limits::kUploadLeast - 1));
}

}  // namespace
}  // namespace meshstow::storage
