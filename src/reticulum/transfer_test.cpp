// Parts of a transfer alone: what only a peer of another make sends.
#include <gtest/gtest.h>

#include "base/mesh_limits.hpp"
#include "codec/msgpack.hpp"
#include "reticulum/content_head.hpp"
#include "reticulum/link.hpp"
#include "reticulum/network_for_test.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kNow = TimePoint{} + std::chrono::hours(1);

// A link of ours towards a server that the test plays.
class PlayedServer {
 public:
  PlayedServer() {
    const crypto::Secret64 key(random_bytes(64));
    id_.bytes.fill(9);
    channel.emplace(server, id_, 1, 500, key);
    link.emplace(client, kNow, LinkStart{.id = id_, .interface = 1, .round_trip = milliseconds(5)},
                 key);
    link->transfers().set_accepts_resources(true);
    sent_by_client();
  }

  // To the client, sealed.
  void send(PacketContext context, ByteView plaintext) {
    channel->send(kNow, context, plaintext);
    shuttle();
  }
  // What the client said since, by context, unsealed where it seals.
  std::vector<std::pair<PacketContext, Bytes>> sent_by_client() {
    std::vector<std::pair<PacketContext, Bytes>> out;
    while (auto output = client.out.pop()) {
      if (auto* event = std::get_if<Event>(&*output)) events.push_back(std::move(*event));
      const auto* transmit = std::get_if<Transmit>(&*output);
      if (!transmit) continue;
      const Packet packet = parse_packet(transmit->packet).value();
      const bool clear = packet.type == PacketType::proof;
      out.emplace_back(packet.context,
                       clear ? base::to_bytes(packet.data) : channel->unseal(packet.data).value());
    }
    return out;
  }
  void shuttle() {
    while (auto output = server.out.pop()) {
      if (const auto* transmit = std::get_if<Transmit>(&*output)) {
        const Packet packet = parse_packet(transmit->packet).value();
        link->handle_packet(kNow, packet, packet_hash(packet));
      }
    }
  }
  // Sends a resource to its end or its rejection.
  ResourceSender::State send_resource(OutgoingContent content) {
    ResourceSender sender(*channel, 1, std::move(content));
    sender.start(kNow);
    for (int i = 0; i < 10'000 && !sender.ended(); ++i) {
      shuttle();
      std::uint32_t nonce = 0;
      for (const auto& [context, data] : sent_by_client()) {
        if (context == PacketContext::resource_part_request) {
          Hash32 packet;
          packet.bytes[0] = static_cast<Byte>(++nonce);
          packet.bytes[1] = static_cast<Byte>(i);
          sender.handle_part_request(kNow, packet, data);
        } else if (context == PacketContext::resource_proof) {
          sender.handle_proof(kNow, ByteView(data).subspan(32));
        } else if (context == PacketContext::resource_reject) {
          sender.handle_rejection();
        }
      }
      for (const Event& event : events) {
        if (const auto* piece = std::get_if<ContentPiece>(&event)) {
          link->transfers().taken(kNow, piece->transfer);
        }
      }
    }
    return sender.state();
  }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> out;
    for (const Event& event : events) {
      if (const T* found = std::get_if<T>(&event)) out.push_back(*found);
    }
    return out;
  }

  base::SeededRng rng{1};
  Services client{rng, {}};
  Services server{rng, {}};
  std::optional<LinkChannel> channel;
  std::optional<Link> link;
  std::vector<Event> events;

 private:
  LinkId id_;
};

Bytes packed_name() {
  codec::MsgpackWriter writer;
  writer.map(1).string("name").string("file.bin");
  return writer.take();
}

// Of what the played server has just offered.
Advertisement advertisement_of(PlayedServer& played) {
  const auto output = played.server.out.pop();
  const Bytes packet = std::get<Transmit>(*output).packet;
  return parse_advertisement(played.channel->unseal(parse_packet(packet)->data).value()).value();
}

