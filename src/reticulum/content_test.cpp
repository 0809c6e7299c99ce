// Requests, responses and resources between two endpoints in virtual time.
#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "codec/msgpack.hpp"
#include "reticulum/network_for_test.hpp"
#include "reticulum/packet.hpp"
#include "reticulum/resource_segment.hpp"

namespace meshstow::reticulum {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The server answers every request with its own value.
void make_echo(Pair& pair) {
  pair.server.keeps_content = true;
  pair.server.on_event = [&pair](const Event& event) {
    const auto* done = std::get_if<ContentDone>(&event);
    if (!done) return;
    const Content& content = pair.server.contents.at(done->transfer);
    if (content.started.kind != ContentKind::request) return;
    EXPECT_TRUE(pair.server.endpoint.respond(pair.network.now(), content.started.link,
                                             content.started.request, content.value));
  };
}

const Content* answer(const Pair& pair) {
  const Content* content = pair.client.content(ContentKind::response);
  return content && content->done ? content : nullptr;
}

// {"name": "file.bin"}, packed.
Bytes some_metadata() {
  codec::MsgpackWriter writer;
  writer.map(1).string("name").binary(base::as_bytes("file.bin"));
  return writer.take();
}

WireOptions narrow() {
  WireOptions options;
  options.interface.raises_link_mtu = false;
  return options;
}

}  // namespace

TEST(Content, a_small_request_and_its_answer_take_one_packet_each) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  make_echo(pair);
  const Bytes value = packed_value(random_bytes(100));
  const TimePoint sent = pair.network.now().mono;
  const auto request =
      pair.client.endpoint.send_request(pair.network.now(), pair.link, "/echo", value).value();
  EXPECT_FALSE(request.transfer);
  const std::uint64_t packets = pair.network.packets_on_wire;
  ASSERT_TRUE(pair.network.run_until([&] { return answer(pair); }));
  EXPECT_EQ(pair.network.packets_on_wire - packets, 2U);

  const Content* asked = pair.server.content(ContentKind::request);
  EXPECT_TRUE(asked->started.one_packet);
  EXPECT_EQ(asked->started.path_hash, path_hash("/echo"));
  EXPECT_EQ(asked->started.request, request.id);
  EXPECT_EQ(asked->value, value);
  EXPECT_EQ(answer(pair)->started.request, request.id);
  EXPECT_EQ(answer(pair)->started.size, value.size());
  EXPECT_EQ(answer(pair)->sha256, crypto::sha256(value));
  // The wire takes 2 ms; RNS would have lost an answer as quick as that.
  EXPECT_GE(pair.network.now().mono - sent, milliseconds(2) + EndpointOptions{}.quick_answer_delay);
  pair.network.run_for(seconds(30));
  EXPECT_EQ(pair.client.count<RequestTimedOut>(), 0U);
}

TEST(Content, the_quick_answer_delay_is_for_fast_links_only) {
  WireOptions slow;
  slow.delay = milliseconds(50);
  Pair pair(slow);
  ASSERT_TRUE(pair.ready());
  make_echo(pair);
  const TimePoint sent = pair.network.now().mono;
  pair.client.endpoint.send_request(pair.network.now(), pair.link, "/echo", Bytes{0xC0}).value();
  ASSERT_TRUE(pair.network.run_until([&] { return answer(pair); }));
  EXPECT_EQ(pair.network.now().mono - sent, milliseconds(100));
}

TEST(Content, values_that_just_fit_and_just_do_not) {
  Pair pair(narrow());
  ASSERT_TRUE(pair.ready());
  make_echo(pair);
  // 431 bytes of payload, 28 of them head of a request, 19 head of a response.
  const auto fits =
      pair.client.endpoint.send_request(pair.network.now(), pair.link, "/e", Bytes(403, 0xC0));
  EXPECT_FALSE(fits->transfer);
  const auto does_not =
      pair.client.endpoint.send_request(pair.network.now(), pair.link, "/e", Bytes(404, 0xC0));
  EXPECT_TRUE(does_not->transfer);
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<ContentDone>() == 2; }));
  const auto answers = pair.client.all<ContentStarted>();
  EXPECT_TRUE(answers[0].one_packet && answers[1].one_packet);
  EXPECT_TRUE(answers[0].request == does_not->id || answers[1].request == does_not->id);
}

class Megabytes : public testing::TestWithParam<std::size_t> {};

