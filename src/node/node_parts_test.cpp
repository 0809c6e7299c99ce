// The sealer of a space, the memory of answers, the wallet.
#include <gtest/gtest.h>

#include "node/remembered_answers.hpp"
#include "node/server_context.hpp"
#include "node/storage_node.hpp"
#include "node/wallet.hpp"

namespace meshstow::node {
namespace {

Bytes bytes_of(std::string_view text) { return base::to_bytes(base::as_bytes(text)); }

class SpaceSealer : public testing::Test {
 protected:
  base::SeededRng rng{1};
  access::SpaceKey key = access::SpaceKey::generate(rng);
  std::unique_ptr<storage::Sealer> sealer = make_space_sealer(key, rng);
  std::unique_ptr<storage::Sealer> foreign =
      make_space_sealer(access::SpaceKey::generate(rng), rng);
};

TEST_F(SpaceSealer, opens_records_in_their_context_only) {
  const Bytes plain = bytes_of("a name");
  const Bytes sealed = sealer->seal_record(bytes_of("context"), plain);
  EXPECT_EQ(sealer->open_record(bytes_of("context"), sealed).value(), plain);
  EXPECT_EQ(sealer->clone()->open_record(bytes_of("context"), sealed).value(), plain);
  EXPECT_EQ(sealer->open_record(bytes_of("other"), sealed).error().code, Errc::corrupt);
  EXPECT_EQ(foreign->open_record(bytes_of("context"), sealed).error().code, Errc::corrupt);
  EXPECT_NE(sealer->seal_record(bytes_of("context"), plain), sealed);
}

TEST_F(SpaceSealer, notices_every_change_and_cut) {
  const Bytes record = sealer->seal_record({}, bytes_of("abc"));
  const Bytes chunk = sealer->seal_chunk(bytes_of("abc"));
  for (std::size_t i = 0; i < record.size(); ++i) {
    Bytes changed = record;
    changed[i] ^= 1;
    EXPECT_EQ(sealer->open_record({}, changed).error().code, Errc::corrupt) << i;
    EXPECT_FALSE(sealer->open_record({}, ByteView(record).first(i))) << i;
  }
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    Bytes changed = chunk;
    changed[i] ^= 1;
    EXPECT_EQ(sealer->open_chunk(changed).error().code, Errc::corrupt) << i;
    EXPECT_FALSE(sealer->open_chunk(ByteView(chunk).first(i))) << i;
  }
}

TEST_F(SpaceSealer, seals_equal_chunks_of_one_space_equally) {
  const Bytes plain = bytes_of("the same again");
  EXPECT_EQ(sealer->seal_chunk(plain), sealer->clone()->seal_chunk(plain));
  EXPECT_NE(sealer->seal_chunk(plain), foreign->seal_chunk(plain));
  EXPECT_NE(sealer->seal_chunk(plain), sealer->seal_chunk(bytes_of("the same agaim")));
  EXPECT_EQ(sealer->open_chunk(sealer->seal_chunk(plain)).value(), plain);
  EXPECT_EQ(sealer->open_chunk(sealer->seal_chunk({})).value(), Bytes{});
}

TEST_F(SpaceSealer, keys_names_by_folder_and_space) {
  const Bytes folder = bytes_of("folder");
  EXPECT_EQ(sealer->name_key(folder, "a"), sealer->clone()->name_key(folder, "a"));
  EXPECT_NE(sealer->name_key(folder, "a"), sealer->name_key(folder, "b"));
  EXPECT_NE(sealer->name_key(bytes_of("folde"), "ra"), sealer->name_key(folder, "a"));
  EXPECT_NE(sealer->name_key(folder, "a"), foreign->name_key(folder, "a"));
  EXPECT_NE(sealer->chunking_key(), sealer->digest_key());
  EXPECT_NE(sealer->digest_key(), foreign->digest_key());
}

Hash32 digest(std::uint16_t number) {
  Hash32 out;
  out.bytes[0] = static_cast<Byte>(number);
  out.bytes[1] = static_cast<Byte>(number >> 8);
  return out;
}

class Remembered : public testing::Test {
 protected:
  using Begun = RememberedAnswers::Begun;
  static Asker asker(Byte number) {
    Asker out;
    out.request.bytes[0] = number;
    return out;
  }
  base::Shares shares{kRememberedBound};
  RememberedAnswers memory{shares, base::Holder::owner()};
};

TEST_F(Remembered, keeps_the_latest_within_count_and_bytes) {
  const auto keep = [&](std::uint16_t number, Bytes answer) {
    memory.keep(digest(number), protocol::Form::json_string, std::move(answer));
  };
  for (std::uint16_t i = 0; i < limits::kRememberedAnswers + 1; ++i) {
    keep(i, Bytes(10, static_cast<Byte>(i)));
  }
  EXPECT_EQ(memory.find(digest(0)), nullptr);
  ASSERT_NE(memory.find(digest(1)), nullptr);
  EXPECT_EQ(memory.find(digest(1))->value, Bytes(10, 1));
  EXPECT_EQ(memory.find(digest(1))->form, protocol::Form::json_string);
  for (std::uint16_t i = 1000; i < 1004; ++i) {
    keep(i, Bytes(limits::kRememberedAnswerBytes / 3, 1));
  }
  EXPECT_EQ(memory.find(digest(1)), nullptr);
  EXPECT_EQ(memory.find(digest(1000)), nullptr);
  EXPECT_NE(memory.find(digest(1003)), nullptr);
  keep(2000, Bytes(limits::kRememberedAnswerBytes, 1));
  EXPECT_EQ(memory.find(digest(2000)), nullptr);
  EXPECT_NE(memory.find(digest(1003)), nullptr);
  EXPECT_GE(shares.counts().owner, limits::kRememberedAnswerBytes / 3);
  EXPECT_LE(shares.counts().owner, 2 * limits::kRememberedAnswerBytes);
}

TEST_F(Remembered, gathers_who_waits_for_a_write) {
  EXPECT_EQ(memory.begin(digest(1), asker(1)), Begun::first);
  EXPECT_EQ(memory.begin(digest(1), asker(2)), Begun::repeated);
  const auto waiting = memory.end(digest(1), true);
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting.front().request, asker(2).request);
  EXPECT_TRUE(memory.end(digest(1), true).empty());
  EXPECT_TRUE(memory.is_done(digest(1)));
  EXPECT_EQ(memory.begin(digest(1), asker(2)), Begun::first);
}

