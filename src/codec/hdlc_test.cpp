#include "codec/hdlc.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "codec/vectors_for_test.hpp"

namespace meshstow::codec {
namespace {

std::vector<Bytes> deframe(HdlcDeframer& deframer, ByteView stream) {
  std::vector<Bytes> out;
  deframer.feed(stream, [&](ByteView payload) { out.push_back(base::to_bytes(payload)); });
  return out;
}

TEST(Hdlc, frames_and_deframes_every_vector) {
  const auto all = vectors("reticulum-vectors.json");
  for (const auto& vector : all.at("hdlc").as_array()) {
    const Bytes payload = bytes_of(vector, "payload");
    EXPECT_EQ(hdlc_frame(payload), bytes_of(vector, "frame"));
    HdlcDeframer deframer(500);
    EXPECT_EQ(deframe(deframer, bytes_of(vector, "frame")), std::vector<Bytes>{payload});
  }
}

TEST(Hdlc, one_flag_may_end_a_frame_and_start_the_next) {
  HdlcDeframer deframer(500);
  EXPECT_EQ(deframe(deframer, unhex("7e01027e03047e7e7e057e")),
            (std::vector<Bytes>{{1, 2}, {3, 4}, {5}}));
  EXPECT_EQ(deframer.dropped(), 0U);
}

TEST(Hdlc, bytes_before_the_first_flag_are_no_frame) {
  HdlcDeframer deframer(500);
  EXPECT_EQ(deframe(deframer, unhex("01027d7e037e")), (std::vector<Bytes>{{3}}));
}

TEST(Hdlc, takes_any_cut_of_the_stream) {
  base::SeededRng rng(1);
  Bytes stream;
  std::vector<Bytes> sent;
  for (int i = 0; i < 200; ++i) {
    Bytes payload(1 + rng.below(40));
    for (Byte& byte : payload) byte = static_cast<Byte>(0x7b + rng.below(5));
    base::append(stream, hdlc_frame(payload));
    sent.push_back(std::move(payload));
  }
  HdlcDeframer deframer(500);
  std::vector<Bytes> received;
  for (ByteView rest = stream; !rest.empty();) {
    const std::size_t size = std::min<std::size_t>(rest.size(), 1 + rng.below(7));
    deframer.feed(rest.first(size),
                  [&](ByteView payload) { received.push_back(base::to_bytes(payload)); });
    rest = rest.subspan(size);
  }
  EXPECT_EQ(received, sent);
}

TEST(Hdlc, drops_frames_above_the_limit_whole_and_goes_on) {
  HdlcDeframer deframer(3);
  EXPECT_EQ(deframe(deframer, unhex("7e0102037e010203047e0102030405067e057e")),
            (std::vector<Bytes>{{1, 2, 3}, {5}}));
  EXPECT_EQ(deframer.dropped(), 2U);
}

TEST(Hdlc, drops_frames_with_a_broken_escape) {
  HdlcDeframer deframer(500);
  EXPECT_EQ(deframe(deframer, unhex("7e017d7e027e037d417e047e")), (std::vector<Bytes>{{2}, {4}}));
  EXPECT_EQ(deframer.dropped(), 2U);
}

}  // namespace
}  // namespace meshstow::codec
