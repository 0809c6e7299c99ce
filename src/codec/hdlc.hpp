// codec/hdlc.hpp: the byte framing of Reticulum's TCP, local and serial interfaces.
// Source: facts/reticulum.md 12.2.
#pragma once

#include "base/bytes.hpp"

namespace meshstow::codec {

Bytes hdlc_frame(ByteView payload);

// Feeds on any cut of a byte stream and yields whole payloads. Frames above `max_payload` and
// frames with a broken escape are dropped whole and counted; empty ones are ignored.
class HdlcDeframer {
 public:
  explicit HdlcDeframer(std::size_t max_payload) : max_payload_(max_payload) {}

  // Calls on_frame(ByteView) for each payload that ends in `bytes`; the view is good for that call.
  template <class OnFrame>
  void feed(ByteView bytes, OnFrame&& on_frame) {
    while (advance(bytes)) {
      on_frame(ByteView(buffer_));
      buffer_.clear();
    }
  }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  bool advance(ByteView& rest);  // true: buffer_ holds a payload; false: `rest` is used up
  void keep(Byte byte);
  void give_up();  // until the next flag

  std::size_t max_payload_;
  Bytes buffer_;
  bool in_frame_ = false;  // a flag was seen, and nothing wrong since
  bool escaped_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace meshstow::codec
