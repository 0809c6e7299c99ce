#include "codec/hdlc.hpp"

namespace meshstow::codec {
namespace {

constexpr Byte kFlag = 0x7e;
constexpr Byte kEscape = 0x7d;
constexpr Byte kFlip = 0x20;  // an escaped byte is sent with this bit changed

bool is_plain(Byte byte) { return byte != kFlag && byte != kEscape; }

}  // namespace

Bytes hdlc_frame(ByteView payload) {
  Bytes out;
  out.reserve(payload.size() + payload.size() / 32 + 2);
  out.push_back(kFlag);
  for (Byte byte : payload) {
    if (is_plain(byte)) {
      out.push_back(byte);
    } else {
      out.push_back(kEscape);
      out.push_back(byte ^ kFlip);
    }
  }
  out.push_back(kFlag);
  return out;
}

bool HdlcDeframer::advance(ByteView& rest) {
  while (!rest.empty()) {
    const Byte byte = rest.front();
    rest = rest.subspan(1);
    if (byte == kFlag) {
      const bool broken = in_frame_ && escaped_;  // the flag cut an escape in two
      const bool complete = in_frame_ && !escaped_ && !buffer_.empty();
      if (broken) give_up();
      in_frame_ = true;
      if (complete) return true;
    } else if (!in_frame_) {
      continue;
    } else if (escaped_) {
      escaped_ = false;
      const Byte plain = byte ^ kFlip;
      is_plain(plain) ? give_up() : keep(plain);
    } else if (byte == kEscape) {
      escaped_ = true;
    } else {
      keep(byte);
    }
  }
  return false;
}

void HdlcDeframer::keep(Byte byte) {
  if (buffer_.size() == max_payload_) return give_up();
  buffer_.push_back(byte);
}

void HdlcDeframer::give_up() {
  buffer_.clear();
  in_frame_ = false;
  escaped_ = false;
  ++dropped_;
}

}  // namespace meshstow::codec
