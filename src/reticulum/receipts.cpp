#include "reticulum/receipts.hpp"

namespace meshstow::reticulum {
namespace {

constexpr std::size_t kSignature = 64;

}  // namespace

Bytes make_proof(const Identity& receiver, const Hash32& proved) {
  const Signature signature = receiver.sign(proved.view());
  return pack_packet(
      {.type = PacketType::proof, .destination = truncated(proved), .data = signature.view()});
}

bool proves(ByteView data, const Hash32& packet, const PublicIdentity& receiver) {
  if (data.size() == Hash32::size() + kSignature) {
    if (Hash32::prefix_of(data) != packet) return false;
    data = data.subspan(Hash32::size());
  }
  const auto signature = Signature::from(data);
  return signature && receiver.verify(packet.view(), *signature);
}

void Receipts::add(TimePoint now, const Hash32& packet, const PublicIdentity& receiver,
                   Duration timeout) {
  if (receipts_.size() >= limits::kReceipts) give_up(Hash16(in_order_.front()));
  const Hash16 id = truncated(packet);
  receipts_.insert_or_assign(id, Receipt{packet, receiver, now});
  in_order_.push_back(id);
  due_.set(id, now + timeout);
}

void Receipts::handle_proof(TimePoint now, const Packet& proof) {
  const auto found = receipts_.find(proof.destination);
  if (found == receipts_.end()) return;
  const Receipt& receipt = found->second;
  if (!proves(proof.data, receipt.packet, receipt.receiver)) return;
  services_.out.emit(PacketProved{receipt.packet, now - receipt.sent});
  due_.remove(found->first);
  std::erase(in_order_, found->first);
  receipts_.erase(found);
}

void Receipts::give_up(const Hash16& id) {
  const auto found = receipts_.find(id);
  services_.out.emit(PacketUnproved{found->second.packet});
  std::erase(in_order_, id);
  due_.remove(id);
  receipts_.erase(found);
}

void Receipts::handle_deadline(TimePoint now) {
  while (const auto id = due_.pop(now)) give_up(*id);
}

}  // namespace meshstow::reticulum
