// crypto/secret.hpp: secret bytes that are wiped when they go, and compares that take equal time.
#pragma once

#include "base/bytes.hpp"

namespace meshstow::crypto {

void wipe(MutableByteView bytes);

// False at once if the lengths differ (lengths are no secret); otherwise in constant time.
[[nodiscard]] bool equal_in_constant_time(ByteView a, ByteView b);

// Fixed-size secret. Copies are allowed (keys are small values) and each wipes itself.
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(ByteView exactly_n) { std::copy_n(exactly_n.begin(), N, bytes_.begin()); }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { wipe(bytes_); }

  [[nodiscard]] ByteView view() const { return bytes_; }
  [[nodiscard]] MutableByteView writable() { return bytes_; }

 private:
  std::array<Byte, N> bytes_{};
};

using Secret32 = Secret<32>;
using Secret64 = Secret<64>;

}  // namespace meshstow::crypto
