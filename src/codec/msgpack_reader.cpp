#include <bit>

#include "codec/msgpack.hpp"
#include "codec/utf8.hpp"

namespace meshstow::codec {
namespace {

MsgpackToken integer_token(std::int64_t value) {
  return {.type = MsgpackType::integer, .integer = value};
}

MsgpackToken unsigned_token(std::uint64_t value) {
  return {.type = MsgpackType::integer,
          .above_int64 = value >> 63 != 0,
          .integer = static_cast<std::int64_t>(value)};
}

MsgpackToken container_token(MsgpackType type, std::uint64_t count) {
  return {.type = type, .count = static_cast<std::uint32_t>(count)};
}

// Widens a two's complement integer of `width` bytes.
std::int64_t sign_extended(std::uint64_t bits, std::size_t width) {
  const auto shift = static_cast<int>(64 - 8 * width);
  return static_cast<std::int64_t>(bits << shift) >> shift;
}

// Values that must follow the head of a container.
std::uint64_t due(const MsgpackToken& token) {
  if (token.type == MsgpackType::map) return 2ULL * token.count;
  return token.type == MsgpackType::array ? token.count : 0;
}

bool is_container(const MsgpackToken& token) {
  return token.type == MsgpackType::array || token.type == MsgpackType::map;
}

}  // namespace

MsgpackReader::MsgpackReader(ByteView input, std::size_t max_depth)
    : input_(input), max_depth_(max_depth) {}

Result<ByteView> MsgpackReader::take(std::size_t count) {
  if (count > input_.size() - offset_) return fail(Errc::malformed, "MessagePack ends too early");
  const ByteView out = input_.subspan(offset_, count);
  offset_ += count;
  return out;
}

Result<std::uint64_t> MsgpackReader::take_integer(std::size_t width) {
  const auto bytes = take(width);
  if (!bytes) return fail(bytes.error());
  return base::read_big_endian(*bytes);
}

Result<MsgpackToken> MsgpackReader::read_payload(MsgpackType type, std::size_t size) {
  // The number that tells an extension's meaning is not part of its payload.
  if (type == MsgpackType::extension) {
    if (const auto kind = take(1); !kind) return fail(kind.error());
  }
  const auto payload = take(size);
  if (!payload) return fail(payload.error());
  return MsgpackToken{.type = type, .bytes = *payload};
}

// A value whose head holds its size or count in `width` bytes.
Result<MsgpackToken> MsgpackReader::read_sized(MsgpackType type, std::size_t width) {
  const auto size = take_integer(width);
  if (!size) return fail(size.error());
  if (type == MsgpackType::array || type == MsgpackType::map) return container_token(type, *size);
  return read_payload(type, *size);
}

Result<MsgpackToken> MsgpackReader::read_scalar(Byte lead) {
  const std::size_t width = lead == 0xca ? 4 : lead == 0xcb ? 8 : std::size_t{1} << (lead & 3);
  const auto bits = take_integer(width);
  if (!bits) return fail(bits.error());
  if (lead == 0xca) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(*bits));
    return MsgpackToken{.type = MsgpackType::float64, .float64 = value};
  }
  if (lead == 0xcb) {
    return MsgpackToken{.type = MsgpackType::float64, .float64 = std::bit_cast<double>(*bits)};
  }
  if (lead <= 0xcf) return unsigned_token(*bits);
  return integer_token(sign_extended(*bits, width));
}

