#include "http/listing_cache.hpp"

namespace meshstow::http {

std::shared_ptr<const std::string> ListingCache::find(Now now, const StoragePath& folder,
                                                      const storage::ETag& etag) {
  const Listing* found = listings_.find(folder.text());
  if (found == nullptr) return nullptr;
  if (found->etag == etag && found->made <= now.wall) return found->json;
  listings_.remove(folder.text());
  return nullptr;
}

void ListingCache::keep(Now now, const StoragePath& folder, const storage::ETag& etag,
                        std::shared_ptr<const std::string> json) {
  const std::size_t size = json->size();
  if (size <= limits::kHttpListing)
    listings_.keep(folder.text(), {etag, now.wall, std::move(json)}, size);
}

}  // namespace meshstow::http