Advertisement offer(std::uint64_t segment, std::uint64_t segments, std::uint64_t content) {
  Advertisement out{.transfer_size = 464,
                    .content_size = content,
                    .part_count = 1,
                    .segment = segment,
                    .segment_count = segments,
                    .split = segments > 1,
                    .hashmap = Bytes(4)};
  out.hash.bytes.fill(static_cast<Byte>(segment));
  out.first_hash.bytes.fill(1);
  return out;
}

}  // namespace

TEST(Transfer, a_file_as_response_comes_with_its_metadata_and_without_a_head) {
  PlayedServer played;
  const auto request = played.link->send_request({kNow, {}}, "/file", Bytes{0xC0}, {}).value();
  const Bytes file = random_bytes(1'200'000);
  ASSERT_EQ(played.send_resource({.use = ResourceUse::response,
                                  .request = request.id,
                                  .prefix = metadata_block(packed_name()),
                                  .has_metadata = true,
                                  .value = file,
                                  .value_size = file.size(),
                                  .compress = false}),
            ResourceSender::State::sent);
  const auto started = played.all<ContentStarted>();
  ASSERT_EQ(started.size(), 1U);
  EXPECT_EQ(started[0].kind, ContentKind::response);
  EXPECT_EQ(started[0].request, request.id);
  EXPECT_EQ(started[0].metadata, packed_name());
  EXPECT_EQ(started[0].size, file.size());
  Bytes received;
  for (const auto& piece : played.all<ContentPiece>()) base::append(received, piece.bytes);
  EXPECT_EQ(received, file);
  EXPECT_EQ(played.all<ContentDone>().size(), 1U);
}

