#include "access/storage_encryption.hpp"

#include <gtest/gtest.h>

#include "access/access_for_test.hpp"

namespace meshstow::access {
namespace {

constexpr std::size_t kHead = 37;
constexpr std::size_t kSealed = kEnvelopeFrame + 16;

class EnvelopeTest : public ::testing::Test {
 protected:
  EnvelopeTest() { keys.add(kOwner, key); }

  Bytes seal(ByteView body, std::size_t step = SIZE_MAX) {
    EnvelopeSealer sealer(key, kOwner, where, version, iv);
    Bytes out;
    while (!body.empty()) {
      const ByteView piece = body.first(std::min(step, body.size()));
      sealer.update(piece, out);
      body = body.subspan(piece.size());
    }
    sealer.finish(out);
    return out;
  }
  Result<Bytes> open(ByteView sealed, std::size_t step = SIZE_MAX) {
    EnvelopeOpener opener(keys, kOwner, where);
    Bytes out;
    while (!sealed.empty()) {
      const ByteView piece = sealed.first(std::min(step, sealed.size()));
      if (const auto updated = opener.update(piece, out); !updated) return fail(updated.error());
      sealed = sealed.subspan(piece.size());
    }
    if (const auto finished = opener.finish(out); !finished) return fail(finished.error());
    return out;
  }
  Bytes body_of(std::size_t size) {
    Bytes out(size);
    rng.fill(out);
    return out;
  }