TEST_P(Megabytes, travel_as_request_and_come_back_as_response) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  make_echo(pair);
  const Bytes value = packed_value(random_bytes(GetParam()));
  const auto request =
      pair.client.endpoint.send_request(pair.network.now(), pair.link, "/echo", value).value();
  ASSERT_TRUE(request.transfer);
  ASSERT_TRUE(pair.network.run_until([&] { return answer(pair); }, seconds(600)));
  EXPECT_EQ(answer(pair)->sha256, crypto::sha256(value));
  EXPECT_EQ(pair.server.content(ContentKind::request)->sha256, crypto::sha256(value));
  EXPECT_LE(answer(pair)->largest_piece, kSegmentContent);
  EXPECT_EQ(pair.client.last<ContentSent>().transfer, *request.transfer);
  pair.network.run_for(seconds(5));
  EXPECT_EQ(pair.server.count<ContentSent>(), 1U);
  EXPECT_EQ(pair.client.count<RequestTimedOut>(), 0U);
}

INSTANTIATE_TEST_SUITE_P(OfSize, Megabytes,
                         testing::Values(9'000, 100'000, 1'048'575 - 33, 1'048'575 - 32, 1'048'575,
                                         10'000'000));

TEST(Content, ten_megabytes_over_the_smallest_mtu) {
  Pair pair(narrow());
  ASSERT_TRUE(pair.ready());
  const Bytes data = random_bytes(10'000'000);
  ASSERT_TRUE(pair.client.endpoint.send_resource(pair.network.now(), pair.link, data, {}, false));
  ASSERT_TRUE(
      pair.network.run_until([&] { return pair.client.count<ContentSent>() == 1; }, seconds(3600)));
  EXPECT_EQ(pair.server.content(ContentKind::resource)->sha256, crypto::sha256(data));
}

TEST(Content, metadata_travels_with_a_resource) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  const Bytes metadata = some_metadata();
  const Bytes data = random_bytes(3'000'000);
  ASSERT_TRUE(pair.client.endpoint.send_resource(pair.network.now(), pair.link, data, metadata));
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<ContentSent>() == 1; }));
  const Content* content = pair.server.content(ContentKind::resource);
  EXPECT_EQ(content->started.metadata, metadata);
  EXPECT_EQ(content->started.size, data.size());
  EXPECT_EQ(content->sha256, crypto::sha256(data));
}

TEST(Content, what_shrinks_is_compressed_and_what_does_not_is_not) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  std::string text;
  while (text.size() < 2'000'000) text += "the same line again and again, number ninety-nine\n";
  const std::uint64_t before = pair.network.bytes_on_wire;
  ASSERT_TRUE(
      pair.client.endpoint.send_resource(pair.network.now(), pair.link, base::as_bytes(text)));
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<ContentSent>() == 1; }));
  EXPECT_LT(pair.network.bytes_on_wire - before, 20'000U);
  EXPECT_EQ(pair.server.content(ContentKind::resource)->sha256,
            crypto::sha256(base::as_bytes(text)));
  EXPECT_FALSE(looks_compressible(random_bytes(kSegmentContent)));
  EXPECT_TRUE(looks_compressible(base::as_bytes(text)));
}

TEST(Content, streams_request_and_response_with_two_segments_in_memory_at_most) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  const Bytes value = packed_value(random_bytes(5'000'000));
  const auto supply = [&value](const ContentWanted& wanted) {
    return base::to_bytes(ByteView(value).subspan(wanted.offset, wanted.size));
  };
  pair.client.supplies = supply;
  pair.server.supplies = supply;
  pair.server.on_event = [&](const Event& event) {
    const auto* done = std::get_if<ContentDone>(&event);
    if (!done) return;
    const Content& content = pair.server.contents.at(done->transfer);
    EXPECT_TRUE(pair.server.endpoint.respond_streamed(
        pair.network.now(), pair.link, content.started.request, value.size(), false));
  };
  StreamedRequest request;
  request.prefix = request_prefix(pair.network.now().wall, "/put");
  request.value_size = value.size();
  request.id = crypto::hash16({request.prefix, value});
  RequestOptions options;
  options.compress = false;
  const auto sent =
      pair.client.endpoint.send_request(pair.network.now(), pair.link, request, options).value();
  EXPECT_EQ(sent.id, request.id);
  ASSERT_TRUE(pair.network.run_until([&] { return answer(pair); }));
  EXPECT_EQ(pair.server.content(ContentKind::request)->sha256, crypto::sha256(value));
  EXPECT_EQ(pair.server.content(ContentKind::request)->started.path_hash, path_hash("/put"));
  EXPECT_EQ(answer(pair)->sha256, crypto::sha256(value));
  EXPECT_EQ(answer(pair)->started.request, request.id);
  for (const auto& wanted : pair.client.all<ContentWanted>()) {
    EXPECT_LE(wanted.size, kSegmentContent);
  }
  EXPECT_EQ(pair.client.count<ContentWanted>(), 5U);
}

