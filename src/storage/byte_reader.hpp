// storage/byte_reader.hpp: takes fixed binary records apart. Reading past the end yields zeros and
// makes ok() false, so that a decoder asks once, at its end.
#pragma once

#include "base/bytes.hpp"

namespace meshstow::storage {

class ByteReader {
 public:
  explicit ByteReader(ByteView input) : rest_(input) {}

  ByteView bytes(std::size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const ByteView out = rest_.first(count);
    rest_ = rest_.subspan(count);
    return out;
  }

  template <class Integer>
  Integer integer() {
    return static_cast<Integer>(base::read_big_endian(bytes(sizeof(Integer))));
  }

  template <std::size_t N>
  FixedBytes<N> fixed() {
    const ByteView view = bytes(N);
    return view.size() == N ? FixedBytes<N>::prefix_of(view) : FixedBytes<N>{};
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace meshstow::storage
