// Names, packets, announces and proofs against reticulum-vectors.json.
#include <gtest/gtest.h>

#include "codec/vectors_for_test.hpp"
#include "crypto/cipher.hpp"
#include "crypto/hash.hpp"
#include "reticulum/announce.hpp"
#include "reticulum/link_handshake.hpp"
#include "reticulum/receipts.hpp"
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

std::string hex_or_empty(const boost::json::value& vector, std::string_view key) {
  return vector.at(key).is_null() ? std::string() : text_of(vector, key);
}

}  // namespace

TEST(Vectors, identities_have_these_public_keys_hashes_and_signatures) {
  for (const auto& vector : vectors().at("identities").as_array()) {
    const auto identity = Identity::from_private_bytes(bytes_of(vector, "private")).value();
    EXPECT_EQ(to_hex(identity.private_bytes().view()), text_of(vector, "private"));
    const PublicIdentity& known = identity.public_identity();
    EXPECT_EQ(to_hex(known.public_key()), text_of(vector, "public"));
    EXPECT_EQ(to_hex(known.hash()), text_of(vector, "identity_hash"));
    if (!vector.as_object().contains("signature")) continue;
    EXPECT_EQ(to_hex(known.encryption_key()), text_of(vector, "x25519_public"));
    EXPECT_EQ(to_hex(known.signing_key()), text_of(vector, "ed25519_public"));
    const Bytes message = bytes_of(vector, "sign_message");
    const Signature signature = identity.sign(message);
    EXPECT_EQ(to_hex(signature), text_of(vector, "signature"));
    EXPECT_TRUE(known.verify(message, signature));
    EXPECT_FALSE(known.verify(base::as_bytes("something else"), signature));
  }
}

TEST(Vectors, an_identity_file_of_another_length_is_refused) {
  EXPECT_FALSE(Identity::from_private_bytes(Bytes(63)));
  EXPECT_FALSE(Identity::from_private_bytes(Bytes(65)));
  EXPECT_FALSE(Identity::from_private_bytes({}));
}

TEST(Vectors, key_agreement) {
  const auto& vector = vectors().at("ecdh");
  const crypto::X25519Key own(crypto::Secret32(bytes_of(vector, "private")));
  const auto shared =
      own.agree(crypto::X25519Public::from(bytes_of(vector, "peer_public")).value());
  ASSERT_TRUE(shared);
  EXPECT_EQ(to_hex(shared->view()), text_of(vector, "shared"));
}

TEST(Vectors, destination_hashes) {
  for (const auto& vector : vectors().at("destinations").as_array()) {
    const std::string name = text_of(vector, "full_name");
    EXPECT_EQ(to_hex(name_hash(name)), text_of(vector, "name_hash"));
    const auto hash =
        vector.at("identity").is_null()
            ? plain_destination_hash(name)
            : destination_hash(name, identity_named(text_of(vector, "identity")).hash());
    EXPECT_EQ(to_hex(hash), text_of(vector, "destination_hash")) << name;
  }
}

TEST(Vectors, encryption_to_an_identity_and_to_a_ratchet) {
  for (const auto& vector : vectors().at("identity_encrypt").as_array()) {
    const Identity recipient = identity_named(text_of(vector, "recipient"));
    const Bytes expected = bytes_of(vector, "ciphertext");
    const Bytes plaintext = bytes_of(vector, "plaintext");
    std::optional<crypto::X25519Public> ratchet;
    std::vector<crypto::X25519Key> ratchets;
    if (!vector.at("ratchet_public").is_null()) {
      ratchet = crypto::X25519Public::from(bytes_of(vector, "ratchet_public"));
      ratchets.emplace_back(crypto::Secret32(bytes_of(vector, "ratchet_private")));
      EXPECT_EQ(to_hex(crypto::hash10(ratchet->view())), text_of(vector, "ratchet_id"));
    }
    ScriptedRng rng;
    rng.then(bytes_of(vector, "ephemeral_private")).then(ByteView(expected).subspan(32, 16));
    EXPECT_EQ(to_hex(recipient.public_identity().encrypt(plaintext, rng, ratchet)),
              to_hex(expected));
    EXPECT_EQ(recipient.decrypt(expected, ratchets).value(), plaintext);
    Bytes tampered = expected;
    tampered.back() ^= 1;
    EXPECT_FALSE(recipient.decrypt(tampered, ratchets));
    if (ratchet) {
      EXPECT_FALSE(recipient.decrypt(expected));
    }
  }
}

