// http/assets.hpp: the files of src/http/assets, embedded in the program at build time.
#pragma once

#include <span>
#include <string_view>

namespace meshstow::http {

struct Asset {
  std::string_view name;  // "app.js"
  std::string_view bytes;
  std::string_view tag;  // of the content, for ETag
};
std::span<const Asset> embedded_assets();

const Asset* find_asset(std::string_view name);  // nullptr: none

}  // namespace meshstow::http
