// What an endpoint remembers of the network: paths, packets heard, known destinations.
#include <gtest/gtest.h>

#include "reticulum/announce.hpp"
#include "reticulum/known_destinations.hpp"
#include "reticulum/packet.hpp"
#include "reticulum/packet_filter.hpp"
#include "reticulum/path_table.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr TimePoint kStart = TimePoint{} + hours(1);
const DestinationHash kSomebody = plain_destination_hash("somebody");

PathOffer offer(std::uint8_t hops, std::uint64_t announced_at, std::uint64_t seed = 0) {
  base::SeededRng rng(announced_at * 1000 + hops + seed);
  return {.next_hop = kSomebody,
          .hops = hops,
          .interface = 1,
          .announce = rng.bytes<32>(),
          .random = announce_random(rng, announced_at)};
}

}  // namespace

TEST(PathTable, an_unknown_destination_is_added) {
  PathTable table;
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(3, 100)), PathVerdict::taken);
  EXPECT_EQ(table.find(kStart, kSomebody)->hops, 3);
  EXPECT_EQ(table.hops_to(kSomebody), 3);
}

TEST(PathTable, fewer_hops_do_not_help_an_older_announce) {
  PathTable table;
  table.offer(kStart, kSomebody, offer(3, 100));
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(1, 99)), PathVerdict::stale);
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(1, 100)), PathVerdict::stale);
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(1, 101)), PathVerdict::taken);
  EXPECT_EQ(table.find(kStart, kSomebody)->hops, 1);
}

TEST(PathTable, a_newer_announce_wins_even_with_more_hops) {
  PathTable table;
  table.offer(kStart, kSomebody, offer(1, 100));
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(5, 100)), PathVerdict::stale);
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(5, 101)), PathVerdict::taken);
  EXPECT_EQ(table.find(kStart, kSomebody)->hops, 5);
}

TEST(PathTable, the_same_announce_by_another_way_changes_nothing) {
  PathTable table;
  const PathOffer first = offer(3, 100);
  table.offer(kStart, kSomebody, first);
  PathOffer again = first;
  again.hops = 1;
  EXPECT_EQ(table.offer(kStart, kSomebody, again), PathVerdict::repeated);
  EXPECT_EQ(table.find(kStart, kSomebody)->hops, 3);
}

TEST(PathTable, paths_expire_unless_used_and_may_then_be_learnt_from_an_old_announce) {
  PathTable table;
  const PathOffer first = offer(3, 100);
  table.offer(kStart, kSomebody, first);
  EXPECT_TRUE(table.find(kStart + kPathLifetime - seconds(1), kSomebody));
  EXPECT_FALSE(table.find(kStart + kPathLifetime, kSomebody));
  table.used(kStart + hours(24), kSomebody);
  EXPECT_TRUE(table.find(kStart + kPathLifetime, kSomebody));
  EXPECT_EQ(table.offer(kStart + 3 * kPathLifetime, kSomebody, first), PathVerdict::taken);
}