TEST(Vectors, a_ciphertext_shorter_than_a_key_is_refused) {
  const Identity bob = identity_named("bob");
  for (std::size_t size : {0, 1, 31, 32, 33, 80}) EXPECT_FALSE(bob.decrypt(Bytes(size)));
}

TEST(Vectors, packets_parse_pack_and_hash) {
  for (const auto& vector : vectors().at("packets").as_array()) {
    SCOPED_TRACE(text_of(vector, "name"));
    const Bytes raw = bytes_of(vector, "raw");
    const auto packet = parse_packet(raw);
    if (text_of(vector, "parse") != "ok") {
      EXPECT_FALSE(packet);
      continue;
    }
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->hops, vector.at("hops").as_int64());
    EXPECT_EQ(packet->transport_id.has_value(), vector.at("header_type").as_int64() == 1);
    EXPECT_EQ(packet->transport_id ? to_hex(*packet->transport_id) : "",
              hex_or_empty(vector, "transport_id"));
    EXPECT_EQ(packet->context_flag, vector.at("context_flag").as_int64() == 1);
    EXPECT_EQ(packet->in_transport, vector.at("transport_type").as_int64() == 1);
    EXPECT_EQ(static_cast<int>(packet->destination_type), vector.at("destination_type").as_int64());
    EXPECT_EQ(static_cast<int>(packet->type), vector.at("packet_type").as_int64());
    EXPECT_EQ(static_cast<int>(packet->context), vector.at("context").as_int64());
    EXPECT_EQ(to_hex(packet->destination), text_of(vector, "destination_hash"));
    EXPECT_EQ(to_hex(packet->data), text_of(vector, "data"));
    EXPECT_EQ(to_hex(packet_hash(*packet)), text_of(vector, "packet_hash"));
    EXPECT_EQ(to_hex(truncated(packet_hash(*packet))), text_of(vector, "truncated_hash"));
    EXPECT_EQ(pack_packet(*packet), raw);
  }
}

TEST(Vectors, a_packet_with_an_access_code_flag_is_dropped) {
  Bytes raw = bytes_of(vectors().at("packets").as_array()[0], "raw");
  raw[0] |= 0x80;
  EXPECT_FALSE(parse_packet(raw));
}

TEST(Vectors, a_header_2_packet_cut_inside_its_header_is_dropped) {
  Bytes raw(34);
  raw[0] = 0x50;
  EXPECT_FALSE(parse_packet(raw));
  raw.push_back(0);
  EXPECT_TRUE(parse_packet(raw));
}

TEST(Vectors, announces_are_read_and_tampered_ones_refused) {
  int refused = 0;
  for (const auto& vector : vectors().at("announces").as_array()) {
    SCOPED_TRACE(text_of(vector, "name"));
    const Bytes raw = bytes_of(vector, "raw");
    const auto packet = parse_packet(raw);
    const auto announce = packet ? read_announce(*packet) : Result<Announce>(fail(packet.error()));
    if (!vector.at("valid").as_bool()) {
      EXPECT_FALSE(announce && verify_announce(*packet, *announce));
      ++refused;
      continue;
    }
    ASSERT_TRUE(announce);
    EXPECT_TRUE(verify_announce(*packet, *announce));
    EXPECT_EQ(to_hex(announce->destination), text_of(vector, "destination_hash"));
    EXPECT_EQ(to_hex(announce->identity.public_key()), text_of(vector, "public_key"));
    EXPECT_EQ(to_hex(announce->name), text_of(vector, "name_hash"));
    EXPECT_EQ(to_hex(announce->random), text_of(vector, "random_hash"));
    EXPECT_EQ(announce_seconds(announce->random),
              static_cast<std::uint64_t>(vector.at("emitted").as_int64()));
    EXPECT_EQ(announce->ratchet ? to_hex(*announce->ratchet) : "", text_of(vector, "ratchet"));
    EXPECT_EQ(to_hex(announce->app_data.value_or(Bytes{})), text_of(vector, "app_data"));
    EXPECT_EQ(announce->app_data.has_value(), !text_of(vector, "app_data").empty());
    EXPECT_EQ(to_hex(packet_hash(*packet)), text_of(vector, "packet_hash"));
  }
  EXPECT_EQ(refused, 10);
}

