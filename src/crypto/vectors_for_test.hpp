// crypto/vectors_for_test.hpp: the Reticulum vectors for this folder's tests.
#pragma once

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "base/bytes.hpp"

namespace meshstow::crypto {

inline const boost::json::object& vectors() {
  static const boost::json::value all = [] {
    std::ifstream file(MESHSTOW_VECTORS "/reticulum-vectors.json");
    return boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  }();
  return all.as_object();
}

// The bytes of a hexadecimal string; null and absence are no bytes.
inline Bytes unhex(std::string_view text) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<Byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

inline Bytes bytes_of(const boost::json::value& vector, std::string_view key) {
  const boost::json::value* found = vector.as_object().if_contains(key);
  if (found == nullptr || !found->is_string()) return {};
  return unhex(std::string_view(found->get_string()));
}

template <std::size_t N>
FixedBytes<N> fixed_of(const boost::json::value& vector, std::string_view key) {
  return FixedBytes<N>::from(bytes_of(vector, key)).value();
}

}  // namespace meshstow::crypto
