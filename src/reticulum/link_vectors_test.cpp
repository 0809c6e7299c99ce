// Links and resources against reticulum-vectors.json, byte for byte.
#include <gtest/gtest.h>

#include "codec/msgpack.hpp"
#include "codec/vectors_for_test.hpp"
#include "crypto/hash.hpp"
#include "reticulum/content_head.hpp"
#include "reticulum/link_channel.hpp"
#include "reticulum/link_handshake.hpp"
#include "reticulum/resource_receiver.hpp"
#include "reticulum/resource_sender.hpp"
#include "reticulum/scripted_rng_for_test.hpp"

namespace meshstow::reticulum {
namespace {

using codec::bytes_of;
using codec::text_of;
using codec::to_hex;

const boost::json::object& vectors() {
  static const boost::json::object kVectors = codec::vectors("reticulum-vectors.json");
  return kVectors;
}

Identity identity_named(std::string_view name) {
  for (const auto& vector : vectors().at("identities").as_array()) {
    if (text_of(vector, "name") == name) {
      return Identity::from_private_bytes(bytes_of(vector, "private")).value();
    }
  }
  throw std::runtime_error("no such identity");
}

crypto::X25519Key x25519(const boost::json::value& vector, std::string_view key) {
  return crypto::X25519Key(crypto::Secret32(bytes_of(vector, key)));
}

// A link of the vectors, from the side of whoever sends.
struct VectorLink {
  explicit VectorLink(const boost::json::value& vector)
      : services(rng, {}),
        channel(services, LinkId::from(bytes_of(vector, "link_id")).value(), 1,
                static_cast<std::uint32_t>(vector.at("mtu").as_int64()),
                crypto::Secret64(bytes_of(vector, "derived_key"))) {}

  Bytes sent() {
    auto output = services.out.pop();
    while (output && !std::holds_alternative<Transmit>(*output)) output = services.out.pop();
    return output ? std::get<Transmit>(*output).packet : Bytes{};
  }
  Bytes open(ByteView packet) const {
    return channel.unseal(parse_packet(packet).value().data).value();
  }

  ScriptedRng rng;
  Services services;
  LinkChannel channel;
};

ByteView iv_of(ByteView packet) { return packet.subspan(kHeader1Size, 16); }

Bytes stream_of(const boost::json::value& resource) {
  Bytes stream;
  for (const auto& part : resource.at("part_packets").as_array()) {
    const Bytes raw = codec::unhex(std::string_view(part.get_string()));
    base::append(stream, parse_packet(raw).value().data);
  }
  return stream;
}

}  // namespace

TEST(LinkVectors, both_sides_of_the_handshake) {
  for (const auto& vector : vectors().at("links").as_array()) {
    const Identity server = identity_named(text_of(vector, "server_identity"));
    const auto initiator = x25519(vector, "initiator_x25519_private");
    const crypto::Ed25519Key signing(
        crypto::Secret32(bytes_of(vector, "initiator_ed25519_private")));
    const auto responder = x25519(vector, "responder_x25519_private");
    const auto mtu = static_cast<std::uint32_t>(vector.at("mtu").as_int64());

    const Bytes data = pack_link_request({initiator.public_key(), signing.public_key(), mtu});
    const Packet request{.type = PacketType::link_request,
                         .destination = Hash16::from(bytes_of(vector, "destination_hash")).value(),
                         .data = data};
    EXPECT_EQ(to_hex(pack_packet(request)), text_of(vector, "link_request_packet"));
    const LinkId id = link_id_of(request);
    EXPECT_EQ(to_hex(id), text_of(vector, "link_id"));
    const auto read = parse_link_request(data).value();
    EXPECT_EQ(read.encryption, initiator.public_key());
    EXPECT_EQ(read.signing, signing.public_key());
    EXPECT_EQ(read.mtu, mtu);

    const Bytes proof = make_link_proof(server, id, {responder.public_key(), mtu});
    const Packet answer{.type = PacketType::proof,
                        .destination_type = DestinationType::link,
                        .context = PacketContext::link_request_proof,
                        .destination = id,
                        .data = proof};
    EXPECT_EQ(to_hex(pack_packet(answer)), text_of(vector, "link_proof_packet"));
    const auto checked = read_link_proof(proof, id, server.public_identity()).value();
    EXPECT_EQ(checked.encryption, responder.public_key());
    EXPECT_EQ(checked.mtu, mtu);

    EXPECT_EQ(to_hex(agree_link_key(initiator, responder.public_key(), id)->view()),
              text_of(vector, "derived_key"));
    EXPECT_EQ(to_hex(agree_link_key(responder, initiator.public_key(), id)->view()),
              text_of(vector, "derived_key"));
  }
}

TEST(LinkVectors, signalling_taken_away_by_a_relay_means_the_basic_mtu) {
  const auto& vector = vectors().at("links").as_array()[1];
  const Bytes raw = bytes_of(vector, "link_request_packet");
  const Bytes stripped(raw.begin(), raw.end() - 3);
  const auto packet = parse_packet(stripped).value();
  EXPECT_EQ(to_hex(link_id_of(packet)), text_of(vector, "link_id"));
  EXPECT_FALSE(parse_link_request(packet.data)->mtu);
  EXPECT_FALSE(parse_link_request(ByteView(packet.data).first(63)));

  const Identity server = identity_named(text_of(vector, "server_identity"));
  const auto id = LinkId::from(bytes_of(vector, "link_id")).value();
  const Bytes proof = make_link_proof(server, id, {});
  EXPECT_EQ(proof.size(), 96U);
  EXPECT_FALSE(read_link_proof(proof, id, server.public_identity())->mtu);
}

TEST(LinkVectors, tampered_proofs_are_refused) {
  for (const auto& vector : vectors().at("link_proof_tampered").as_array()) {
    const Bytes request = bytes_of(vector, "link_request_packet");
    const Bytes proof = bytes_of(vector, "link_proof_packet_must_fail");
    const auto read =
        read_link_proof(parse_packet(proof).value().data, link_id_of(parse_packet(request).value()),
                        identity_named("bob").public_identity());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::denied) << text_of(vector, "altered");
  }
}