TEST(Vectors, our_announces_are_those_bytes) {
  const Identity alice = identity_named("alice");
  for (const auto& vector : vectors().at("announces").as_array()) {
    if (!vector.at("valid").as_bool()) continue;
    const Bytes raw = bytes_of(vector, "raw");
    const auto packet = parse_packet(raw).value();
    const auto read = read_announce(packet).value();
    if (!(read.identity == alice.public_identity())) continue;
    SCOPED_TRACE(text_of(vector, "name"));
    const Bytes app_data = read.app_data.value_or(Bytes{});
    const auto made =
        make_announce(alice, {.name = read.name,
                              .random = read.random,
                              .ratchet = read.ratchet,
                              .app_data = app_data,
                              .path_response = packet.context == PacketContext::path_response});
    ASSERT_TRUE(made);
    // A relay rewrote the header of one of them; what is signed and hashed is the same.
    if (packet.hops == 0) {
      EXPECT_EQ(to_hex(*made), to_hex(raw));
    }
    EXPECT_EQ(packet_hash(parse_packet(*made).value()), packet_hash(packet));
  }
}

TEST(Vectors, application_data_that_does_not_fit_an_announce_is_refused) {
  const Identity alice = identity_named("alice");
  const Bytes fits(kMtu - kHeader1Size - 148);
  const Bytes too_long(fits.size() + 1);
  EXPECT_EQ(make_announce(alice, {.app_data = fits})->size(), kMtu);
  EXPECT_EQ(make_announce(alice, {.app_data = too_long}).error().code, Errc::limit);
}

TEST(Vectors, proofs_in_both_forms) {
  const auto& vector = vectors().at("proofs");
  const Identity prover = identity_named(text_of(vector, "prover"));
  const auto proved = Hash32::from(bytes_of(vector, "packet_hash")).value();
  EXPECT_EQ(packet_hash(parse_packet(bytes_of(vector, "proved_packet")).value()), proved);
  EXPECT_EQ(to_hex(make_proof(prover, proved)), text_of(vector, "implicit_proof_packet"));
  for (const char* form : {"implicit_proof_packet", "explicit_proof_packet"}) {
    const Bytes raw = bytes_of(vector, form);
    const auto packet = parse_packet(raw).value();
    EXPECT_EQ(packet.destination, truncated(proved));
    EXPECT_TRUE(proves(packet.data, proved, prover.public_identity()));
    EXPECT_FALSE(proves(packet.data, proved, identity_named("alice").public_identity()));
    Bytes tampered = base::to_bytes(packet.data);
    tampered[0] ^= 1;
    EXPECT_FALSE(proves(tampered, proved, prover.public_identity()));
    tampered.pop_back();
    EXPECT_FALSE(proves(tampered, proved, prover.public_identity()));
  }
}

TEST(Vectors, signalling_bytes) {
  for (const auto& vector : vectors().at("link_signalling").as_array()) {
    const auto mtu = static_cast<std::uint32_t>(vector.at("mtu").as_int64());
    EXPECT_EQ(to_hex(pack_signalling(mtu)), text_of(vector, "bytes"));
    EXPECT_EQ(parse_signalling(bytes_of(vector, "bytes")).value(), mtu);
  }
  EXPECT_FALSE(parse_signalling(codec::unhex("0001f4")));  // mode 0, AES-128
  EXPECT_FALSE(parse_signalling(codec::unhex("4001f4")));  // mode 2
  EXPECT_FALSE(parse_signalling(codec::unhex("200010")));  // an MTU of 16 bytes
}

TEST(Vectors, sizes_that_follow_from_the_link_mtu) {
  for (const auto& vector : vectors().at("mdu").as_array()) {
    const auto mtu = static_cast<std::size_t>(vector.at("mtu").as_int64());
    EXPECT_EQ(link_payload(mtu), vector.at("link_mdu").as_int64());
    EXPECT_EQ(resource_part_size(mtu), vector.at("resource_sdu").as_int64());
  }
  const auto& constants = vectors().at("constants");
  EXPECT_EQ(kMtu, constants.at("MTU").as_int64());
  EXPECT_EQ(kPayload, constants.at("MDU").as_int64());
  EXPECT_EQ(kSinglePayload, constants.at("ENCRYPTED_MDU").as_int64());
  EXPECT_EQ(link_payload(kMtu), constants.at("LINK_MDU").as_int64());
  EXPECT_EQ(kHeader1Size, constants.at("HEADER_MINSIZE").as_int64());
  EXPECT_EQ(kHeader2Size, constants.at("HEADER_MAXSIZE").as_int64());
  EXPECT_EQ(resource_part_size(kMtu), constants.at("RESOURCE_SDU_500").as_int64());
  EXPECT_EQ(kHashmapPiece, constants.at("HASHMAP_MAX_LEN").as_int64());
  EXPECT_EQ(kCollisionGuard, constants.at("COLLISION_GUARD_SIZE").as_int64());
  EXPECT_EQ(kSegmentContent, constants.at("MAX_EFFICIENT_SIZE").as_int64());
}

}  // namespace meshstow::reticulum