TEST(Content, supplying_what_was_not_wanted_is_an_error) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  const auto transfer =
      pair.server.endpoint.respond_streamed(pair.network.now(), pair.link, RequestId{}, 1000)
          .value();
  const Now now = pair.network.now();
  EXPECT_EQ(pair.server.endpoint.supply(now, transfer, Bytes(999)).error().code, Errc::malformed);
  EXPECT_EQ(pair.server.endpoint.supply(now, transfer + 1, Bytes(9)).error().code, Errc::not_found);
  EXPECT_TRUE(pair.server.endpoint.supply(now, transfer, Bytes(1000)));
  EXPECT_EQ(pair.server.endpoint.supply(now, transfer, Bytes(1000)).error().code, Errc::malformed);
}

TEST(Content, the_next_segment_waits_until_the_last_was_taken) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  pair.server.takes_content = false;
  const Bytes data = random_bytes(3'000'000);
  pair.client.endpoint.send_resource(pair.network.now(), pair.link, data, {}, false).value();
  pair.network.run_for(seconds(8));
  const Content* content = pair.server.content(ContentKind::resource);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->size, kSegmentContent);
  const TransferId transfer = content->started.transfer;
  pair.server.endpoint.content_taken(pair.network.now(), transfer);
  pair.network.run_for(seconds(8));
  EXPECT_EQ(content->size, 2 * kSegmentContent);
  pair.server.endpoint.content_taken(pair.network.now(), transfer);
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<ContentSent>() == 1; }));
  EXPECT_EQ(content->sha256, crypto::sha256(data));
}

TEST(Content, a_server_rejects_resources_it_did_not_ask_for) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  // The client's side of a link takes none until told.
  pair.server.endpoint.send_resource(pair.network.now(), pair.link, Bytes(10'000)).value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<ContentUnsent>() == 1; }));
  EXPECT_EQ(pair.server.last<ContentUnsent>().why, Errc::denied);
  EXPECT_TRUE(pair.client.contents.empty());

  pair.client.endpoint.accept_resources(pair.link, true);
  pair.server.endpoint.send_resource(pair.network.now(), pair.link, Bytes(10'000)).value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<ContentSent>() == 1; }));
  EXPECT_EQ(pair.client.content(ContentKind::resource)->size, 10'000U);
}

TEST(Content, a_request_above_the_limit_is_rejected_before_its_transfer) {
  DestinationOptions options;
  options.max_request = 50'000;
  Pair pair({}, options);
  ASSERT_TRUE(pair.ready());
  const std::uint64_t before = pair.network.bytes_on_wire;
  const auto request = pair.client.endpoint
                           .send_request(pair.network.now(), pair.link, "/x",
                                         packed_value(random_bytes(60'000)), {.compress = false})
                           .value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<ContentUnsent>() == 1; }));
  EXPECT_EQ(pair.client.last<ContentUnsent>().transfer, *request.transfer);
  EXPECT_EQ(pair.client.last<ContentUnsent>().why, Errc::denied);
  EXPECT_LT(pair.network.bytes_on_wire - before, 1000U);
  EXPECT_TRUE(pair.server.contents.empty());
  pair.network.run_for(seconds(60));
  EXPECT_EQ(pair.client.count<RequestTimedOut>(), 0U);  // it ended once
}

TEST(Content, a_cancelled_upload_fails_once_on_both_sides) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  const auto transfer =
      pair.client.endpoint
          .send_resource(pair.network.now(), pair.link, random_bytes(5'000'000), {}, false)
          .value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<ContentStarted>() == 1; }));
  pair.client.endpoint.cancel(pair.network.now(), transfer);
  ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<ContentFailed>() == 1; }));
  pair.network.run_for(seconds(400));
  EXPECT_EQ(pair.client.count<ContentUnsent>(), 1U);
  EXPECT_EQ(pair.server.count<ContentFailed>(), 1U);
  EXPECT_EQ(pair.server.last<ContentFailed>().why, Errc::unavailable);
}

