// storage/body_reader.hpp: the reader's side of bodies: any range of one, checked before it is
// given.
#pragma once

#include "storage/digests.hpp"
#include "storage/entry.hpp"

namespace meshstow::storage {

// A body that is being read, with the part of it that was opened last.
struct OpenBody {
  ContentId content = 0;
  bool secret = false;
  bool chunked = false;
  Hash16 body;
  std::uint64_t size = 0;
  std::uint64_t part_begins = 0;
  Bytes part;
};
OpenBody body_of(const DocumentState& state, ContentId content, bool secret);

class BodyReader {
 public:
  BodyReader(LocalStoreReader& store, const RecordBox& box, const Digests& digests)
      : store_(store), box_(box), digests_(digests) {}

  // Up to `most` bytes from `offset` on; fewer only where the body ends. Inside a transaction of
  // the store. Errc::corrupt: a part is missing, moved, exchanged or damaged.
  [[nodiscard]] Result<Bytes> read(OpenBody& body, std::uint64_t offset, std::size_t most);

 private:
  [[nodiscard]] Result<void> load_part(OpenBody& body, std::uint64_t offset);
  [[nodiscard]] Result<void> load_whole(OpenBody& body);

  LocalStoreReader& store_;
  const RecordBox& box_;
  const Digests& digests_;
};

}  // namespace meshstow::storage
