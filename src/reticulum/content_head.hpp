// reticulum/content_head.hpp: what stands before the value in requests, responses and resources
// with metadata. Source: facts/reticulum.md 7, 8.1.
#pragma once

#include "reticulum/endpoint.hpp"

namespace meshstow::reticulum {

inline constexpr std::size_t kResponseHead = 19;               // bytes
inline constexpr std::size_t kMetadataLength = 3;              // bytes of its length
inline constexpr std::size_t kLargestMetadata = 512UL * 1024;  // ours: within the first segment

Bytes response_prefix(const RequestId& request);
Bytes metadata_block(ByteView packed_metadata);

struct ContentHead {
  std::size_t size = 0;  // the value begins here
  RequestId request;     // of a response without metadata: as it stands inside
  Hash16 path_hash;      // of a request
  std::optional<Bytes> metadata;
};
// `beginning`: the whole value of a packet, or the first segment of a resource. A response with
// metadata is a file: nothing but the file follows the metadata.
[[nodiscard]] Result<ContentHead> read_content_head(ContentKind kind, bool has_metadata,
                                                    ByteView beginning);

}  // namespace meshstow::reticulum