TEST(Content, a_receiver_that_has_seen_enough_stops_the_sender) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  const auto transfer =
      pair.client.endpoint
          .send_resource(pair.network.now(), pair.link, random_bytes(5'000'000), {}, false)
          .value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<ContentStarted>() == 1; }));
  pair.server.endpoint.cancel(pair.network.now(), pair.server.last<ContentStarted>().transfer);
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<ContentUnsent>() == 1; }));
  EXPECT_EQ(pair.client.last<ContentUnsent>().transfer, transfer);
  EXPECT_EQ(pair.client.last<ContentUnsent>().why, Errc::denied);
  pair.network.run_for(seconds(400));
  EXPECT_EQ(pair.server.count<ContentFailed>(), 1U);
  EXPECT_EQ(pair.client.count<ContentUnsent>(), 1U);
}

TEST(Content, transfers_fail_once_each_when_the_interface_is_lost) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  const auto up =
      pair.client.endpoint.send_request(pair.network.now(), pair.link, "/x",
                                        packed_value(random_bytes(5'000'000)), {.compress = false});
  const auto queued =
      pair.client.endpoint.send_resource(pair.network.now(), pair.link, Bytes(9999));
  const auto small =
      pair.client.endpoint.send_request(pair.network.now(), pair.link, "/x", Bytes{0xC0});
  ASSERT_TRUE(up && queued && small);
  ASSERT_TRUE(pair.network.run_until([&] { return pair.server.count<ContentStarted>() == 2; }));
  pair.network.cut(pair.wire);
  pair.network.run_for(seconds(400));
  EXPECT_EQ(pair.client.count<ContentUnsent>(), 2U);
  EXPECT_EQ(pair.client.count<RequestTimedOut>(), 1U);
  EXPECT_EQ(pair.client.last<RequestTimedOut>().request, small->id);
  EXPECT_EQ(pair.server.count<ContentFailed>(), 1U);
  EXPECT_EQ(pair.client.count<LinkClosed>(), 1U);
  EXPECT_TRUE(std::holds_alternative<LinkClosed>(pair.client.events.back()));
}

TEST(Content, a_request_that_nobody_answers_times_out) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  const auto request =
      pair.client.endpoint.send_request(pair.network.now(), pair.link, "/x", Bytes{0xC0}).value();
  pair.network.run_for(seconds(11));
  EXPECT_EQ(pair.client.count<RequestTimedOut>(), 0U);
  pair.network.run_for(seconds(1));
  EXPECT_EQ(pair.client.last<RequestTimedOut>().request, request.id);
  // An answer after that is nobody's.
  ASSERT_TRUE(pair.server.endpoint.respond(pair.network.now(), pair.link, request.id, Bytes{0xC0}));
  pair.network.run_for(seconds(5));
  EXPECT_TRUE(pair.client.contents.empty());
}

