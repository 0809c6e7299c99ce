// codec/hdlc.hpp: the byte framing of Reticulum's TCP, local and serial interfaces.
// Source: facts/reticulum.md 12.2.
#pragma once

#include <optional>

#include "base/bytes.hpp"

namespace meshstow::codec {

Bytes hdlc_frame(ByteView payload);

// Feeds on any cut of a byte stream and yields whole payloads. Frames above `max_payload` are
// dropped whole and counted; empty ones are ignored.
class HdlcDeframer {
 public:
  explicit HdlcDeframer(std::size_t max_payload) : max_payload_(max_payload) {}

  // Calls on_frame(ByteView) for each payload that ends in `bytes`.
  template <class OnFrame>
  void feed(ByteView bytes, OnFrame&& on_frame) {
    for (Byte byte : bytes) {
      if (step(byte)) {
        on_frame(ByteView(buffer_));
        buffer_.clear();
      }
    }
  }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  bool step(Byte byte);   // true: buffer_ holds a payload
  std::size_t max_payload_;
  Bytes buffer_;
  bool in_frame_ = false;
  bool escaped_ = false;
  bool overlong_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace meshstow::codec