TEST(LinkVectors, the_steps_of_a_link) {
  for (const auto& vector : vectors().at("links").as_array()) {
    VectorLink link(vector);
    const Bytes rtt = bytes_of(vector, "rtt_packet");
    EXPECT_EQ(to_hex(link.open(rtt)), text_of(vector, "rtt_plaintext"));
    link.rng.then(iv_of(rtt));
    link.channel.send({}, PacketContext::link_rtt, bytes_of(vector, "rtt_plaintext"));
    EXPECT_EQ(to_hex(link.sent()), to_hex(rtt));

    for (const auto& step : vector.at("steps").as_array()) {
      SCOPED_TRACE(text_of(step, "label"));
      const Bytes raw = bytes_of(step, "packet");
      const Packet packet = parse_packet(raw).value();
      EXPECT_EQ(to_hex(packet_hash(packet)), text_of(step, "packet_hash"));
      if (step.at("plaintext").is_null()) {
        link.channel.send_clear({}, packet.context, packet.data, packet.type);
      } else {
        EXPECT_EQ(to_hex(link.open(raw)), text_of(step, "plaintext"));
        link.rng.then(iv_of(raw));
        link.channel.send({}, packet.context, bytes_of(step, "plaintext"));
      }
      EXPECT_EQ(to_hex(link.sent()), to_hex(raw));
    }
  }
}

