// storage/sealer.hpp: how names and contents of secret categories look on disk.
//
// The store never sees keys: it asks a Sealer. Public entries use the identity transform. Owner:
// one per thread that touches the store (clone()). Implemented over access::StorageEncryption in
// src/node.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::storage {

class Sealer {
 public:
  virtual ~Sealer() = default;
  [[nodiscard]] virtual std::unique_ptr<Sealer> clone() const = 0;

  // Finds a name in a folder without telling it: a keyed hash, equal for equal input. 16 bytes.
  [[nodiscard]] virtual Hash16 name_key(ByteView folder_id, std::string_view name) const = 0;

  // Records (names, types, contexts, small bodies): fresh nonce each; `context` must be given again
  // to open.
  [[nodiscard]] virtual Bytes seal_record(ByteView context, ByteView plaintext) = 0;
  [[nodiscard]] virtual Result<Bytes> open_record(ByteView context, ByteView sealed) const = 0;

  // Chunks: equal plaintext of one space seals to equal bytes, so that it is stored once.
  [[nodiscard]] virtual Bytes seal_chunk(ByteView plaintext) = 0;
  [[nodiscard]] virtual Result<Bytes> open_chunk(ByteView sealed) const = 0;

  // Keys the cut points of content-defined chunking and the folder digests; secret, per space.
  [[nodiscard]] virtual Hash32 chunking_key() const = 0;
  [[nodiscard]] virtual Hash32 digest_key() const = 0;
};

}  // namespace meshstow::storage
