// io/control_frames.hpp: what goes over control.sock: frames of 4 bytes length (big-endian, of the
// payload), 1 byte type, payload.
//
//   client: command, then for a body data… end        server: head, data…, progress…, result or
//   error
#pragma once

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace meshstow::io {

enum class FrameType : Byte {
  command = 1,
  data = 2,
  end = 3,          // of the body
  body_failed = 4,  // the client could not read its body on; payload: why
  head = 5,
  progress = 6,
  result = 7,
  error = 8,
};

struct Frame {
  FrameType type = FrameType::end;
  Bytes payload;
};

Bytes write_frame(FrameType type, ByteView payload);

// Collects frames from a stream in any cut.
class FrameReader {
 public:
  // `max_payload`: of one frame; larger ones are refused before they are collected.
  explicit FrameReader(std::size_t max_payload) : max_payload_(max_payload) {}
  void feed(ByteView bytes);
  // nullopt: not all there yet. Errc::malformed: an unknown type; Errc::limit. Errors stay.
  [[nodiscard]] Result<std::optional<Frame>> next();
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - start_; }

 private:
  std::size_t max_payload_;
  Bytes buffer_;
  std::size_t start_ = 0;
};

}  // namespace meshstow::io
