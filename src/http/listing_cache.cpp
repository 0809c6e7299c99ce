#include "http/listing_cache.hpp"

#include "base/limits.hpp"

namespace meshstow::http {

std::shared_ptr<const std::string> ListingCache::find(const StoragePath& folder,
                                                      const storage::ETag& etag) {
  const auto found = by_folder_.find(folder.text());
  if (found == by_folder_.end()) return nullptr;
  if (found->second->etag != etag) {
    remove(found->second);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->json;
}

void ListingCache::keep(const StoragePath& folder, const storage::ETag& etag,
                        std::shared_ptr<const std::string> json) {
  if (json->size() > limits::kHttpListing) return;
  if (const auto found = by_folder_.find(folder.text()); found != by_folder_.end())
    remove(found->second);
  bytes_ += json->size();
  entries_.push_front({folder.text(), etag, std::move(json)});
  by_folder_[folder.text()] = entries_.begin();
  while (bytes_ > limits::kHttpListingCache) remove(std::prev(entries_.end()));
}

void ListingCache::remove(std::list<Entry>::iterator entry) {
  bytes_ -= entry->json->size();
  by_folder_.erase(entry->folder);
  entries_.erase(entry);
}

}  // namespace meshstow::http
