#include "io/control_frames.hpp"

namespace meshstow::io {
namespace {

constexpr std::size_t kHead = 5;

bool is_known(Byte type) {
  return type >= static_cast<Byte>(FrameType::command) &&
         type <= static_cast<Byte>(FrameType::error);
}

}  // namespace

Bytes write_frame(FrameType type, ByteView payload) {
  Bytes out;
  out.reserve(kHead + payload.size());
  base::append_big_endian(out, static_cast<std::uint32_t>(payload.size()));
  out.push_back(static_cast<Byte>(type));
  base::append(out, payload);
  return out;
}

void FrameReader::feed(ByteView bytes) {
  // Used bytes go before the buffer grows, and not with every small frame.
  if (start_ > 0 && (start_ == buffer_.size() || start_ >= limits::kBodyPiece)) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
    start_ = 0;
  }
  base::append(buffer_, bytes);
}

Result<std::optional<Frame>> FrameReader::next() {
  const ByteView rest = ByteView(buffer_).subspan(start_);
  if (rest.size() < kHead) return std::optional<Frame>();
  const std::uint64_t size = base::read_big_endian(rest.first(4));
  if (size > max_payload_) return fail(Errc::limit, "a control frame is too large");
  if (!is_known(rest[4])) return fail(Errc::malformed, "a control frame is of no known type");
  if (rest.size() < kHead + size) return std::optional<Frame>();
  Frame frame{static_cast<FrameType>(rest[4]), base::to_bytes(rest.subspan(kHead, size))};
  start_ += kHead + size;
  return std::optional<Frame>(std::move(frame));
}

}  // namespace meshstow::io