  base::SeededRng rng{7};
  SpaceKey key = SpaceKey::generate(rng);
  KeyRing keys;
  StoragePath where = path("/private/notes/a");
  EnvelopeVersion version = rng.bytes<16>();
  FixedBytes<12> iv = rng.bytes<12>();
};

constexpr std::size_t kSizes[] = {
    0, 1, kEnvelopeFrame - 1, kEnvelopeFrame, kEnvelopeFrame + 1, 3 * kEnvelopeFrame};

TEST_F(EnvelopeTest, opens_to_what_was_sealed_in_any_pieces) {
  for (const std::size_t size : kSizes) {
    const Bytes body = body_of(size);
    const Bytes sealed = seal(body);
    EXPECT_EQ(sealed.size(), EnvelopeSealer::sealed_size(size)) << size;
    EXPECT_TRUE(looks_like_envelope(sealed));
    for (const std::size_t step : {std::size_t{1000}, kEnvelopeFrame, kSealed, SIZE_MAX}) {
      EXPECT_EQ(seal(body, step), sealed) << size << " " << step;
      const auto opened = open(sealed, step);
      ASSERT_TRUE(opened) << size << " " << step;
      EXPECT_EQ(*opened, body);
    }
  }
  EXPECT_TRUE(open(seal(body_of(100)), 1));
}

TEST_F(EnvelopeTest, sizes_can_be_told_both_ways) {
  for (std::uint64_t size = 0; size < 3 * kEnvelopeFrame; size += size < 100 ? 1 : 4093) {
    EXPECT_EQ(EnvelopeSealer::opened_size(EnvelopeSealer::sealed_size(size)), size);
  }
  const std::uint64_t two_frames = EnvelopeSealer::sealed_size(kEnvelopeFrame + 1);
  EXPECT_EQ(EnvelopeSealer::opened_size(two_frames - 1), std::nullopt);  // an empty second frame
  EXPECT_EQ(EnvelopeSealer::opened_size(52), std::nullopt);
  EXPECT_EQ(envelope_key(seal(body_of(1))), key.id());
  EXPECT_EQ(envelope_key(body_of(10)), std::nullopt);
}

TEST_F(EnvelopeTest, every_changed_byte_is_noticed) {
  const Bytes sealed = seal(body_of(50));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1;
    const auto opened = open(changed);
    ASSERT_FALSE(opened) << i;
    EXPECT_EQ(opened.error().code, i >= 1 && i < 9 ? Errc::denied : Errc::corrupt) << i;
    EXPECT_FALSE(open(ByteView(sealed).first(i))) << i;
  }
}

TEST_F(EnvelopeTest, frames_cannot_be_cut_off_swapped_repeated_or_moved) {
  const Bytes sealed = seal(body_of(3 * kEnvelopeFrame));
  const ByteView all = sealed;
  const ByteView head = all.first(kHead);
  const auto frame = [&](std::size_t i) { return all.subspan(kHead + i * kSealed, kSealed); };
  const std::vector<Bytes> forgeries = {
      base::concat({head, frame(0), frame(1)}),
      base::concat({head, frame(0)}),
      base::concat({head, frame(2)}),
      base::concat({head, frame(1), frame(0), frame(2)}),
      base::concat({head, frame(0), frame(0), frame(2)}),
      base::concat({head, frame(0), frame(2)}),
      base::concat({all, frame(2)}),
      base::concat({all, Bytes(16)}),
      base::to_bytes(head),
  };
  for (const Bytes& forgery : forgeries) EXPECT_FALSE(open(forgery));
  EXPECT_TRUE(open(base::concat({head, frame(0), frame(1), frame(2)})));
}

TEST_F(EnvelopeTest, belongs_to_one_owner_and_one_path) {
  const Bytes sealed = seal(body_of(10));
  where = path("/private/notes/b");
  EXPECT_EQ(open(sealed).error().code, Errc::corrupt);
  EnvelopeOpener other(keys, kFriend, path("/private/notes/a"));
  Bytes out;
  ASSERT_TRUE(other.update(sealed, out));
  EXPECT_EQ(other.finish(out).error().code, Errc::corrupt);
  EXPECT_TRUE(out.empty());
}

TEST_F(EnvelopeTest, a_key_that_is_not_here_is_said) {
  const Bytes sealed = seal(body_of(10));
  keys = KeyRing();
  EXPECT_EQ(open(sealed).error().code, Errc::denied);
}

TEST_F(EnvelopeTest, whole_bodies_get_a_fresh_version_each_time) {
  StorageEncryption encryption(keys, rng);
  const Bytes body = body_of(100'000);
  const auto one = encryption.encrypt_data(body, kOwner, where);
  const auto two = encryption.encrypt_data(body, kOwner, where);
  ASSERT_TRUE(one && two);
  EXPECT_NE(*one, *two);
  EXPECT_EQ(encryption.decrypt_data(*one, kOwner, where), body);
  EXPECT_FALSE(encryption.decrypt_data(body, kOwner, where));
  EXPECT_EQ(encryption.encrypt_data(body, kFriend, where).error().code, Errc::denied);
}

TEST_F(EnvelopeTest, other_bytes_do_not_look_like_one) {
  EXPECT_FALSE(looks_like_envelope({}));
  EXPECT_FALSE(looks_like_envelope(Bytes(52, 0xc1)));
  EXPECT_FALSE(looks_like_envelope(base::as_bytes(std::string(100, 'x'))));
}

TEST(SpaceKey, derives_another_key_for_each_purpose_and_salt) {
  base::SeededRng rng(1);
  const SpaceKey key = SpaceKey::generate(rng);
  std::set<Bytes> seen;
  for (const char* purpose : {"", "a", "b"}) {
    for (const Bytes& salt : {Bytes{}, Bytes{1}, Bytes{2}}) {
      seen.insert(base::to_bytes(key.derive(purpose, salt).view()));
    }
  }
  EXPECT_EQ(seen.size(), 9U);
  EXPECT_EQ(SpaceKey(key.secret()).id(), key.id());
  EXPECT_NE(SpaceKey::generate(rng).id(), key.id());
}

TEST(KeyRing, remembers_which_key_is_current_over_its_file) {
  base::SeededRng rng(2);
  const SpaceKey old_key = SpaceKey::generate(rng);
  const SpaceKey new_key = SpaceKey::generate(rng);
  const SpaceKey other = SpaceKey::generate(rng);
  KeyRing ring;
  ring.add(kOwner, old_key);
  ring.add(kOwner, new_key);
  ring.add(kFriend, other);
  const auto read = KeyRing::decode(ring.encode());
  ASSERT_TRUE(read);
  for (const KeyRing* each : {static_cast<const KeyRing*>(&ring), &*read}) {
    EXPECT_EQ(each->current(kOwner)->id(), new_key.id());
    EXPECT_EQ(each->find(old_key.id())->id(), old_key.id());
    EXPECT_EQ(each->owner_of(other.id()), kFriend);
    EXPECT_EQ(each->current(kStranger), nullptr);
    EXPECT_EQ(each->owner_of(KeyId{}), std::nullopt);
  }
  ring.add(kOwner, old_key);
  EXPECT_EQ(ring.current(kOwner)->id(), old_key.id());
  EXPECT_EQ(ring.encode().size(), read->encode().size());
  EXPECT_TRUE(KeyRing::decode(KeyRing().encode()));
}

TEST(KeyRing, notices_every_change_to_its_file) {
  base::SeededRng rng(3);
  KeyRing ring;
  ring.add(kOwner, SpaceKey::generate(rng));
  const Bytes file = ring.encode();
  for (std::size_t i = 0; i < file.size(); ++i) {
    Bytes changed = file;
    changed[i] ^= 0x10;
    EXPECT_EQ(KeyRing::decode(changed).error().code, Errc::corrupt) << i;
    EXPECT_FALSE(KeyRing::decode(ByteView(file).first(i))) << i;
  }
}

}  // namespace
}  // namespace meshstow::access
