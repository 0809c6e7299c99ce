// http/listing_cache.hpp: folder descriptions as they were last written, good as long as the
// folder's tag is the same. Bounded by limits::kHttpListingCache.
#pragma once

#include <memory>
#include <string>

#include "base/limits.hpp"
#include "base/lru_cache.hpp"
#include "storage/types.hpp"

namespace meshstow::http {

class ListingCache {
 public:
  // nullptr: not there, or of another tag.
  std::shared_ptr<const std::string> find(const StoragePath& folder, const storage::ETag& etag);
  // Only listings of at most limits::kHttpListing.
  void keep(const StoragePath& folder, const storage::ETag& etag,
            std::shared_ptr<const std::string> json);

 private:
  struct Listing {
    storage::ETag etag;
    std::shared_ptr<const std::string> json;
  };
  base::LruCache<Listing> listings_{limits::kHttpListingCache};
};

}  // namespace meshstow::http
