// storage/digests.hpp: tags and fingerprints, and the keyed sums that they come from.
//
// A folder's digest is the sum modulo 2^256 of one keyed SHA-256 for each live child, so that a
// change of one child costs two hashes whatever the number of its siblings. It is made of names,
// versions and the digests of subfolders and nothing else: nodes that hold equal states of a space
// compute equal tags. Without the key nobody can look for two sets with one sum.
#pragma once

#include <span>

#include "base/bytes.hpp"
#include "storage/types.hpp"

namespace meshstow::storage {

using Fingerprint = FixedBytes<8>;

// Modulo 2^256, big-endian.
void add(Hash32& sum, const Hash32& term);
void subtract(Hash32& sum, const Hash32& term);

// Known to whoever knows the version.
ETag document_etag(const VersionId& version);

// The digest of a list of chunks with one more at its end; zeros for the empty list.
Hash32 extend_list(const Hash32& list_so_far, const Hash32& address, std::uint64_t size);

class Digests {
 public:
  explicit Digests(const Hash32& key) : key_(key) {}

  [[nodiscard]] Hash32 of_document(std::string_view name, const VersionId& version) const;
  [[nodiscard]] Hash32 of_folder(std::string_view name, const Hash32& digest) const;
  [[nodiscard]] ETag folder_etag(const Hash32& digest) const;
  // `clock`: highest sequence of each log, sorted by log.
  [[nodiscard]] Fingerprint fingerprint(const Hash32& root, const CausalContext& clock) const;
  [[nodiscard]] Hash16 piece_seal(const Hash16& body, std::uint64_t offset, std::uint64_t size,
                                  const Hash32& address) const;

 private:
  Hash32 key_;
};

}  // namespace meshstow::storage
