#include "protocol/announcement.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "codec/msgpack.hpp"

namespace meshstow::protocol {
namespace {

Announcement example(std::uint64_t space) {
  return {.capabilities = {"store"},
          .space_available = space,
          .timestamp = base::wall_from_unix_seconds(1'772'366'400),
          .fingerprint = FixedBytes<8>{{1, 2, 3, 4, 5, 6, 7, 8}}};
}

TEST(Announcement, of_a_node_that_stores_takes_24_to_32_bytes_and_reads_back) {
  EXPECT_EQ(write_announcement(example(0)).size(), 24U);
  EXPECT_EQ(write_announcement(example(std::numeric_limits<std::uint64_t>::max())).size(), 32U);
  for (const std::uint64_t space : {0ULL, 127ULL, 65536ULL, 1ULL << 40, ~0ULL}) {
    const auto read = read_announcement(write_announcement(example(space)));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->capabilities, std::vector<std::string>{"store"});
    EXPECT_EQ(read->space_available, space);
    EXPECT_EQ(read->timestamp, example(space).timestamp);
    EXPECT_EQ(read->fingerprint, example(space).fingerprint);
  }
}

TEST(Announcement, may_lack_a_fingerprint) {
  Announcement plain = example(5);
  plain.fingerprint.reset();
  const auto read = read_announcement(write_announcement(plain));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->fingerprint, std::nullopt);
}

TEST(Announcement, of_a_newer_node_or_of_python_is_understood) {
  codec::MsgpackWriter writer;
  writer.array(6).array(1).string("store").integer(7).float64(1'772'366'400.75);
  writer.nil().map(1).string("x").nil().boolean(true);
  const auto read = read_announcement(writer.bytes());
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(base::unix_seconds(read->timestamp), 1'772'366'400);
  EXPECT_EQ(read->fingerprint, std::nullopt);
}

TEST(Announcement, in_json_is_understood_with_the_seeds_names) {
  const std::string_view utc =
      R"({"type": "storage_node", "capabilities": ["store"], "space_available": 1024,)"
      R"( "timestamp": "2026-03-01T12:00:00.000001Z", "fingerprint": "0102030405060708"})";
  const auto read = read_announcement(base::as_bytes(utc));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->capabilities, std::vector<std::string>{"store"});
  EXPECT_EQ(read->space_available, 1024U);
  EXPECT_EQ(base::unix_seconds(read->timestamp), 1'772'366'400);
  EXPECT_TRUE(read->fingerprint);
  // datetime.now().isoformat() of the seed has no zone.
  const std::string_view local = R"({"type":"storage_node","capabilities":[],"space_available":0,)"
                                 R"("timestamp":"2026-03-01T12:00:00"})";
  EXPECT_TRUE(read_announcement(base::as_bytes(local)));
}

TEST(Announcement, refuses_what_it_cannot_read) {
  const Bytes good = write_announcement(example(1ULL << 40));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(read_announcement(ByteView(good).first(size))) << size;
  }
  EXPECT_FALSE(read_announcement(base::concat({good, Bytes{0}})));
  EXPECT_FALSE(read_announcement(Bytes(5000, ' ')));
  for (const char* text :
       {"{}", "{\"type\":\"storage_node\"}", "{", "hello", "[]",
        R"({"type":"storage_node","capabilities":[1],"space_available":0,)"
        R"("timestamp":"2026-03-01T12:00:00"})",
        R"({"type":"storage_node","capabilities":[],"space_available":-1,)"
        R"("timestamp":"2026-03-01T12:00:00"})",
        R"({"type":"storage_node","capabilities":[],"space_available":0,"timestamp":"now"})"}) {
    EXPECT_FALSE(read_announcement(base::as_bytes(text))) << text;
  }
  const auto with_time = [](double seconds) {
    return codec::MsgpackWriter().array(3).array(0).integer(0).float64(seconds).take();
  };
  EXPECT_TRUE(read_announcement(with_time(0)));
  for (const double seconds : {-1e13, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_FALSE(read_announcement(with_time(seconds)));
  }
  codec::MsgpackWriter many;
  many.array(3).array(1000);
  for (int i = 0; i < 1000; ++i) many.string("");
  EXPECT_FALSE(read_announcement(many.integer(0).integer(0).bytes()));
}

}  // namespace
}  // namespace meshstow::protocol
