// storage/entry.hpp: what a node's entry says, its bytes, and how records are protected on disk.
//
// docs/FORMAT.md has the bytes. Errors: Errc::corrupt for anything that was not written like this.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "storage/local_store.hpp"
#include "storage/sealer.hpp"
#include "storage/types.hpp"

namespace meshstow::storage {

// One state of one document: a version, apart from its name and its bytes.
struct DocumentState {
  VersionId version;
  bool deleted = false;
  bool chunked = false;
  std::uint64_t size = 0;
  WallTime modified{};
  WallTime latest{};   // `modified` of any state so far: of this one, unless a clock was set back
  bool dated = false;  // no earlier state had this second, or a later one
  Hash16 body;         // names the body for ever; its seals are bound to it
  Hash32 list;         // chunked: digest of the list of chunks
  std::string content_type;
  CausalContext context;
};

struct Entry {
  std::string name;
  std::optional<DocumentState> document;
};

Bytes encode(const Entry& entry);
[[nodiscard]] Result<Entry> decode_entry(ByteView bytes);

DocumentInfo describe(const DocumentState& state);

// Seals what is secret, and puts a checksum behind what is not.
class RecordBox {
 public:
  explicit RecordBox(Sealer& sealer) : sealer_(&sealer) {}

  Bytes close(bool secret, ByteView context, ByteView plain);
  [[nodiscard]] Result<Bytes> open(bool secret, ByteView context, ByteView stored) const;

  [[nodiscard]] Bytes name_key(bool secret, NodeId folder, std::string_view name) const;

  Bytes close_entry(bool secret, NodeId node, NodeId parent, const Entry& entry);
  [[nodiscard]] Result<Entry> open_entry(bool secret, NodeId node, NodeId parent,
                                         ByteView stored) const;
  Bytes close_body(bool secret, const Hash16& body, ByteView plain);
  [[nodiscard]] Result<Bytes> open_body(bool secret, const Hash16& body, ByteView stored) const;

  // Chunks are found again by their stored form, so a plain one stays as it is: its address checks
  // it.
  Bytes close_chunk(bool secret, ByteView plain);
  [[nodiscard]] Result<Bytes> open_chunk(bool secret, Bytes stored) const;

 private:
  Sealer* sealer_;
};

}  // namespace meshstow::storage