Result<MsgpackToken> MsgpackReader::read_token() {
  const auto first = take_integer(1);
  if (!first) return fail(first.error());
  const auto lead = static_cast<Byte>(*first);
  if (lead < 0x80) return integer_token(lead);
  if (lead < 0x90) return container_token(MsgpackType::map, lead & 0x0f);
  if (lead < 0xa0) return container_token(MsgpackType::array, lead & 0x0f);
  if (lead < 0xc0) return read_payload(MsgpackType::string, lead & 0x1f);
  if (lead >= 0xe0) return integer_token(static_cast<std::int8_t>(lead));
  switch (lead) {
    case 0xc0: return MsgpackToken{};
    case 0xc2: return MsgpackToken{.type = MsgpackType::boolean, .boolean = false};
    case 0xc3: return MsgpackToken{.type = MsgpackType::boolean, .boolean = true};
    case 0xc4:
    case 0xc5:
    case 0xc6: return read_sized(MsgpackType::binary, 1U << (lead - 0xc4));
    case 0xc7:
    case 0xc8:
    case 0xc9: return read_sized(MsgpackType::extension, 1U << (lead - 0xc7));
    case 0xca:
    case 0xcb: return read_scalar(lead);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: return read_scalar(lead);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: return read_scalar(lead);
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8: return read_payload(MsgpackType::extension, 1U << (lead - 0xd4));
    case 0xd9:
    case 0xda:
    case 0xdb: return read_sized(MsgpackType::string, 1U << (lead - 0xd9));
    case 0xdc:
    case 0xdd: return read_sized(MsgpackType::array, 2U << (lead - 0xdc));
    case 0xde:
    case 0xdf: return read_sized(MsgpackType::map, 2U << (lead - 0xde));
    default: return fail(Errc::malformed, "reserved MessagePack byte");
  }
}

// Books the token as one of its container's values and opens it if it is a container itself.
Result<void> MsgpackReader::enter(const MsgpackToken& token) {
  if (is_container(token)) {
    if (open_.size() >= max_depth_) return fail(Errc::limit, "MessagePack nested too deeply");
    // Every value takes at least one byte, so a larger count can only be a lie.
    if (due(token) > input_.size() - offset_) {
      return fail(Errc::malformed, "MessagePack count exceeds the bytes");
    }
  }
  if (!open_.empty()) --open_.back();
  if (due(token) > 0) open_.push_back(due(token));
  while (!open_.empty() && open_.back() == 0) open_.pop_back();
  return {};
}

template <class Accept>
Result<MsgpackToken> MsgpackReader::step(Accept&& accept) {
  const std::size_t start = offset_;
  auto token = read_token();
  if (token && !accept(*token)) token = fail(Errc::malformed, "another MessagePack type expected");
  if (token) {
    if (const auto entered = enter(*token); !entered) token = fail(entered.error());
  }
  if (!token) offset_ = start;
  return token;
}

Result<MsgpackToken> MsgpackReader::next() {
  return step([](const MsgpackToken&) { return true; });
}

Result<ByteView> MsgpackReader::raw_value() {
  const std::size_t start = offset_;
  const std::size_t depth = open_.size();
  do {
    if (const auto token = next(); !token) return fail(token.error());
  } while (open_.size() > depth);
  return input_.subspan(start, offset_ - start);
}

Result<std::uint32_t> MsgpackReader::array() {
  return step([](const MsgpackToken& token) { return token.type == MsgpackType::array; })
      .map([](const MsgpackToken& token) { return token.count; });
}

Result<std::uint32_t> MsgpackReader::map() {
  return step([](const MsgpackToken& token) { return token.type == MsgpackType::map; })
      .map([](const MsgpackToken& token) { return token.count; });
}

Result<std::string_view> MsgpackReader::string() {
  return step([](const MsgpackToken& token) {
           return token.type == MsgpackType::string && is_valid_utf8(base::as_text(token.bytes));
         })
      .map([](const MsgpackToken& token) { return base::as_text(token.bytes); });
}

Result<ByteView> MsgpackReader::binary() {
  return step([](const MsgpackToken& token) { return token.type == MsgpackType::binary; })
      .map([](const MsgpackToken& token) { return token.bytes; });
}

Result<std::int64_t> MsgpackReader::integer() {
  return step([](const MsgpackToken& token) {
           return token.type == MsgpackType::integer && !token.above_int64;
         })
      .map([](const MsgpackToken& token) { return token.integer; });
}

Result<double> MsgpackReader::number() {
  return step([](const MsgpackToken& token) {
           return token.type == MsgpackType::integer || token.type == MsgpackType::float64;
         })
      .map([](const MsgpackToken& token) {
        if (token.type == MsgpackType::float64) return token.float64;
        if (token.above_int64)
          return static_cast<double>(static_cast<std::uint64_t>(token.integer));
        return static_cast<double>(token.integer);
      });
}

}  // namespace meshstow::codec
