#include "reticulum/content_head.hpp"

#include "codec/msgpack.hpp"
#include "crypto/hash.hpp"

namespace meshstow::reticulum {
namespace {

tl::unexpected<Error> wrong() { return fail(Errc::malformed, "content has no proper head"); }

Result<ContentHead> read_metadata(ByteView beginning) {
  if (beginning.size() < kMetadataLength) return wrong();
  const std::size_t size = base::read_big_endian(beginning.first(kMetadataLength));
  if (size == 0 || size > kLargestMetadata || size > beginning.size() - kMetadataLength) {
    return wrong();
  }
  const ByteView packed = beginning.subspan(kMetadataLength, size);
  codec::MsgpackReader reader(packed);
  if (!reader.raw_value() || !reader.at_end()) return wrong();
  return ContentHead{.size = kMetadataLength + size, .metadata = base::to_bytes(packed)};
}

Result<ContentHead> read_request_head(ByteView beginning) {
  codec::MsgpackReader reader(beginning);
  const auto count = reader.array();
  if (!count || *count != 3) return wrong();
  const auto time = reader.number();
  if (!time) return wrong();
  const auto path = reader.binary();
  if (!path || path->size() != Hash16::size()) return wrong();
  if (reader.at_end()) return wrong();
  return ContentHead{.size = reader.offset(), .path_hash = Hash16::prefix_of(*path)};
}

Result<ContentHead> read_response_head(ByteView beginning) {
  codec::MsgpackReader reader(beginning);
  const auto count = reader.array();
  if (!count || *count != 2) return wrong();
  const auto request = reader.binary();
  if (!request || request->size() != RequestId::size()) return wrong();
  if (reader.at_end()) return wrong();
  return ContentHead{.size = reader.offset(), .request = RequestId::prefix_of(*request)};
}

}  // namespace

Hash16 path_hash(std::string_view path) { return crypto::hash16(base::as_bytes(path)); }

Bytes request_prefix(WallTime at, std::string_view path) {
  const double seconds = static_cast<double>(at.time_since_epoch().count()) / 1e6;
  codec::MsgpackWriter writer;
  writer.array(3).float64(seconds).binary(path_hash(path).view());
  return writer.take();
}

Bytes response_prefix(const RequestId& request) {
  codec::MsgpackWriter writer;
  writer.array(2).binary(request.view());
  return writer.take();
}

Bytes metadata_block(ByteView packed_metadata) {
  Bytes out;
  out.reserve(kMetadataLength + packed_metadata.size());
  for (std::size_t i = kMetadataLength; i-- > 0;) {
    out.push_back(static_cast<Byte>(packed_metadata.size() >> (8 * i)));
  }
  base::append(out, packed_metadata);
  return out;
}

Result<ContentHead> read_content_head(ContentKind kind, bool has_metadata, ByteView beginning) {
  if (has_metadata) {
    if (kind == ContentKind::request) return wrong();
    return read_metadata(beginning);
  }
  switch (kind) {
    case ContentKind::request: return read_request_head(beginning);
    case ContentKind::response: return read_response_head(beginning);
    case ContentKind::resource: return ContentHead{};
  }
  return wrong();
}

}  // namespace meshstow::reticulum
