// codec/vector_file_for_test.hpp: tests/vectors/meshstow-vectors.json, the bytes of our own
// formats.
//
// Each layer's tests build their sections anew and compare them with the file. With
// MESHSTOW_UPDATE_VECTORS=1 in the environment they write the file instead; then look at the diff:
// a change there is a change of a format.
#pragma once

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <string>

#include "codec/vectors_for_test.hpp"

namespace meshstow::codec {

inline constexpr const char* kMeshstowVectors = "meshstow-vectors.json";

// Two spaces a level, one member a line.
inline std::string pretty(const boost::json::value& value, std::size_t level = 0) {
  const bool is_object = value.is_object();
  if (!is_object && !value.is_array()) return boost::json::serialize(value);
  std::string out;
  const std::string indent = '\n' + std::string(2 * level + 2, ' ');
  const auto item = [&](const std::string& text) {
    out += (out.empty() ? "" : ",") + indent + text;
  };
  if (is_object) {
    for (const auto& member : value.get_object()) {
      item(boost::json::serialize(boost::json::value(member.key())) + ": " +
           pretty(member.value(), level + 1));
    }
  } else {
    for (const auto& element : value.get_array()) item(pretty(element, level + 1));
  }
  const std::string end = '\n' + std::string(2 * level, ' ');
  return is_object ? '{' + out + end + '}' : '[' + out + end + ']';
}

inline void expect_vectors(std::string_view section, const boost::json::value& actual) {
  const std::string path = std::string(MESHSTOW_VECTORS "/") + kMeshstowVectors;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a test has one thread
  if (std::getenv("MESHSTOW_UPDATE_VECTORS") != nullptr) {
    boost::json::object all;
    if (std::ifstream(path).good()) all = vectors(kMeshstowVectors);
    all[section] = actual;
    std::ofstream(path) << pretty(all) << '\n';
  }
  EXPECT_EQ(pretty(vectors(kMeshstowVectors).at(section)), pretty(actual));
}

}  // namespace meshstow::codec
