// storage/body_store.hpp: the writer's side of bodies: small ones in a row, larger ones as a list
// of chunks that are stored once each and counted.
//
// Owner: one RemoteStorage. A chunked body is in the engine's loose list from its first chunk until
// a version refers to it, and again when none does any more.
#pragma once

#include "storage/chunker.hpp"
#include "storage/digests.hpp"
#include "storage/entry.hpp"
#include "storage/space_record.hpp"

namespace meshstow::storage {

// What a version needs to know of its body.
struct StoredBody {
  ContentId content = 0;
  bool chunked = false;
  std::uint64_t size = 0;
  Hash16 body;
  Hash32 list;
};

// A body on its way in. Up to limits::kInlineDocument bytes wait in memory, then chunks are
// written.
class BodyInProgress {
 public:
  BodyInProgress(bool secret, const GearTable& gear) : secret_(secret), chunker_(gear) {}

  [[nodiscard]] bool secret() const { return secret_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] ContentId content() const { return stored_.content; }  // 0: nothing written yet

 private:
  friend class BodyStore;
  bool secret_;
  Chunker chunker_;
  std::uint64_t size_ = 0;  // fed
  StoredBody stored_;       // written
};

class BodyStore {
 public:
  BodyStore(LocalStore& store, RecordBox& box, const Digests& digests, SpaceRecord& space,
            const Hash32& chunking_key)
      : store_(store),
        box_(box),
        digests_(digests),
        space_(space),
        gear_(make_gear_table(chunking_key)) {}

  [[nodiscard]] BodyInProgress start(bool secret) const { return {secret, gear_}; }
  void append(BodyInProgress& body, ByteView piece);
  // Writes what is left and gives the body its first reference.
  [[nodiscard]] StoredBody finish(BodyInProgress& body);

  void refer(ContentId content);    // one more version has it
  void release(ContentId content);  // one fewer
  // Removes some of a loose body, and all that is left of it if that has fewer than `most` chunks.
  // Returns how many went.
  [[nodiscard]] std::size_t reclaim(ContentId content, std::size_t most);

 private:
  void begin_list(StoredBody& stored, bool chunked);
  void write_chunk(BodyInProgress& body, ByteView plain);
  [[nodiscard]] ChunkId refer_chunk(const Hash32& address, ByteView stored);

  LocalStore& store_;
  RecordBox& box_;
  const Digests& digests_;
  SpaceRecord& space_;
  GearTable gear_;
};

}  // namespace meshstow::storage