TEST(Transfer, a_response_nobody_asked_for_is_rejected) {
  PlayedServer played;
  const Bytes value = packed_value(random_bytes(5'000));
  EXPECT_EQ(played.send_resource({.use = ResourceUse::response,
                                  .request = RequestId{},
                                  .prefix = response_prefix(RequestId{}),
                                  .value = value,
                                  .value_size = value.size()}),
            ResourceSender::State::failed);
  EXPECT_TRUE(played.all<ContentStarted>().empty());
}

TEST(Transfer, a_response_that_answers_another_request_inside_counts_as_lost) {
  PlayedServer played;
  const auto request = played.link->send_request({kNow, {}}, "/x", Bytes{0xC0}, {}).value();
  const Bytes value = packed_value(random_bytes(5'000));
  EXPECT_EQ(played.send_resource({.use = ResourceUse::response,
                                  .request = request.id,
                                  .prefix = response_prefix(RequestId{}),
                                  .value = value,
                                  .value_size = value.size()}),
            ResourceSender::State::failed);
  EXPECT_EQ(played.all<RequestTimedOut>().size(), 1U);
  EXPECT_TRUE(played.all<ContentFailed>().empty());
}

TEST(Transfer, a_request_from_the_side_that_serves_is_rejected) {
  PlayedServer played;
  const Bytes value = packed_value(random_bytes(5'000));
  EXPECT_EQ(played.send_resource({.use = ResourceUse::request,
                                  .request = RequestId{},
                                  .prefix = request_prefix({}, "/x"),
                                  .value = value,
                                  .value_size = value.size()}),
            ResourceSender::State::failed);
}

TEST(Transfer, a_bomb_is_stopped_at_what_it_promised) {
  PlayedServer played;
  // Twenty megabytes of zeros shrink to almost nothing; the advertisement promises a thousandth of
  // it.
  const Bytes zeros(20'000'000);
  const OutgoingSegment bomb(zeros, played.channel->cipher(), played.rng,
                             played.channel->part_size(), true);
  Advertisement advertisement{.transfer_size = bomb.stream_size(),
                              .content_size = 20'000,
                              .part_count = bomb.part_count(),
                              .hash = bomb.hash(),
                              .random = bomb.random(),
                              .first_hash = bomb.hash(),
                              .compressed = true,
                              .hashmap = bomb.hashmap_piece(0)};
  played.send(PacketContext::resource_advertisement, pack_advertisement(advertisement));
  ASSERT_EQ(played.sent_by_client().at(0).first, PacketContext::resource_part_request);
  for (std::size_t i = 0; i < bomb.part_count(); ++i) {
    played.channel->send_part(kNow, bomb.part(i));
  }
  played.shuttle();
  const auto answers = played.sent_by_client();
  ASSERT_FALSE(answers.empty());
  EXPECT_EQ(answers.back().first, PacketContext::resource_reject);
  EXPECT_TRUE(played.all<ContentStarted>().empty());
}

TEST(Transfer, segments_that_contradict_the_first_end_the_transfer) {
  const Advertisement good = offer(2, 3, 3'000'000);
  std::vector<Advertisement> bad(5, good);
  bad[0].segment = 3;
  bad[1].segment_count = 4;
  bad[2].content_size += 1;
  bad[3].request = RequestId{};
  bad[4].transfer_size = kLargestTransfer + 1;
  bad.push_back(good);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    PlayedServer played;
    const Bytes content = random_bytes(400);
    const OutgoingSegment first(content, played.channel->cipher(), played.rng,
                                played.channel->part_size(), false);
    Advertisement one = offer(1, 3, 3'000'000);
    one.transfer_size = first.stream_size();
    one.part_count = first.part_count();
    one.hash = one.first_hash = first.hash();
    one.random = first.random();
    one.hashmap = first.hashmap_piece(0);
    played.send(PacketContext::resource_advertisement, pack_advertisement(one));
    for (std::size_t part = 0; part < first.part_count(); ++part) {
      played.channel->send_part(kNow, first.part(part));
    }
    played.shuttle();
    played.sent_by_client();
    ASSERT_EQ(played.all<ContentPiece>().size(), 1U);
    played.link->transfers().taken(kNow, played.all<ContentPiece>()[0].transfer);
    EXPECT_EQ(played.sent_by_client().at(0).first, PacketContext::resource_proof);

    Advertisement next = bad[i];
    next.first_hash = first.hash();
    played.send(PacketContext::resource_advertisement, pack_advertisement(next));
    const auto answers = played.sent_by_client();
    ASSERT_FALSE(answers.empty());
    const bool was_good = i + 1 == bad.size();
    EXPECT_EQ(answers[0].first,
              was_good ? PacketContext::resource_part_request : PacketContext::resource_reject);
    EXPECT_EQ(played.all<ContentFailed>().size(), was_good ? 0U : 1U);
  }
}

TEST(Transfer, the_first_segment_offered_must_be_the_first) {
  PlayedServer played;
  played.send(PacketContext::resource_advertisement, pack_advertisement(offer(2, 3, 3'000'000)));
  EXPECT_EQ(played.sent_by_client().at(0).first, PacketContext::resource_reject);
}

TEST(Transfer, no_more_than_four_resources_come_in_at_once) {
  PlayedServer played;
  for (Byte i = 1; i <= limits::kIncomingResourcesPerLink + 1; ++i) {
    Advertisement one = offer(1, 1, 400);
    one.hash.bytes.fill(i);
    one.first_hash = one.hash;
    played.send(PacketContext::resource_advertisement, pack_advertisement(one));
    EXPECT_EQ(played.sent_by_client().at(0).first, i <= limits::kIncomingResourcesPerLink
                                                       ? PacketContext::resource_part_request
                                                       : PacketContext::resource_reject);
  }
}

TEST(Transfer, a_bomb_fails_alone) {
  PlayedServer played;
  // It claims to be one segment, and holds more than one may.
  const OutgoingSegment bomb(Bytes(limits::kDecompressedSegment + 200'000, 0),
                             played.channel->cipher(), played.rng, played.channel->part_size(),
                             true);
  ASSERT_TRUE(bomb.compressed());
  ASSERT_EQ(bomb.part_count(), 1U);
  played.send(PacketContext::resource_advertisement,
              pack_advertisement({.transfer_size = bomb.stream_size(),
                                  .content_size = kSegmentContent,
                                  .part_count = 1,
                                  .hash = bomb.hash(),
                                  .random = bomb.random(),
                                  .first_hash = bomb.hash(),
                                  .compressed = true,
                                  .hashmap = bomb.hashmap_piece(0)}));
  EXPECT_EQ(played.sent_by_client().at(0).first, PacketContext::resource_part_request);
  played.channel->send_part(kNow, bomb.part(0));
  played.shuttle();
  // No more than a piece of it in each turn.
  std::size_t turns = 1;
  while (const auto waiting = played.client.unopened.pop()) {
    played.link->transfers().open_some(kNow, waiting->item.transfer);
    ++turns;
  }
  EXPECT_GE(turns, limits::kDecompressedSegment / limits::kOpenedPerTurn);
  EXPECT_EQ(played.client.transfer_counts.bombs, 1U);
  EXPECT_EQ(played.sent_by_client().at(0).first, PacketContext::resource_reject);
  EXPECT_EQ(played.client.room(LinkPart::own).incoming.size(), 0U);
  EXPECT_EQ(played.client.incoming_bytes, 0U);
  EXPECT_EQ(played.send_resource({.value = Bytes(1000, 1), .value_size = 1000}),
            ResourceSender::State::sent);
}

TEST(Transfer, a_part_request_sent_twice_is_answered_once) {
  PlayedServer played;
  ResourceSender sender(*played.channel, 1, {.value = random_bytes(400), .value_size = 400});
  sender.start(kNow);
  const auto advertisement = advertisement_of(played);
  const Bytes request =
      base::concat({Bytes{0x00}, advertisement.hash.view(), advertisement.hashmap});
  sender.handle_part_request(kNow, Hash32{}, request);
  EXPECT_EQ(played.server.out.packets(), 2U);
  sender.handle_part_request(kNow, Hash32{}, request);
  EXPECT_EQ(played.server.out.packets(), 2U);
  sender.handle_part_request(kNow, Hash32{{1}}, request);
  EXPECT_EQ(played.server.out.packets(), 3U);
}

TEST(Transfer, a_hashmap_request_that_does_not_end_a_piece_cancels) {
  PlayedServer played;
  const Bytes content = random_bytes(100 * 464);
  ResourceSender sender(*played.channel, 1,
                        {.value = content, .value_size = content.size(), .compress = false});
  sender.start(kNow);
  const auto advertisement = advertisement_of(played);
  Bytes request{0xFF};
  base::append(request,
               ByteView(advertisement.hashmap).subspan(72 * kPartHash, 4));  // the last but one
  base::append(request, advertisement.hash.view());
  sender.handle_part_request(kNow, Hash32{}, request);
  EXPECT_EQ(sender.state(), ResourceSender::State::failed);
}

TEST(TransferWindow, grows_fast_on_fast_links_and_stays_small_on_slow_ones) {
  const auto run = [](Duration per_part, std::size_t bytes, int rounds) {
    TransferWindow window(milliseconds(10));
    TimePoint now = kNow;
    std::size_t largest = 0;
    for (int i = 0; i < rounds; ++i) {
      window.asked(now, true);
      for (std::size_t part = window.size(); part > 0; --part) {
        window.arrived(now += per_part, bytes);
      }
      largest = std::max(largest, window.size());
    }
    return largest;
  };
  EXPECT_EQ(run(Duration{100}, 8156, 10), kMostPartsAsked);
  EXPECT_EQ(run(seconds(1), 464, 100), 10U);  // 464 bytes a second
  EXPECT_LE(run(seconds(4), 464, 100), 6U);   // 116 bytes a second
  TransferWindow window(milliseconds(10));
  for (int i = 0; i < 100; ++i) window.timed_out();
  EXPECT_EQ(window.size(), 2U);
}

TEST(TransferWindow, patience_follows_the_rate) {
  TransferWindow window(seconds(2));
  EXPECT_NEAR(std::chrono::duration<double>(window.expected_flight(464)).count(), 4.5, 0.1);
  window.asked(kNow, true);
  TimePoint now = kNow;
  for (int i = 0; i < 4; ++i) window.arrived(now += seconds(1), 464);
  EXPECT_EQ(window.expected_flight(464), seconds(2));  // never less than a round trip
  EXPECT_EQ(window.expected_flight(4640), seconds(10));
}

}  // namespace meshstow::reticulum
