// protocol/value_scanner.hpp: finds where MessagePack values end in bytes that arrive in pieces.
//
// Internal to src/protocol. It holds no bytes and does not look into values: codec::MsgpackReader
// reads what was found whole.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::protocol {

// The head of one value: its type byte and, where one follows, its length.
class ValueHead {
 public:
  enum class Kind { scalar, string, binary, extension, array, map };

  // Takes the next byte. Errc::malformed for the one byte that begins no value.
  [[nodiscard]] Result<void> take(Byte byte);
  [[nodiscard]] bool complete() const { return started_ && length_due_ == 0; }
  [[nodiscard]] Kind kind() const { return kind_; }
  // Bytes that follow (scalar, string, binary, extension), or elements (array), or pairs (map).
  [[nodiscard]] std::uint64_t length() const { return length_; }

 private:
  void set(Kind kind, std::uint64_t length, int length_due);
  Kind kind_ = Kind::scalar;
  std::uint64_t length_ = 0;
  int length_due_ = 0;
  bool started_ = false;
};

class ValueScanner {
 public:
  // Takes bytes up to the end of the value and returns how many.
  [[nodiscard]] Result<std::size_t> feed(ByteView bytes);
  [[nodiscard]] bool complete() const { return values_due_ == 0 && skip_ == 0; }

 private:
  void enter();
  ValueHead head_;
  std::uint64_t values_due_ = 1;
  std::uint64_t skip_ = 0;  // payload bytes of the value that was begun last
};

}  // namespace meshstow::protocol
