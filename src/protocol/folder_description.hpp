// protocol/folder_description.hpp: the JSON form of a folder listing.
// Source: remotestorage-http.md 1.6. application/ld+json; tags without quotes; names decoded.
#pragma once

#include <string>

#include "base/result.hpp"
#include "storage/types.hpp"

namespace meshstow::protocol {

inline constexpr std::string_view kFolderContentType = "application/ld+json";

// Writes the description in pieces, so that a folder of any size streams.
class FolderDescriptionWriter {
 public:
  [[nodiscard]] std::string begin() const;
  // Dates after `now` were written by a wrong clock, and become `now`.
  [[nodiscard]] std::string items(const std::vector<storage::FolderItem>& page, WallTime now);
  [[nodiscard]] std::string end() const;

 private:
  bool first_ = true;
};

[[nodiscard]] Result<std::vector<storage::FolderItem>> read_folder_description(
    std::string_view json);

}  // namespace meshstow::protocol