TEST(PathTable, a_clock_that_was_set_back_is_told_from_a_late_announce) {
  PathTable table;
  table.offer(kStart, kSomebody, offer(1, 1'800'000'000));
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(1, 1'799'999'000)), PathVerdict::stale);
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(1, 86'400)), PathVerdict::set_back);
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(1, 86'400)), PathVerdict::repeated);
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(table.offer(kStart, kSomebody, offer(1, 90'000 + i)), PathVerdict::set_back);
  }
  // The newest time stays on record: an announce of then is still old.
  EXPECT_EQ(table.offer(kStart, kSomebody, offer(1, 1'799'999'000, 5)), PathVerdict::stale);
}

TEST(PathTable, the_path_longest_unused_makes_room) {
  PathTable table;
  base::SeededRng rng(1);
  std::vector<DestinationHash> all;
  for (std::size_t i = 0; i < kPaths; ++i) {
    all.push_back(rng.bytes<16>());
    table.offer(kStart, all.back(), offer(1, i + 1));
  }
  table.used(kStart, all[0]);
  table.offer(kStart, kSomebody, offer(1, 1));
  EXPECT_EQ(table.size(), kPaths);
  EXPECT_TRUE(table.find(kStart, all[0]));
  EXPECT_FALSE(table.find(kStart, all[1]));
}

TEST(PathTable, forgets_what_went_over_a_lost_interface) {
  PathTable table;
  table.offer(kStart, kSomebody, offer(1, 100));
  table.forget_interface(2);
  EXPECT_TRUE(table.find(kStart, kSomebody));
  table.forget_interface(1);
  EXPECT_FALSE(table.find(kStart, kSomebody));
}

TEST(PacketFilter, remembers_two_generations) {
  PacketFilter filter(42, 100);
  base::SeededRng rng(1);
  std::vector<Hash32> packets(250);
  for (Hash32& packet : packets) packet = rng.bytes<32>();
  for (const Hash32& packet : packets) EXPECT_TRUE(filter.insert(packet));
  for (std::size_t i = 100; i < 250; ++i) EXPECT_FALSE(filter.insert(packets[i]));
  for (std::size_t i = 0; i < 100; ++i) EXPECT_FALSE(filter.contains(packets[i]));
}

TEST(KnownDestinations, refuse_another_key_for_a_known_destination) {
  base::SeededRng rng(1);
  Announce announce{.destination = kSomebody,
                    .identity = Identity::generate(rng).public_identity()};
  KnownDestinations known;
  EXPECT_TRUE(known.learn(announce, {}));
  EXPECT_FALSE(known.pack_changes(2).empty());
  announce.identity = Identity::generate(rng).public_identity();
  EXPECT_FALSE(known.learn(announce, {}));
  EXPECT_TRUE(known.pack_changes(2).empty());
}

TEST(KnownDestinations, a_flood_of_strangers_does_not_push_out_a_correspondent) {
  base::SeededRng rng(1);
  const PublicIdentity identity = Identity::generate(rng).public_identity();
  KnownDestinations known(100);
  known.learn({.destination = kSomebody, .identity = identity}, {});
  known.used(kSomebody);
  for (int i = 0; i < 1000; ++i) {
    known.learn({.destination = rng.bytes<16>(), .identity = identity}, {});
  }
  EXPECT_EQ(known.size(), 100U);
  EXPECT_TRUE(known.find(kSomebody));
}

TEST(KnownDestinations, a_flood_on_one_interface_does_not_push_out_what_others_told) {
  base::SeededRng rng(1);
  const PublicIdentity identity = Identity::generate(rng).public_identity();
  KnownDestinations known(100);
  known.learn({.destination = kSomebody, .identity = identity}, {}, 2);
  for (int i = 0; i < 1000; ++i) {
    known.learn({.destination = rng.bytes<16>(), .identity = identity}, {}, 1);
  }
  EXPECT_EQ(known.size(), 100U);
  EXPECT_TRUE(known.find(kSomebody));
  // Connecting again and again makes nobody many.
  known.learn({.destination = rng.bytes<16>(), .identity = identity}, {}, 1);
  known.forget_interface(1);
  for (InterfaceId from = 3; from < 300; ++from) {
    known.learn({.destination = rng.bytes<16>(), .identity = identity}, {}, from);
    known.forget_interface(from);
  }
  EXPECT_TRUE(known.find(kSomebody));
}

TEST(PathTable, a_flood_on_one_interface_does_not_push_out_paths_of_others) {
  base::SeededRng rng(1);
  PathTable table(100);
  PathOffer other = offer(1, 100);
  other.interface = 2;
  EXPECT_EQ(table.offer(kStart, kSomebody, other), PathVerdict::taken);
  for (int i = 0; i < 1000; ++i) table.offer(kStart, rng.bytes<16>(), offer(1, 100));
  EXPECT_EQ(table.size(), 100U);
  EXPECT_TRUE(table.find(kStart, kSomebody));
}

TEST(KnownDestinations, ratchets_are_used_for_thirty_days) {
  base::SeededRng rng(1);
  KnownDestinations known;
  const WallTime heard = base::wall_from_unix_seconds(1'800'000'000);
  known.learn({.destination = kSomebody,
               .identity = Identity::generate(rng).public_identity(),
               .ratchet = rng.bytes<32>()},
              heard);
  EXPECT_TRUE(known.ratchet(kSomebody, heard + hours(24 * 30)));
  EXPECT_FALSE(known.ratchet(kSomebody, heard + hours(24 * 30) + seconds(1)));
  EXPECT_TRUE(known.ratchet(kSomebody, heard - hours(24 * 365)));  // a clock set back
}

TEST(KnownDestinations, survive_a_restart) {
  base::SeededRng rng(1);
  const WallTime heard = base::wall_from_unix_seconds(1'800'000'000);
  KnownDestinations before;
  const Identity one = Identity::generate(rng);
  const Identity two = Identity::generate(rng);
  for (const Identity* identity : {&one, &two}) {
    const bool with_data = identity == &one;
    const auto announce = read_announce(
        parse_packet(
            make_announce(*identity,
                          {.name = name_hash("a.b"),
                           .random = announce_random(rng, 5),
                           .ratchet = with_data ? std::optional(rng.bytes<32>()) : std::nullopt,
                           .app_data = with_data ? base::as_bytes("data") : ByteView{}})
                .value())
            .value());
    ASSERT_TRUE(before.learn(*announce, heard));
  }
  const Bytes saved = before.pack();
  KnownDestinations after;
  ASSERT_TRUE(after.unpack(saved));
  EXPECT_EQ(after.size(), 2U);
  EXPECT_EQ(after.pack(), saved);
  const auto hash = destination_hash("a.b", one.hash());
  EXPECT_EQ(after.find(hash)->identity, one.public_identity());
  EXPECT_EQ(after.find(hash)->app_data, base::to_bytes(base::as_bytes("data")));
  EXPECT_TRUE(after.ratchet(hash, heard));

  // A crash cuts the last record: the one before is there.
  const std::size_t first = before.pack_changes(1).size();
  for (std::size_t size = 1; size < saved.size(); ++size) {
    KnownDestinations cut;
    EXPECT_EQ(cut.unpack(ByteView(saved).first(size)).has_value(), size == first);
    EXPECT_EQ(cut.size(), size >= first ? 1U : 0U);
  }
}

TEST(KnownDestinations, are_saved_as_changes_to_what_was_saved_before) {
  base::SeededRng rng(1);
  KnownDestinations known;
  std::vector<Announce> announces;
  for (int i = 0; i < 5; ++i) {
    const PublicIdentity identity = Identity::generate(rng).public_identity();
    announces.push_back({.destination = destination_hash("a.b", identity.hash()),
                         .identity = identity,
                         .name = name_hash("a.b")});
    known.learn(announces.back(), {});
  }
  Bytes log = known.pack_changes(3);
  base::append(log, known.pack_changes(3));
  EXPECT_TRUE(known.pack_changes(3).empty());
  known.learn(announces[1], {});  // nothing new
  EXPECT_TRUE(known.pack_changes(3).empty());
  announces[1].app_data = Bytes{1, 2, 3};
  known.learn(announces[1], {});
  known.used(announces[2].destination);
  base::append(log, known.pack_changes(9));

  KnownDestinations after;
  ASSERT_TRUE(after.unpack(log));
  EXPECT_EQ(after.size(), 5U);
  EXPECT_EQ(after.find(announces[1].destination)->app_data, (Bytes{1, 2, 3}));
  EXPECT_TRUE(after.is_used(announces[2].destination));
  EXPECT_TRUE(after.pack_changes(9).empty());  // as they were saved
  EXPECT_LT(compact_known(log).size(), log.size());
  KnownDestinations compacted;
  ASSERT_TRUE(compacted.unpack(compact_known(log)));
  EXPECT_EQ(compacted.pack(), after.pack());
}

}  // namespace meshstow::reticulum
