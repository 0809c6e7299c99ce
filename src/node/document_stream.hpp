// node/document_stream.hpp: the body of an open document, piece by piece, as it is sent: plain, or
// as a sealed envelope.
//
// Two streams over one document with equal Seal give equal bytes: one for the hash, one to send.
#pragma once

#include <memory>

#include "access/storage_encryption.hpp"
#include "node/server_context.hpp"

namespace meshstow::node {

// How one answer is sealed.
struct Seal {
  access::EnvelopeVersion version;
  FixedBytes<12> iv;
};

class DocumentStream : public std::enable_shared_from_this<DocumentStream> {
 public:
  using Next = std::function<void(Now, storage::Outcome<Bytes>)>;

  // `document` is open and stays so; closing it is the owner's. No `seal`: plain bytes.
  DocumentStream(ServerContext& context, const StoragePath& path,
                 const storage::OpenedDocument& document, const std::optional<Seal>& seal);

  // Size of all that next() gives together.
  [[nodiscard]] static std::uint64_t sent_size(const storage::DocumentInfo& info, bool sealed);

  // One call at a time, and none after at_end().
  void next(Now now, Next give);
  [[nodiscard]] bool at_end() const { return at_end_; }

 private:
  void pass_on(Now now, ByteView plaintext, const Next& give);

  ServerContext& context_;
  storage::ReadHandle handle_;
  Bytes first_;
  std::uint64_t size_;
  std::uint64_t offset_ = 0;
  std::optional<access::EnvelopeSealer> sealer_;
  bool at_end_ = false;
};

}  // namespace meshstow::node
