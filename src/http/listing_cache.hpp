// http/listing_cache.hpp: folder descriptions as they were last written, good as long as the
// folder's tag is the same. Bounded by limits::kHttpListingCache; the one longest unused goes
// first.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "storage/types.hpp"

namespace meshstow::http {

class ListingCache {
 public:
  // nullptr: not there, or of another tag.
  std::shared_ptr<const std::string> find(const StoragePath& folder, const storage::ETag& etag);
  void keep(const StoragePath& folder, const storage::ETag& etag,
            std::shared_ptr<const std::string> json);

 private:
  struct Entry {
    std::string folder;
    storage::ETag etag;
    std::shared_ptr<const std::string> json;
  };
  void remove(std::list<Entry>::iterator entry);
  std::list<Entry> entries_;  // last used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_folder_;
  std::size_t bytes_ = 0;
};

}  // namespace meshstow::http
