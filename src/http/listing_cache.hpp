// http/listing_cache.hpp: folder descriptions as they were last written, good as long as the
// folder's tag is the same. Bounded by limits::kHttpListingCache.
#pragma once

#include <memory>
#include <string>

#include "base/limits.hpp"
#include "base/lru_cache.hpp"
#include "base/time.hpp"
#include "storage/types.hpp"

namespace meshstow::http {

class ListingCache {
 public:
  // nullptr: not there, or of another tag, or made when the clock said that it is later than now:
  // a listing tells no dates of the future.
  std::shared_ptr<const std::string> find(Now now, const StoragePath& folder,
                                          const storage::ETag& etag);
  // Only listings of at most limits::kHttpListing.
  void keep(Now now, const StoragePath& folder, const storage::ETag& etag,
            std::shared_ptr<const std::string> json);

 private:
  struct Listing {
    storage::ETag etag;
    WallTime made;
    std::shared_ptr<const std::string> json;
  };
  base::LruCache<Listing> listings_{limits::kHttpListingCache};
};

}  // namespace meshstow::http
