// codec/vectors_for_test.hpp: the vector files for this folder's tests.
#pragma once

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "codec/hex.hpp"

namespace meshstow::codec {

// `name`: "reticulum-vectors.json" or "storage-message-vectors.json".
inline boost::json::object vectors(const std::string& name) {
  std::ifstream file(MESHSTOW_VECTORS "/" + name);
  return boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {})).as_object();
}

inline std::string text_of(const boost::json::value& vector, std::string_view key) {
  return std::string(std::string_view(vector.at(key).get_string()));
}

inline Bytes bytes_of(const boost::json::value& vector, std::string_view key) {
  return from_hex(text_of(vector, key)).value();
}

inline Bytes unhex(std::string_view text) { return from_hex(text).value(); }

}  // namespace meshstow::codec
