// base/bytes.hpp: byte strings and fixed-size byte values, the vocabulary of every layer.
//
// `Bytes` owns, `ByteView` borrows. FixedBytes<N> is a value (hashes, keys that are public, ids).
// Secrets do not live here: see crypto/secret.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meshstow::base {

using Byte = std::uint8_t;
using Bytes = std::vector<Byte>;
using ByteView = std::span<const Byte>;
using MutableByteView = std::span<Byte>;

template <std::size_t N>
struct FixedBytes {
  std::array<Byte, N> bytes{};

  static constexpr std::size_t size() { return N; }

  // nullopt unless `view` holds exactly N bytes.
  static constexpr std::optional<FixedBytes> from(ByteView view) {
    if (view.size() != N) return std::nullopt;
    return prefix_of(view);
  }

  // The first N bytes of `view`; the caller has checked that there are as many.
  static constexpr FixedBytes prefix_of(ByteView view) {
    FixedBytes out;
    std::copy_n(view.begin(), N, out.bytes.begin());
    return out;
  }

  [[nodiscard]] constexpr ByteView view() const { return bytes; }
  [[nodiscard]] constexpr const Byte* data() const { return bytes.data(); }
  [[nodiscard]] constexpr Byte* data() { return bytes.data(); }
  auto operator<=>(const FixedBytes&) const = default;
};

using Hash10 = FixedBytes<10>;
using Hash16 = FixedBytes<16>;
using Hash32 = FixedBytes<32>;
using Signature = FixedBytes<64>;

// Hash of an unordered container. The inputs are hashes already, so their first bytes will do.
struct FixedBytesHash {
  template <std::size_t N>
  std::size_t operator()(const FixedBytes<N>& value) const {
    static_assert(N >= sizeof(std::size_t));
    std::size_t out = 0;
    std::copy_n(value.bytes.begin(), sizeof out, reinterpret_cast<Byte*>(&out));
    return out;
  }
};

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const Byte*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string to_string(ByteView bytes) { return std::string(as_text(bytes)); }

inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

// One buffer from several, in order.
inline Bytes concat(std::initializer_list<ByteView> parts) {
  std::size_t size = 0;
  for (ByteView part : parts) size += part.size();
  Bytes out;
  out.reserve(size);
  for (ByteView part : parts) append(out, part);
  return out;
}

// Big-endian integers, the byte order of Reticulum and of every Meshstow format.
template <class Integer>
void append_big_endian(Bytes& out, Integer value) {
  for (std::size_t i = sizeof value; i-- > 0;) {
    out.push_back(static_cast<Byte>(static_cast<std::make_unsigned_t<Integer>>(value) >> (8 * i)));
  }
}

// Reads view.size() bytes (at most 8) as a big-endian unsigned integer.
constexpr std::uint64_t read_big_endian(ByteView view) {
  std::uint64_t out = 0;
  for (Byte byte : view) out = (out << 8) | byte;
  return out;
}

}  // namespace meshstow::base

namespace meshstow {
using base::Byte;
using base::Bytes;
using base::ByteView;
using base::FixedBytes;
using base::Hash10;
using base::Hash16;
using base::Hash32;
using base::MutableByteView;
using base::Signature;
}  // namespace meshstow
