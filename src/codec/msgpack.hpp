// codec/msgpack.hpp: MessagePack as Reticulum writes it, and a reader for any valid form.
//
// Source: facts/reticulum.md 16. The reader is a cursor over bytes that are all there: it never
// recurses, never allocates for a length before the bytes are seen, and bounds depth.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace meshstow::codec {

// Shortest integer form, float64 always, str for text and bin for bytes.
class MsgpackWriter {
 public:
  MsgpackWriter& nil();
  MsgpackWriter& boolean(bool value);
  MsgpackWriter& integer(std::int64_t value);
  MsgpackWriter& unsigned_integer(std::uint64_t value);
  MsgpackWriter& float64(double value);
  MsgpackWriter& string(std::string_view text);
  MsgpackWriter& binary(ByteView bytes);
  MsgpackWriter& binary_header(std::uint32_t size);  // `size` raw bytes must follow
  MsgpackWriter& array(std::uint32_t count);         // `count` values must follow
  MsgpackWriter& map(std::uint32_t count);           // `count` pairs must follow
  MsgpackWriter& raw(ByteView packed);               // a value that is packed already

  [[nodiscard]] const Bytes& bytes() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  void head(Byte type, std::uint64_t value, std::size_t width);
  Bytes out_;
};

enum class MsgpackType { nil, boolean, integer, float64, string, binary, array, map, extension };

// One token: a scalar, or the head of an array or map whose `count` values (pairs) follow.
struct MsgpackToken {
  MsgpackType type = MsgpackType::nil;
  bool boolean = false;
  bool above_int64 = false;  // an integer above 2^63 - 1; its bits are in `integer`
  std::int64_t integer = 0;
  double float64 = 0;
  ByteView bytes;           // string, binary, extension payload; borrows the input
  std::uint32_t count = 0;  // array: values, map: pairs
};

class MsgpackReader {
 public:
  explicit MsgpackReader(ByteView input, std::size_t max_depth = limits::kMsgpackDepth);

  // Errc::malformed: truncated, a reserved byte, or a count that cannot fit into what is left;
  // Errc::limit: nested too deeply. A step that failed leaves the reader where it was.
  [[nodiscard]] Result<MsgpackToken> next();
  // The bytes of the whole next value, skipped. (After an error: somewhere inside that value.)
  [[nodiscard]] Result<ByteView> raw_value();

  // Typed steps: Errc::malformed if the next value is of another type.
  [[nodiscard]] Result<std::uint32_t> array();
  [[nodiscard]] Result<std::uint32_t> map();
  [[nodiscard]] Result<std::string_view> string();  // must be valid UTF-8
  [[nodiscard]] Result<ByteView> binary();
  [[nodiscard]] Result<std::int64_t> integer();
  [[nodiscard]] Result<double> number();  // float or integer

  [[nodiscard]] bool at_end() const { return offset_ == input_.size(); }
  [[nodiscard]] std::size_t offset() const { return offset_; }

 private:
  [[nodiscard]] Result<ByteView> take(std::size_t count);
  [[nodiscard]] Result<std::uint64_t> take_integer(std::size_t width);
  [[nodiscard]] Result<MsgpackToken> read_token();
  [[nodiscard]] Result<MsgpackToken> read_sized(MsgpackType type, std::size_t width);
  [[nodiscard]] Result<MsgpackToken> read_payload(MsgpackType type, std::size_t size);
  [[nodiscard]] Result<MsgpackToken> read_scalar(Byte lead);
  [[nodiscard]] Result<void> enter(const MsgpackToken& token);
  template <class Accept>
  [[nodiscard]] Result<MsgpackToken> step(Accept&& accept);

  ByteView input_;
  std::size_t offset_ = 0;
  std::size_t max_depth_;
  std::vector<std::uint64_t> open_;  // values still due in each open array or map
};

}  // namespace meshstow::codec