TEST_F(Remembered, begins_no_write_that_it_could_not_remember) {
  RememberedAnswers of_guest(shares, base::Holder::guest(Bytes{1}));
  std::size_t begun = 0;
  Hash32 each;
  std::vector<std::unique_ptr<RememberedAnswers>> links;
  for (bool full = false; !full;) {
    links.push_back(std::make_unique<RememberedAnswers>(shares, base::Holder::guest(Bytes{1})));
    for (std::size_t i = 0; i < limits::kWritesPerLink && !full; ++i) {
      for (std::size_t b = 0; b < 8; ++b) each.bytes[b] = static_cast<Byte>(begun >> (8 * b));
      full = links.back()->begin(each, asker(1)) == Begun::full;
      if (full) break;
      static_cast<void>(links.back()->end(each, true));
      ++begun;
    }
  }
  EXPECT_EQ(of_guest.begin(digest(1), asker(1)), Begun::full);
  EXPECT_LE(shares.counts().guests, limits::kHeldRemembered / 2);
  // Others go on.
  RememberedAnswers of_other(shares, base::Holder::guest(Bytes{2}));
  EXPECT_EQ(of_other.begin(digest(1), asker(1)), Begun::first);
  EXPECT_EQ(memory.begin(digest(1), asker(1)), Begun::first);
}

TEST(Wallet, gives_the_newest_token_that_covers_and_holds) {
  base::SeededRng rng(1);
  const auto owner = reticulum::Identity::generate(rng);
  const auto mint = [&](std::string_view scopes, std::optional<WallTime> expires = {}) {
    access::Capability capability;
    capability.id = rng.bytes<8>();
    capability.issuer = owner.hash();
    capability.scopes = access::parse_scopes(scopes).value();
    capability.expires = expires;
    return access::mint(capability, [&](ByteView bytes) { return owner.sign(bytes); });
  };
  const auto path = [](std::string_view text) { return StoragePath::parse(text).value(); };
  const WallTime now = base::wall_from_unix_seconds(1000);
  Wallet wallet;
  const std::string old = mint("notes:rw", base::wall_from_unix_seconds(999));
  const std::string all = mint("*:r");
  const std::string notes = mint("notes:rw");
  wallet.add(notes);
  wallet.add(all);
  wallet.add(old);
  EXPECT_EQ(wallet.find(access::Operation::write, path("/private/notes/a"), now), notes);
  EXPECT_EQ(wallet.find(access::Operation::read, path("/private/notes/a"), now), all);
  EXPECT_EQ(wallet.find(access::Operation::write, path("/private/other/a"), now), std::nullopt);
  const auto scope = [](std::string_view text) { return access::Scope::parse(text).value(); };
  EXPECT_EQ(wallet.find(scope("notes:rw"), now), notes);
  EXPECT_EQ(wallet.find(scope("other:r"), now), all);
  EXPECT_EQ(wallet.find(scope("other:rw"), now), std::nullopt);
  EXPECT_EQ(wallet.find(scope("storage:write:/public/notes/"), now), notes);
  EXPECT_EQ(wallet.find(scope("storage:write:/public/"), now), std::nullopt);
}

}  // namespace
}  // namespace meshstow::node
