// node/outgoing_body.hpp: the body of a PUT on its way out, as it is sent: plain, or sealed.
//
// The caller's bytes are drawn in order; restart() begins again with the same result.
#pragma once

#include <optional>

#include "access/storage_encryption.hpp"

namespace meshstow::node {

class OutgoingBody {
 public:
  struct Sealing {
    const access::SpaceKey* key = nullptr;
    Hash16 owner;
    StoragePath path = StoragePath::root();
    access::EnvelopeVersion version;
    FixedBytes<12> iv;
  };
  OutgoingBody(std::uint64_t size, std::optional<Sealing> sealing);

  [[nodiscard]] std::uint64_t sent_size() const;
  [[nodiscard]] bool is_sealed() const { return sealing_.has_value(); }

  void restart();
  [[nodiscard]] bool at_end() const { return finished_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] std::size_t wanted() const;  // at offset(); 0 for a body of no bytes
  // Appends to `out` what can be sent. Errc::malformed: not as many bytes as were announced.
  [[nodiscard]] Result<void> supply(ByteView plaintext, Bytes& out);

 private:
  std::uint64_t size_;
  std::optional<Sealing> sealing_;
  std::optional<access::EnvelopeSealer> sealer_;
  std::uint64_t offset_ = 0;
  bool finished_ = false;
};

}  // namespace meshstow::node