TEST(Content, an_answer_that_takes_longer_than_the_timeout_is_waited_for_while_it_comes) {
  WireOptions slow = narrow();
  slow.bytes_per_second = 2'000;
  slow.delay = milliseconds(100);
  Pair pair(slow);
  ASSERT_TRUE(pair.ready());
  make_echo(pair);
  pair.server.on_event = [&pair](const Event& event) {
    if (const auto* started = std::get_if<ContentStarted>(&event)) {
      EXPECT_TRUE(pair.server.endpoint.respond(pair.network.now(), started->link, started->request,
                                               packed_value(random_bytes(100'000)), false));
    }
  };
  pair.client.endpoint
      .send_request(pair.network.now(), pair.link, "/x", Bytes{0xC0}, {.timeout = seconds(3)})
      .value();
  ASSERT_TRUE(pair.network.run_until([&] { return answer(pair); }, seconds(600)));
  EXPECT_EQ(pair.client.count<RequestTimedOut>(), 0U);
  EXPECT_GT(pair.client.count<ContentProgress>(), 10U);
  EXPECT_TRUE(pair.client.last<ContentProgress>().request);
}

TEST(Content, more_unanswered_requests_than_the_limit_are_refused) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  for (std::size_t i = 0; i < limits::kRequestsPerLink; ++i) {
    ASSERT_TRUE(
        pair.client.endpoint.send_request(pair.network.now(), pair.link, "/x", Bytes{0xC0}));
  }
  EXPECT_EQ(pair.client.endpoint.send_request(pair.network.now(), pair.link, "/x", Bytes{0xC0})
                .error()
                .code,
            Errc::limit);
}

TEST(Content, several_resources_go_one_after_the_other) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  for (int i = 0; i < 5; ++i) {
    pair.client.endpoint
        .send_resource(pair.network.now(), pair.link, random_bytes(50'000 + i, i), {}, false)
        .value();
  }
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<ContentSent>() == 5; }));
  std::size_t size = 50'000;
  for (const auto& [transfer, content] : pair.server.contents) EXPECT_EQ(content.size, size++);
}

TEST(Content, both_directions_at_once) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  pair.client.endpoint.accept_resources(pair.link, true);
  const Bytes up = random_bytes(3'000'000, 1);
  const Bytes down = random_bytes(2'000'000, 2);
  pair.client.endpoint.send_resource(pair.network.now(), pair.link, up, {}, false).value();
  pair.server.endpoint.send_resource(pair.network.now(), pair.link, down, {}, false).value();
  ASSERT_TRUE(pair.network.run_until([&] {
    return pair.client.count<ContentSent>() == 1 && pair.server.count<ContentSent>() == 1;
  }));
  EXPECT_EQ(pair.server.content(ContentKind::resource)->sha256, crypto::sha256(up));
  EXPECT_EQ(pair.client.content(ContentKind::resource)->sha256, crypto::sha256(down));
}

TEST(Content, an_empty_value_is_refused_here_and_not_by_the_peer) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  const Now now = pair.network.now();
  EXPECT_FALSE(pair.client.endpoint.send_request(now, pair.link, "/x", ByteView{}));
  EXPECT_FALSE(pair.client.endpoint.send_resource(now, pair.link, ByteView{}));
  EXPECT_FALSE(pair.server.endpoint.respond(now, pair.link, RequestId{}, ByteView{}));
  EXPECT_FALSE(pair.server.endpoint.respond_streamed(now, pair.link, RequestId{}, 0));
}

TEST(Content, a_lost_proof_is_asked_for_again) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  int proofs = 0;
  pair.network.on_packet = [&](TestNode&, Bytes& packet) {
    return parse_packet(packet)->context != PacketContext::resource_proof || ++proofs > 1;
  };
  pair.client.endpoint.send_resource(pair.network.now(), pair.link, Bytes(9'000)).value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<ContentSent>() == 1; }));
  EXPECT_EQ(proofs, 2);
  EXPECT_EQ(pair.server.count<ContentDone>(), 1U);
}

TEST(Content, an_answer_says_that_the_request_arrived_even_if_its_proof_was_lost) {
  Pair pair;
  ASSERT_TRUE(pair.ready());
  make_echo(pair);
  pair.network.on_packet = [&](TestNode& from, Bytes& packet) {
    return &from != &pair.server || parse_packet(packet)->context != PacketContext::resource_proof;
  };
  const auto request =
      pair.client.endpoint.send_request(pair.network.now(), pair.link, "/echo",
                                        packed_value(random_bytes(20'000)), {.compress = false});
  ASSERT_TRUE(pair.network.run_until([&] { return answer(pair); }, seconds(5)));
  EXPECT_EQ(pair.client.last<ContentSent>().transfer, request->transfer);
  pair.network.run_for(seconds(100));
  EXPECT_EQ(pair.client.count<ContentSent>(), 1U);
  EXPECT_EQ(pair.client.count<ContentUnsent>(), 0U);
}

TEST(Content, large_parts_fly_ahead_of_the_window) {
  // With a round trip of 100 ms, 75 parts of 8 kB under way at a time give 6 MB/s at best; a window
  // that waited to be empty before the next request would give half of it.
  WireOptions far;
  far.delay = milliseconds(50);
  Pair pair(far);
  ASSERT_TRUE(pair.ready());
  const TimePoint began = pair.network.now().mono;
  pair.client.endpoint
      .send_resource(pair.network.now(), pair.link, random_bytes(20'000'000), {}, false)
      .value();
  ASSERT_TRUE(pair.network.run_until([&] { return pair.client.count<ContentSent>() == 1; }));
  const double took = std::chrono::duration<double>(pair.network.now().mono - began).count();
  EXPECT_LT(took, 12);
}

}  // namespace meshstow::reticulum