TEST(LinkVectors, identification_request_and_response_say_the_same) {
  const auto& vector = vectors().at("links").as_array()[0];
  const auto id = LinkId::from(bytes_of(vector, "link_id")).value();
  const Identity alice = identity_named("alice");
  RequestId request;
  for (const auto& step : vector.at("steps").as_array()) {
    const std::string label = text_of(step, "label");
    if (step.at("plaintext").is_null()) continue;
    const Bytes plaintext = bytes_of(step, "plaintext");
    if (label == "identify as alice") {
      EXPECT_EQ(to_hex(make_identification(alice, id)), to_hex(plaintext));
      EXPECT_EQ(read_identification(plaintext, id).value(), alice.public_identity());
      EXPECT_FALSE(read_identification(plaintext, LinkId{}));
    } else if (label == "request /echo") {
      request = truncated(packet_hash(parse_packet(bytes_of(step, "packet")).value()));
      const auto head = read_content_head(ContentKind::request, false, plaintext).value();
      EXPECT_EQ(head.path_hash, path_hash("/echo"));
      const Bytes prefix = request_prefix(base::wall_from_unix_seconds(1'700'000'002), "/echo");
      EXPECT_EQ(to_hex(prefix), to_hex(ByteView(plaintext).first(head.size)));
    } else if (label == "response") {
      const auto head = read_content_head(ContentKind::response, false, plaintext).value();
      EXPECT_EQ(head.request, request);
      EXPECT_EQ(to_hex(response_prefix(request)), to_hex(ByteView(plaintext).first(head.size)));
    }
  }
  EXPECT_NE(request, RequestId{});
}

TEST(LinkVectors, resources_are_sent_byte_for_byte) {
  for (const auto& vector : vectors().at("links").as_array()) {
    for (const auto& resource : vector.at("resources").as_array()) {
      if (!resource.as_object().contains("part_packets")) continue;
      SCOPED_TRACE(text_of(resource, "label"));
      VectorLink link(vector);
      const Bytes stream = stream_of(resource);
      const Bytes plaintext = link.channel.unseal(stream).value();
      const auto& exchange = resource.at("exchange").as_array();
      const Bytes advertisement = bytes_of(exchange[0], "packet");

      OutgoingContent content;
      if (!resource.at("metadata_msgpack").is_null()) {
        content.has_metadata = true;
        content.prefix = metadata_block(bytes_of(resource, "metadata_msgpack"));
      }
      content.value = resource.at("data").is_null() ? Bytes(plaintext.begin() + 4, plaintext.end())
                                                    : bytes_of(resource, "data");
      content.value_size = content.value->size();
      link.rng.then(ByteView(plaintext).first(4))
          .then(ByteView(stream).first(16))
          .then(bytes_of(resource, "random_hash"))
          .then(iv_of(advertisement));
      ResourceSender sender(link.channel, 1, content);
      sender.start({});
      EXPECT_EQ(to_hex(link.open(advertisement)), text_of(exchange[0], "plaintext"));
      EXPECT_EQ(to_hex(link.sent()), to_hex(advertisement));

      const Bytes request = bytes_of(exchange[1], "plaintext");
      EXPECT_TRUE(sender.sends(Hash32::from(bytes_of(resource, "resource_hash")).value()));
      sender.handle_part_request({}, Hash32{}, request);
      for (const auto& part : resource.at("part_packets").as_array()) {
        EXPECT_EQ(to_hex(link.sent()), std::string(std::string_view(part.get_string())));
      }
      EXPECT_EQ(sender.state(), ResourceSender::State::awaiting_proof);
      Bytes wrong = bytes_of(resource, "expected_proof");
      wrong[0] ^= 1;
      sender.handle_proof({}, wrong);
      EXPECT_EQ(sender.state(), ResourceSender::State::awaiting_proof);
      sender.handle_proof({}, bytes_of(resource, "expected_proof"));
      EXPECT_EQ(sender.state(), ResourceSender::State::sent);
    }
  }
}

Result<OpenedSegment> open_whole(const ResourceReceiver& receiver, std::size_t most) {
  auto opening = receiver.open(most);
  while (opening) {
    const auto done = opening->step(1);
    if (!done) return fail(done.error());
    if (*done) return opening->finish();
  }
  return fail(opening.error());
}

TEST(LinkVectors, resources_are_received_and_proved) {
  for (const auto& vector : vectors().at("links").as_array()) {
    for (const auto& resource : vector.at("resources").as_array()) {
      if (!resource.as_object().contains("part_packets")) continue;
      SCOPED_TRACE(text_of(resource, "label"));
      VectorLink link(vector);
      const auto& exchange = resource.at("exchange").as_array();
      const auto advertisement = parse_advertisement(bytes_of(exchange[0], "plaintext")).value();
      EXPECT_EQ(to_hex(pack_advertisement(advertisement)), text_of(exchange[0], "plaintext"));
      ASSERT_TRUE(ResourceReceiver::acceptable(advertisement, link.channel));
      TransferWindow window(Duration{1000});
      ResourceReceiver receiver(link.channel, window, advertisement);
      receiver.start({});
      // Three parts or fewer fit the first window: our request says what RNS's did.
      EXPECT_EQ(to_hex(link.open(link.sent())), text_of(exchange[1], "plaintext"));
      for (const auto& part : resource.at("part_packets").as_array()) {
        const Bytes raw = codec::unhex(std::string_view(part.get_string()));
        EXPECT_TRUE(receiver.handle_part({}, parse_packet(raw).value().data));
        EXPECT_FALSE(receiver.handle_part({}, parse_packet(raw).value().data));
      }
      ASSERT_EQ(receiver.state(), ResourceReceiver::State::complete);
      const auto opened = open_whole(receiver, 1 << 20).value();
      EXPECT_EQ(opened.content.size(), advertisement.content_size);
      EXPECT_EQ(to_hex(opened.proof.value), text_of(resource, "expected_proof"));
      EXPECT_EQ(open_whole(receiver, opened.content.size() - 1).error().code, Errc::limit);
      const auto head =
          read_content_head(ContentKind::resource, advertisement.has_metadata, opened.content)
              .value();
      EXPECT_EQ(to_hex(crypto::sha256(ByteView(opened.content).subspan(head.size))),
                text_of(resource, "data_sha256"));
      EXPECT_EQ(head.metadata.has_value(), !resource.at("metadata_msgpack").is_null());
      EXPECT_EQ(to_hex(base::concat({opened.proof.hash.view(), opened.proof.value.view()})),
                text_of(exchange[2], "data"));
    }
  }
}

TEST(LinkVectors, a_large_hashmap_comes_in_pieces) {
  const auto& vector = vectors().at("links").as_array()[0];
  for (const auto& resource : vector.at("resources").as_array()) {
    if (resource.as_object().contains("part_packets")) continue;
    VectorLink link(vector);
    const Bytes hashmap = bytes_of(resource, "map_hashes");
    const auto& exchange = resource.at("exchange").as_array();
    const auto advertisement = parse_advertisement(bytes_of(exchange[0], "plaintext")).value();
    EXPECT_EQ(advertisement.part_count, 130U);
    EXPECT_EQ(advertisement.hashmap.size(), kHashmapPiece * kPartHash);
    EXPECT_EQ(to_hex(ByteView(hashmap).first(advertisement.hashmap.size())),
              to_hex(advertisement.hashmap));
    // What RNS asked and answered when it came to the end of the first piece.
    const Bytes theirs = bytes_of(exchange[1], "plaintext");
    EXPECT_EQ(to_hex(ByteView(theirs).subspan(1, 4)),
              to_hex(ByteView(hashmap).subspan(73 * kPartHash, 4)));
    const Bytes update = bytes_of(exchange[2], "plaintext");
    EXPECT_EQ(to_hex(ByteView(update).first(32)), text_of(resource, "resource_hash"));
    codec::MsgpackReader reader(ByteView(update).subspan(32));
    EXPECT_EQ(reader.array().value(), 2U);
    EXPECT_EQ(reader.integer().value(), 1);
    EXPECT_EQ(to_hex(reader.binary().value()),
              to_hex(ByteView(hashmap).subspan(kHashmapPiece * kPartHash)));
    // Our first request asks for the second piece at once: it is within the sender's span.
    TransferWindow window(Duration{1000});
    ResourceReceiver receiver(link.channel, window, advertisement);
    receiver.start({});
    const Bytes request = link.open(link.sent());
    EXPECT_EQ(request[0], 0xFF);
    EXPECT_EQ(to_hex(ByteView(request).subspan(1, 4)),
              to_hex(ByteView(hashmap).subspan(73 * kPartHash, 4)));
    EXPECT_EQ(to_hex(ByteView(request).subspan(5, 32)), text_of(resource, "resource_hash"));
    EXPECT_EQ(to_hex(ByteView(request).subspan(37)), to_hex(ByteView(hashmap).first(16)));
  }
}

TEST(LinkVectors, advertisements_and_their_flags) {
  for (const auto& vector : vectors().at("advertisement_flags").as_array()) {
    const auto bit = [&vector](std::string_view key) { return vector.at(key).as_int64() == 1; };
    Advertisement advertisement;
    advertisement.encrypted = bit("encrypted");
    advertisement.compressed = bit("compressed");
    advertisement.split = bit("split");
    advertisement.is_request = bit("request");
    advertisement.is_response = bit("response");
    advertisement.has_metadata = bit("metadata");
    EXPECT_EQ(pack_flags(advertisement), vector.at("value").as_int64());
  }
  for (const auto& vector : vectors().at("advertisements").as_array()) {
    const auto advertisement = parse_advertisement(bytes_of(vector, "packed")).value();
    EXPECT_EQ(to_hex(pack_advertisement(advertisement)), text_of(vector, "packed"));
    EXPECT_EQ(advertisement.transfer_size, static_cast<std::uint64_t>(vector.at("t").as_int64()));
    EXPECT_EQ(to_hex(advertisement.hash), text_of(vector, "h"));
    EXPECT_EQ(advertisement.is_response, vector.at("is_response").as_bool());
    EXPECT_EQ(advertisement.request.has_value(), !vector.at("q").is_null());
  }
}

TEST(LinkVectors, a_request_too_large_for_a_packet_is_named_by_its_own_hash) {
  const auto& vector = vectors().at("links").as_array()[1];
  const auto& request = vector.at("request_as_resource");
  const Bytes packed = bytes_of(request, "packed_request");
  EXPECT_EQ(to_hex(crypto::hash16(packed)), text_of(request, "request_id"));
  const auto advertisement =
      parse_advertisement(bytes_of(request, "advertisement_plaintext")).value();
  EXPECT_EQ(to_hex(advertisement.request.value()), text_of(request, "request_id"));
  EXPECT_TRUE(advertisement.is_request);
  EXPECT_EQ(pack_flags(advertisement), request.at("flags").as_int64());
  EXPECT_EQ(advertisement.content_size, packed.size());
}

}  // namespace meshstow::reticulum
