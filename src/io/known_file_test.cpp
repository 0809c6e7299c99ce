#include "io/known_file.hpp"

#include <gtest/gtest.h>

#include "codec/msgpack.hpp"
#include "io/io_for_test.hpp"
#include "reticulum/endpoint.hpp"

namespace meshstow::io {
namespace {

Bytes record_of(std::uint8_t destination, std::size_t data) {
  Bytes key(64, destination);
  codec::MsgpackWriter writer;
  writer.array(6).binary(Bytes(10, 1)).binary(key).binary(Bytes(data, 7)).nil();
  writer.integer(1).boolean(false);
  return writer.take();
}

}  // namespace

TEST(KnownFile, keeps_what_was_appended) {
  TestFolder folder;
  const Bytes one = record_of(1, 20);
  const Bytes two = record_of(2, 30);
  {
    KnownFile file(folder / "known");
    EXPECT_TRUE(file.load().empty());
    file.append(one);
    file.append(two);
  }
  EXPECT_EQ(KnownFile(folder / "known").load(), base::concat({one, two}));
  EXPECT_EQ(std::filesystem::status(folder / "known").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(KnownFile, does_not_grow_beyond_twice_what_it_holds) {
  TestFolder folder;
  constexpr std::size_t kData = 300;
  for (int round = 0; round < 3; ++round) {
    KnownFile file(folder / "known");
    for (int i = 0; i < 8000; ++i) {
      file.append(record_of(static_cast<std::uint8_t>(i % 10), kData));
    }
  }
  const Bytes kept = KnownFile(folder / "known").load();
  EXPECT_LE(kept.size(), 1024U * 1024 + 8000 * (kData + 120));
  EXPECT_EQ(reticulum::compact_known(kept).size(), 10 * record_of(0, kData).size());
}

TEST(KnownFile, is_whole_again_after_a_crash_cut_it) {
  TestFolder folder;
  const Bytes one = record_of(1, 20);
  {
    KnownFile file(folder / "known");
    const Bytes cut = record_of(2, 30);
    file.append(base::concat({one, ByteView(cut).first(50)}));
  }
  {
    KnownFile file(folder / "known");
    file.repair();
    file.append(record_of(3, 5));
  }
  EXPECT_EQ(KnownFile(folder / "known").load(), base::concat({one, record_of(3, 5)}));
}

}  // namespace meshstow::io
