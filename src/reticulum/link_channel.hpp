// reticulum/link_channel.hpp: the sealed pipe of a link whose key is agreed.
//
// Knows where its packets go and how large they may be; has no states and no timers.
// Source: facts/reticulum.md 3, 6.
#pragma once

#include "crypto/cipher.hpp"
#include "reticulum/packet.hpp"
#include "reticulum/services.hpp"

namespace meshstow::reticulum {

class LinkChannel {
 public:
  LinkChannel(Services& services, const LinkId& id, InterfaceId interface, std::uint32_t mtu,
              const crypto::Secret64& key);

  // Both return the hash of the packet. Sealed payload: at most payload() bytes.
  Hash32 send(TimePoint now, PacketContext context, ByteView plaintext);
  Hash32 send_clear(TimePoint now, PacketContext context, ByteView data,
                    PacketType type = PacketType::data);
  // A resource part: no receiver filters it, so its hash is not wanted.
  void send_part(TimePoint now, ByteView part);
  [[nodiscard]] Result<Bytes> unseal(ByteView sealed) const { return cipher_.open(sealed); }

  [[nodiscard]] const LinkId& id() const { return id_; }
  [[nodiscard]] InterfaceId interface() const { return interface_; }
  [[nodiscard]] std::uint32_t mtu() const { return mtu_; }
  [[nodiscard]] std::size_t payload() const { return link_payload(mtu_); }
  [[nodiscard]] std::size_t part_size() const { return resource_part_size(mtu_); }
  [[nodiscard]] const crypto::TokenCipher& cipher() const { return cipher_; }
  [[nodiscard]] TimePoint last_sent() const { return last_sent_; }
  [[nodiscard]] Duration round_trip() const { return round_trip_; }
  void set_round_trip(Duration measured) { round_trip_ = measured; }
  [[nodiscard]] Services& services() const { return services_; }

  // Whose bounds what this link holds counts against.
  void set_share(LinkPart part, const Sharer& sharer) {
    part_ = part;
    sharer_ = sharer;
  }
  [[nodiscard]] LinkPart part() const { return part_; }
  [[nodiscard]] const Sharer& sharer() const { return sharer_; }
  [[nodiscard]] LinkRoom& room() const { return services_.room(part_); }

 private:
  Packet packet(PacketContext context, ByteView data, PacketType type) const;

  Services& services_;
  LinkId id_;
  InterfaceId interface_;
  std::uint32_t mtu_;
  crypto::TokenCipher cipher_;
  TimePoint last_sent_{};
  Duration round_trip_{};
  LinkPart part_ = LinkPart::own;
  Sharer sharer_;
};

}  // namespace meshstow::reticulum
